/* SPDX-License-Identifier: ISC */
#include "snapshot/service.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "snapshot/sockets.h"
#include "tls/error.h"

enum {
        HIGH_WATER = 64 * 1024
}; /* octets queued towards a leg before the other is no longer read */

static const enum relay_half_close half_close_of[] = {
        [CONFIG_HALF_CLOSE_PROPAGATE] = RELAY_PROPAGATE,
        [CONFIG_HALF_CLOSE_HOLD] = RELAY_HOLD,
        [CONFIG_HALF_CLOSE_CLOSE] = RELAY_CLOSE,
};

static const enum relay_truncation truncation_of[] = {
        [CONFIG_TRUNCATION_RESET] = RELAY_TRUNCATION_RESET,
        [CONFIG_TRUNCATION_FORWARD] = RELAY_TRUNCATION_FORWARD,
};

static int64_t busy_poll_of(const struct config_service *conf)
{
        int64_t clients = conf->listen_socket.busy_poll;
        int64_t upstreams = conf->connect_socket.busy_poll;
        return clients > upstreams ? clients : upstreams;
}

static struct relay_settings relay_settings_of(const struct config_service *conf)
{
        return (struct relay_settings){
                .half_close = half_close_of[conf->half_close],
                .truncation = truncation_of[conf->truncation],
                .idle_ms = conf->idle_timeout,
                .half_close_ms = conf->half_close_timeout,
                .write_ms = conf->write_timeout,
                .busy_poll_us = busy_poll_of(conf),
                .high_water = HIGH_WATER,
        };
}

void service_free(struct service *s)
{
        if (s == NULL)
                return;
        for (size_t i = 0; i < s->n_socks; i++)
                lsock_unref(s->socks[i]);
        free(s->socks);
        tls_context_unref(s->listen_tls);
        tls_context_unref(s->connect_tls);
        service_counts_unref(s->counts);
        free(s);
}

static void open_sockets(struct service *s, struct service_making *m)
{
        const struct addr_list *listen = &s->conf->listen;
        struct lsock_settings settings = s->settings;
        settings.running = m->kept;
        settings.tries = m->tries;
        for (size_t i = 0; i < listen->n; i++)
                lsock_open(&listen->items[i], &settings, m->diag, &listen->at[i], &s->socks,
                           &s->n_socks);
}

/* What a service has goes on while what is to replace it cannot be used. */
static void make_tls(struct service *s, const struct service *before, struct service_making *m)
{
        const struct config_service *conf = s->conf;
        bool excused = m->unusable != NULL && before != NULL;
        struct diag *diag = excused ? m->unusable : m->diag;
        if (conf->listen_tls.present)
                s->listen_tls = tls_context_new_listen(&conf->listen_tls, diag);
        if (conf->connect_tls.present)
                s->connect_tls = tls_context_new_connect(&conf->connect_tls, diag);
        if (excused && s->listen_tls == NULL && before->listen_tls != NULL)
                s->listen_tls = tls_context_ref(before->listen_tls);
        if (excused && s->connect_tls == NULL && before->connect_tls != NULL)
                s->connect_tls = tls_context_ref(before->connect_tls);
}

static void keep_tickets(struct service *s, const struct service *before, struct diag *diag)
{
        char why[TLS_ERROR_MAX];
        if (s->listen_tls == NULL || before == NULL || before->listen_tls == NULL ||
            tls_context_keep_tickets(s->listen_tls, before->listen_tls))
                return;
        diag_error(diag, &s->conf->listen_tls.at, "listen-tls: the ticket keys are lost: %s",
                   tls_error_text(why));
}

static void make_sockets(struct service *s, struct service_making *m)
{
        const struct config_service *conf = s->conf;
        s->listen_options = listen_options_of(&conf->listen_socket, m->diag);
        s->connect_options =
                connect_options_of(&conf->connect_socket, m->keeps_privileges, m->diag);
        s->settings = lsock_settings_of(&conf->listen_socket, &s->listen_options, m->diag);
        s->settings.workers = m->n_workers;
        s->settings.service = conf->name;
        if (m->binds)
                open_sockets(s, m);
}

struct service *service_new(const struct config_service *conf, struct service_making *m,
                            const struct service *before)
{
        struct service *s = calloc(1, sizeof *s);
        struct service_counts *counts = before != NULL ? service_counts_ref(before->counts)
                                                       : service_counts_new(m->n_workers);
        if (s == NULL || counts == NULL) {
                diag_error(m->diag, &conf->at, "service \"%s\": out of memory", conf->name);
                service_counts_unref(counts);
                free(s);
                return NULL;
        }
        s->conf = conf;
        s->counts = counts;
        s->relay = relay_settings_of(conf);
        s->relay.stats = counts->stats;
        upstream_init(&s->upstream, conf, before != NULL ? &before->upstream : NULL);
        s->direct = conf->pump == CONFIG_PUMP_AUTO && upstream_builtin(&s->upstream) == NULL;
        make_tls(s, before, m);
        keep_tickets(s, before, m->diag);
        make_sockets(s, m);
        return s;
}

void service_publish(struct service *s, struct diag *diag)
{
        char text[SOCKADDRESS_TEXT_MAX];
        for (size_t i = 0; i < s->n_socks; i++) {
                int error = lsock_retune(s->socks[i], &s->settings);
                if (error != 0)
                        diag_warning(diag, &s->conf->listen_socket.at,
                                     "service \"%s\": %s listens as before: %s", s->conf->name,
                                     sockaddress_text(&s->socks[i]->address, text),
                                     strerror(error));
        }
}
