/* SPDX-License-Identifier: ISC */
#include "rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>

#include <cmocka.h>
#include <event2/event.h>

#include "../net/dial_fixture.h"
#include "../snapshot/made.h"
#include "../tls/cert.h"
#include "base/own.h"
#include "net/io.h"
#include "base/text.h"
#include "conn/stage.h"
#include "net/resolve_internal.h"

static const struct dns_row names[] = {
        { .name = "silent.example", .silent = true },
        { .name = "here.example", .a = { "127.0.0.1" } },
};

/* Whoever waits for the silent name waits longer than any test. */
static void net_init(struct net_fixture *net)
{
        net->base = event_base_new();
        net->io = io_new(net->base, NULL);
        assert_non_null(net->io);
        net->dns = dns_server_new(net->base, names, COUNTOF(names));
        net->resolver = resolver_new_with_server(net->base, "127.0.0.1", dns_server_port(net->dns),
                                                 60000, 2);
        assert_non_null(net->resolver);
}

static void on_ended(struct conn *c, void *arg)
{
        struct rig *r = arg;
        assert_ptr_equal(c, r->conn);
        assert_int_equal(tally_live(&r->service->counts->tally), 0);
        assert_int_equal(tally_live(&r->snapshot->counts->tally), 0);
        r->ended++;
}

static const char *certificate(void)
{
        static const char *path;
        if (path == NULL) {
                struct cert c = cert_make((struct cert_spec){ .names = "DNS:localhost" });
                path = cert_write_both("server.pem", &c);
                cert_free(&c);
        }
        return path;
}

static int open_upstream(enum upstream_kind kind)
{
        switch (kind) {
        case UPSTREAM_NONE:
                return -1;
        case UPSTREAM_REFUSES:
                return tcp_refusing();
        case UPSTREAM_SILENT:
                return tcp_black_hole();
        default:
                return tcp_listener(8);
        }
}

/* The settings with %1 and %2 filled in. */
static struct snapshot *snapshot_with(const struct rig *r, const char *settings)
{
        struct text t = { 0 };
        for (const char *p = settings; *p != '\0'; p++) {
                if (strncmp(p, "%1", 2) == 0)
                        text_addf(&t, "%u", tcp_port(r->listener));
                else if (strncmp(p, "%2", 2) == 0)
                        text_add(&t, certificate());
                else
                        text_addn(&t, p, 1);
                p += *p == '%';
        }
        const char *listen =
                strstr(settings, "listen = ") == NULL ? "listen = \"127.0.0.1:0\"; " : "";
        struct snapshot *s =
                must_make("workers = 1; services: { a: { %s%s } }", listen, text_str(&t));
        text_fini(&t);
        return s;
}

void rig_open(struct rig *r, enum upstream_kind kind, const char *settings)
{
        *r = (struct rig){ .descriptors = open_descriptors(),
                           .client.fd = -1,
                           .upstream.fd = -1,
                           .upstream_accepts = kind == UPSTREAM_LISTENS || kind == UPSTREAM_TLS,
                           .upstream_tls = kind == UPSTREAM_TLS,
                           .upstream_script = "",
                           .upstream_due = "" };
        net_init(&r->net);
        r->hangup = hangup_new(r->net.base);
        assert_non_null(r->hangup);
        r->listener = open_upstream(kind);
        r->snapshot = snapshot_with(r, settings);
        r->service = r->snapshot->services[0];
        r->env = (struct conn_env){ .base = r->net.base,
                                    .io = r->net.io,
                                    .hangup = r->hangup,
                                    .resolver = r->net.resolver,
                                    .ended = on_ended,
                                    .ended_arg = r };
}

void rig_close(struct rig *r)
{
        peer_close(&r->client);
        peer_close(&r->upstream);
        own_close(&r->listener);
        assert_null(r->conn);
        hangup_free(r->hangup);
        net_fixture_fini(&r->net);
        snapshot_unref(r->snapshot);
        assert_int_equal(open_descriptors(), r->descriptors);
}

void rig_connect(struct rig *r, bool counted)
{
        const struct lsock *sock = r->service->socks[0];
        int client = socket(sock->address.sa.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
        assert_int_equal(connect(client, &sock->address.sa, sock->address.len), 0);
        assert_int_equal(evutil_make_socket_nonblocking(client), 0);
        r->from.len = sizeof r->from.storage;
        int fd = accept4(sock->fds[0], &r->from.sa, &r->from.len, SOCK_NONBLOCK | SOCK_CLOEXEC);
        assert_true(fd >= 0);
        peer_begin(&r->client, client, "", "");
        if (counted)
                assert_true(tally_enter(&r->service->counts->tally) &&
                            tally_enter(&r->snapshot->counts->tally));
        r->ended = 0;
        r->conn =
                conn_new(&r->env, r->snapshot, r->service, &sock->address, &r->from, &fd, counted);
        assert_non_null(r->conn);
        assert_int_equal(fd, -1);
}

static bool accept_upstream(struct rig *r)
{
        struct pollfd ready = { .fd = r->listener, .events = POLLIN };
        if (!r->upstream_accepts || r->upstream.fd >= 0 || poll(&ready, 1, 0) != 1)
                return false;
        int fd = accept4(r->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd < 0)
                return false;
        peer_begin(&r->upstream, fd, r->upstream_script, r->upstream_due);
        if (r->upstream_tls)
                peer_use_tls(&r->upstream, true);
        return true;
}

void rig_turn(struct rig *r)
{
        event_base_loop(r->net.base, EVLOOP_NONBLOCK);
        if (r->ended > 0 && r->conn != NULL) {
                assert_int_equal(r->ended, 1);
                conn_free(TAKE(r->conn));
        }
        bool busy = accept_upstream(r);
        busy = peer_turn(&r->client) || busy;
        busy = peer_turn(&r->upstream) || busy;
        if (!busy)
                poll(NULL, 0, 1);
}

const char *rig_stage(const struct rig *r)
{
        if (r->conn == NULL || r->ended > 0 || r->conn->stage == NULL)
                return "";
        return (*r->conn->stage)->name;
}
