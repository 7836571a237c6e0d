/* SPDX-License-Identifier: ISC */
#include "acceptor_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include <cmocka.h>
#include <event2/event.h>

#include "base/clock.h"
#include "base/own.h"

void on_accepted(struct service *service, const struct lsock *sock,
                 const struct sockaddress *client, int *fd, void *arg)
{
        struct fixture *f = arg;
        assert_true(f->n < MANY);
        f->service = service;
        f->sock = sock;
        f->client = *client;
        if (f->take)
                budget_take(&f->budget, service_descriptors(service));
        f->fds[f->n++] = f->take ? TAKE_FD(*fd) : -1;
}

void open_fixture_of(struct fixture *f, int workers)
{
        *f = (struct fixture){ .take = true };
        f->base = event_base_new();
        f->snapshot = must_make("workers = %d\n"
                                "services: {\n"
                                "a: { listen = [\"127.0.0.1:0\", \"127.0.0.1:0\"]\n"
                                "     connect = \"echo\" }\n"
                                "b: { listen = \"127.0.0.1:0\"; connect = \"127.0.0.1:1\" } }",
                                workers);
        atomic_init(&f->budget.left, 2 * MANY);
        f->acceptor = acceptor_new(f->base, f->snapshot, 0, &f->budget, on_accepted, f);
        assert_non_null(f->acceptor);
}

void open_fixture(struct fixture *f)
{
        open_fixture_of(f, 1);
}

void close_accepted(struct fixture *f)
{
        for (size_t i = 0; i < f->n; i++)
                own_close(&f->fds[i]);
        if (f->take && f->service != NULL)
                budget_give(&f->budget, (int)f->n * service_descriptors(f->service));
        f->n = 0;
}

void close_fixture(struct fixture *f)
{
        close_accepted(f);
        acceptor_free(f->acceptor);
        snapshot_unref(f->snapshot);
        event_base_free(f->base);
}

const struct lsock *first_socket(const struct fixture *f)
{
        return f->snapshot->services[0]->socks[0];
}

const struct lsock *forwarding_socket(const struct fixture *f)
{
        return f->snapshot->services[1]->socks[0];
}

int connect_to(const struct lsock *sock)
{
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        assert_true(fd >= 0);
        assert_int_equal(connect(fd, &sock->address.sa, sock->address.len), 0);
        return fd;
}

void connect_all(const struct lsock *sock, int *fds, size_t n)
{
        for (size_t i = 0; i < n; i++)
                fds[i] = connect_to(sock);
}

void close_all(int *fds, size_t n)
{
        for (size_t i = 0; i < n; i++)
                own_close(&fds[i]);
}

static void wake(evutil_socket_t fd, short what, void *arg)
{
        (void)fd;
        (void)what;
        (void)arg;
}

unsigned turns(struct fixture *f, size_t n, int64_t ms)
{
        unsigned count = 0;
        int64_t end = clock_ms() + ms;
        /* Again and again: libevent's clock may be a little ahead of ours. */
        struct event *alarm = event_new(f->base, -1, EV_PERSIST, wake, NULL);
        struct timeval in = clock_timeval(ms);
        evtimer_add(alarm, &in);
        for (; f->n < n && clock_ms() < end; count++) {
                acceptor_turn(f->acceptor);
                event_base_loop(f->base, EVLOOP_ONCE);
        }
        event_free(alarm);
        return count;
}

void until_accepted(struct fixture *f, size_t n)
{
        turns(f, n, 60000);
        assert_int_equal(f->n, n);
}
