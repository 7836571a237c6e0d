/* SPDX-License-Identifier: ISC */
#include "worker/acceptor.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <event2/event.h>
#include <event2/event_struct.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/own.h"
#include "net/stream.h"
#include "worker/budget.h"

enum {
        BATCH = 64,        /* connections accepted in one go, so that data is not starved */
        LAST_BATCH = 8192, /* at the end: the longest queue there can be, and not for ever */
        PAUSE_MS = 100,
        WARN_EVERY_MS = 10000,
};

struct listener {
        struct acceptor *acceptor;
        struct service *service;
        const struct lsock *sock;
        struct event event;
};

struct acceptor {
        struct event_base *base;
        struct budget *budget;
        struct listener *listeners;
        size_t n;
        int reserve;
        bool paused, stopped;
        struct event resume;
        int64_t warned_ms;
        accepted_fn *accepted;
        void *arg;
};

static int open_reserve(void)
{
        return open("/dev/null", O_RDONLY | O_CLOEXEC);
}

static void warn_paused(struct acceptor *a, int error)
{
        int64_t now = clock_ms();
        if (a->warned_ms != 0 && now - a->warned_ms < WARN_EVERY_MS)
                return;
        a->warned_ms = now;
        log_warning("accepting pauses: %s (raise LimitNOFILE=, or lower max-connections)",
                    strerror(error));
}

static void pause_accepting(struct acceptor *a, int error)
{
        if (a->stopped || a->paused)
                return;
        warn_paused(a, error);
        a->paused = true;
        for (size_t i = 0; i < a->n; i++)
                event_del(&a->listeners[i].event);
        struct timeval in = clock_timeval(PAUSE_MS);
        evtimer_add(&a->resume, &in);
}

static void on_resume(evutil_socket_t fd, short what, void *arg)
{
        (void)fd;
        (void)what;
        struct acceptor *a = arg;
        if (a->reserve < 0)
                a->reserve = open_reserve();
        if (a->reserve < 0 || !budget_has(a->budget, 1)) {
                struct timeval in = clock_timeval(PAUSE_MS);
                evtimer_add(&a->resume, &in);
                return;
        }
        a->paused = false;
        for (size_t i = 0; i < a->n; i++)
                event_add(&a->listeners[i].event, NULL);
}

int acceptor_relief(void *acceptor)
{
        struct acceptor *a = acceptor;
        if (a->reserve < 0)
                return -1;
        own_close(&a->reserve);
        pause_accepting(a, EMFILE);
        return 0;
}

/* Errors that belong to the one connection that failed, not to the listener (accept(2)). */
static bool concerns_one_connection(int error)
{
        return error == ECONNABORTED || error == EPROTO || error == ENETDOWN || error == EPERM ||
               error == ENOPROTOOPT || error == EHOSTDOWN || error == ENONET ||
               error == EHOSTUNREACH || error == EOPNOTSUPP || error == ENETUNREACH ||
               error == EINTR;
}

static void accept_batch(struct listener *l, int most)
{
        struct acceptor *a = l->acceptor;
        int needed = service_descriptors(l->service);
        for (int i = 0; i < most; i++) {
                if (!budget_has(a->budget, needed)) {
                        pause_accepting(a, EMFILE);
                        return;
                }
                struct sockaddress client = { .len = sizeof client.storage };
                int fd =
                        accept4(l->sock->fd, &client.sa, &client.len, SOCK_NONBLOCK | SOCK_CLOEXEC);
                if (fd >= 0) {
                        a->accepted(l->service, l->sock, &client, &fd, a->arg);
                        stream_close_fd(&fd, STREAM_CLOSE_RESET);
                        if (a->paused)
                                return;
                } else if (errno == EAGAIN) {
                        return;
                } else if (!concerns_one_connection(errno)) {
                        pause_accepting(a, errno);
                        return;
                }
        }
}

static void on_listener_ready(evutil_socket_t fd, short what, void *arg)
{
        (void)fd;
        (void)what;
        accept_batch(arg, BATCH);
}

static void add_listener(struct acceptor *a, struct service *service, const struct lsock *sock)
{
        struct listener *l = &a->listeners[a->n++];
        *l = (struct listener){ .acceptor = a, .service = service, .sock = sock };
        event_assign(&l->event, a->base, sock->fd, EV_READ | EV_PERSIST, on_listener_ready, l);
}

static size_t count_sockets(const struct snapshot *snapshot)
{
        size_t n = 0;
        for (size_t i = 0; i < snapshot->n_services; i++)
                n += snapshot->services[i]->n_socks;
        return n;
}

struct acceptor *acceptor_new(struct event_base *base, const struct snapshot *snapshot,
                              struct budget *budget, accepted_fn *accepted, void *arg)
{
        struct acceptor *a = calloc(1, sizeof *a);
        if (a == NULL)
                return NULL;
        *a = (struct acceptor){
                .base = base,
                .budget = budget,
                .accepted = accepted,
                .arg = arg,
                .paused = true,
        };
        evtimer_assign(&a->resume, base, on_resume, a);
        a->reserve = open_reserve();
        a->listeners = calloc(count_sockets(snapshot), sizeof *a->listeners);
        if (a->reserve < 0 || a->listeners == NULL) {
                acceptor_free(a);
                return NULL;
        }
        for (size_t i = 0; i < snapshot->n_services; i++) {
                struct service *s = snapshot->services[i];
                for (size_t j = 0; j < s->n_socks; j++)
                        add_listener(a, s, s->socks[j]);
        }
        on_resume(-1, 0, a);
        return a;
}

void acceptor_stop(struct acceptor *a)
{
        if (a->stopped)
                return;
        a->stopped = true;
        a->paused = false; /* there is no later: take what there are descriptors for */
        evtimer_del(&a->resume);
        for (size_t i = 0; i < a->n; i++) {
                event_del(&a->listeners[i].event);
                accept_batch(&a->listeners[i], LAST_BATCH);
        }
}

void acceptor_free(struct acceptor *a)
{
        if (a == NULL)
                return;
        for (size_t i = 0; i < a->n; i++)
                event_del(&a->listeners[i].event);
        evtimer_del(&a->resume);
        own_close(&a->reserve);
        free(a->listeners);
        free(a);
}
