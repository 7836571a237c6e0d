/* SPDX-License-Identifier: ISC */
#include "net_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include <event2/event.h>

#include "net/io.h"
#include "net/resolve.h"
#include "net/resolve_internal.h"

void net_fixture_init(struct net_fixture *f, const struct dns_row *rows, size_t n)
{
        f->base = event_base_new();
        assert_non_null(f->base);
        f->io = io_new(f->base, NULL);
        assert_non_null(f->io);
        f->dns = dns_server_new(f->base, rows, n);
        f->resolver =
                resolver_new_with_server(f->base, "127.0.0.1", dns_server_port(f->dns), 100, 2);
        assert_non_null(f->resolver);
}

void net_fixture_fini(struct net_fixture *f)
{
        resolver_free(f->resolver);
        dns_server_free(f->dns);
        io_free(f->io);
        event_base_free(f->base);
}

static void too_late(evutil_socket_t fd, short what, void *arg)
{
        (void)fd;
        (void)what;
        *(bool *)arg = true;
}

void net_run_until(struct event_base *base, const bool *flag)
{
        bool late = false;
        struct event *guard = evtimer_new(base, too_late, &late);
        assert_non_null(guard);
        evtimer_add(guard, &(struct timeval){ .tv_sec = 60 });
        while (!*flag && !late)
                event_base_loop(base, EVLOOP_ONCE);
        event_free(guard);
        assert_false(late);
}

void net_run_ready(struct event_base *base)
{
        event_base_loop(base, EVLOOP_NONBLOCK);
}
