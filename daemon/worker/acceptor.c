/* SPDX-License-Identifier: ISC */
#include "worker/acceptor.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <event2/event.h>
#include <event2/event_struct.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/own.h"
#include "net/lsock_gate.h"
#include "net/stream.h"
#include "stats/counter.h"
#include "worker/batch.h"
#include "worker/budget.h"

enum {
        LAST_BATCH = 8192, /* at the end: the longest queue there can be, and not for ever */
        PAUSE_MS = 100,
        WARN_EVERY_MS = 10000,
};

struct listener {
        struct acceptor *acceptor;
        struct service *service;
        struct service *next; /* acceptor_change(): whose it is going to be; NULL: nobody's */
        const struct lsock *sock;
        struct batch batch;
        unsigned turn; /* in which it was ready last */
        size_t n_events;
        struct event events[]; /* one; several where there are more sockets than workers */
};

struct acceptor {
        struct event_base *base;
        struct budget *budget;
        size_t worker, n_workers;
        unsigned turn;               /* of the loop */
        struct listener **listeners; /* ordered by sock */
        size_t n;
        int reserve;
        bool paused, stopped;
        struct event resume;
        int64_t warned_ms;
        struct counter *pauses; /* NULL: nobody counts */
        accepted_fn *accepted;
        void *arg;
};

static int open_reserve(void)
{
        return open("/dev/null", O_RDONLY | O_CLOEXEC);
}

static void listen_on(struct listener *l)
{
        for (size_t i = 0; i < l->n_events; i++)
                event_add(&l->events[i], NULL);
}

static void listen_no_more(struct listener *l)
{
        for (size_t i = 0; i < l->n_events; i++)
                event_del(&l->events[i]);
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
        if (a->pauses != NULL)
                counter_add(a->pauses, 1);
        a->paused = true;
        for (size_t i = 0; i < a->n; i++)
                listen_no_more(a->listeners[i]);
        struct timeval in = clock_timeval(PAUSE_MS);
        evtimer_add(&a->resume, &in);
}

static void accept_from_now_on(struct listener *l)
{
        if (!l->acceptor->paused && lsock_is_open(l->sock))
                listen_on(l);
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
                accept_from_now_on(a->listeners[i]);
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

enum accepting {
        ACCEPT_MORE,  /* as many as were asked for: there may be more */
        ACCEPT_EMPTY, /* nobody is left */
        ACCEPT_PAUSE, /* no more for now */
};

/* One connection, from one of the listener's sockets. Returns ACCEPT_MORE also when it had failed
 * already. */
static enum accepting accept_one(struct listener *l, int from)
{
        struct acceptor *a = l->acceptor;
        struct sockaddress client = { .len = sizeof client.storage };
        int fd = accept4(from, &client.sa, &client.len, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd >= 0) {
                a->accepted(l->service, l->sock, &client, &fd, a->arg);
                stream_close_fd(&fd, STREAM_CLOSE_RESET);
                return a->paused ? ACCEPT_PAUSE : ACCEPT_MORE;
        }
        if (errno == EAGAIN || errno == EINVAL) /* EINVAL: it does not listen any more */
                return ACCEPT_EMPTY;
        if (concerns_one_connection(errno))
                return ACCEPT_MORE;
        pause_accepting(a, errno);
        return ACCEPT_PAUSE;
}

/* Up to most connections, as long as there are descriptors. *n is how many came. */
static enum accepting accept_some(struct listener *l, int from, unsigned most, unsigned *n)
{
        struct acceptor *a = l->acceptor;
        int needed = service_descriptors(l->service);
        for (*n = 0; *n < most; ++*n) {
                if (!budget_has(a->budget, needed)) {
                        pause_accepting(a, EMFILE);
                        return ACCEPT_PAUSE;
                }
                enum accepting result = accept_one(l, from);
                if (result != ACCEPT_MORE)
                        return result;
        }
        return ACCEPT_MORE;
}

static void on_listener_ready(evutil_socket_t fd, short what, void *arg)
{
        (void)what;
        struct listener *l = arg;
        unsigned n, turn = l->acceptor->turn;
        unsigned most = batch_begin(&l->batch, turn - l->turn == 1);
        l->turn = turn;
        switch (accept_some(l, fd, most, &n)) {
        case ACCEPT_MORE:
                batch_filled(&l->batch);
                break;
        case ACCEPT_EMPTY:
                batch_emptied(&l->batch, n);
                break;
        case ACCEPT_PAUSE:
                break;
        }
}

/* From the sockets of the others as well: they may have stopped a moment ago, and the kernel does
 * not know. */
static void accept_rest(struct listener *l)
{
        unsigned n;
        for (size_t i = 0; i < l->sock->n_fds; i++)
                accept_some(l, l->sock->fds[i], LAST_BATCH, &n);
}

/* --- which addresses -------------------------------------------------------------------------- */

static int compare_socks(const void *a, const void *b)
{
        uintptr_t x = (uintptr_t)(*(struct listener *const *)a)->sock;
        uintptr_t y = (uintptr_t)(*(struct listener *const *)b)->sock;
        return (x > y) - (x < y);
}

static struct listener *listener_of(const struct acceptor *a, const struct lsock *sock)
{
        const struct listener key = { .sock = sock }, *wanted = &key;
        struct listener **found = NULL;
        if (a->n > 0)
                found = bsearch(&wanted, a->listeners, a->n, sizeof *found, compare_socks);
        return found != NULL ? *found : NULL;
}

/* Of several sockets each worker has one; of those that another process with more workers had
 * opened, each has its share. */
static struct listener *listener_new(struct acceptor *a, const struct lsock *sock)
{
        size_t n = 1;
        while (a->worker + n * a->n_workers < sock->n_fds)
                n++;
        struct listener *l = malloc(sizeof *l + n * sizeof l->events[0]);
        if (l == NULL)
                return NULL;
        *l = (struct listener){ .acceptor = a, .sock = sock, .n_events = n };
        batch_init(&l->batch);
        for (size_t i = 0; i < n; i++)
                event_assign(&l->events[i], a->base, lsock_fd(sock, a->worker + i * a->n_workers),
                             EV_READ | EV_PERSIST, on_listener_ready, l);
        return l;
}

static size_t count_sockets(const struct snapshot *snapshot)
{
        size_t n = 0;
        for (size_t i = 0; i < snapshot->n_services; i++)
                n += snapshot->services[i]->n_socks;
        return n;
}

/* Every listener is in one of two arrays, or in both: those there are, and those there will be. */
struct change {
        struct listener **listeners;
        size_t n;
};

static bool add_next(struct acceptor *a, struct change *c, struct service *service,
                     const struct lsock *sock)
{
        struct listener *l = listener_of(a, sock);
        if (l == NULL)
                l = listener_new(a, sock);
        if (l == NULL)
                return false;
        l->next = service;
        c->listeners[c->n++] = l;
        return true;
}

static bool prepare(struct acceptor *a, struct change *c, const struct snapshot *snapshot)
{
        c->listeners = calloc(count_sockets(snapshot) + 1, sizeof(struct listener *));
        if (c->listeners == NULL)
                return false;
        for (size_t i = 0; i < snapshot->n_services; i++) {
                struct service *s = snapshot->services[i];
                for (size_t j = 0; j < s->n_socks; j++)
                        if (!add_next(a, c, s, s->socks[j]))
                                return false;
        }
        return true;
}

static void give_up(struct change *c)
{
        for (size_t i = 0; i < c->n; i++) {
                c->listeners[i]->next = NULL;
                if (c->listeners[i]->service == NULL)
                        free(c->listeners[i]);
        }
        free(c->listeners);
}

/* Accepting may come to a pause meanwhile, which concerns all there are: none is freed before every
 * one has been left. */
static void leave_addresses(struct acceptor *a)
{
        for (size_t i = 0; i < a->n; i++) {
                if (a->listeners[i]->next != NULL)
                        continue;
                listen_no_more(a->listeners[i]);
                accept_rest(a->listeners[i]);
        }
        for (size_t i = 0; i < a->n; i++)
                if (a->listeners[i]->next == NULL)
                        free(a->listeners[i]);
        free(a->listeners);
}

static void enter_address(struct listener *l)
{
        bool is_new = l->service == NULL;
        l->service = TAKE(l->next);
        if (is_new)
                accept_from_now_on(l);
}

bool acceptor_change(struct acceptor *a, const struct snapshot *snapshot)
{
        struct change c = { 0 };
        if (a->stopped)
                return true;
        if (!prepare(a, &c, snapshot)) {
                give_up(&c);
                return false;
        }
        leave_addresses(a);
        a->listeners = c.listeners;
        a->n = c.n;
        qsort(a->listeners, a->n, sizeof(struct listener *), compare_socks);
        for (size_t i = 0; i < a->n; i++)
                enter_address(a->listeners[i]);
        return true;
}

/* --- gates ------------------------------------------------------------------------------------ */

void acceptor_look_at_gates(struct acceptor *a)
{
        for (size_t i = 0; i < a->n && !a->stopped; i++) {
                struct listener *l = a->listeners[i];
                if (lsock_is_open(l->sock)) {
                        accept_from_now_on(l);
                        continue;
                }
                listen_no_more(l);
                if (lsock_gate(l->sock) == LSOCK_EMPTYING)
                        accept_rest(l);
        }
}

/* --- its life --------------------------------------------------------------------------------- */

struct acceptor *acceptor_new(struct event_base *base, const struct snapshot *snapshot,
                              size_t worker, struct budget *budget, accepted_fn *accepted,
                              void *arg)
{
        struct acceptor *a = calloc(1, sizeof *a);
        if (a == NULL)
                return NULL;
        *a = (struct acceptor){
                .base = base,
                .worker = worker,
                .n_workers = snapshot->n_workers,
                .budget = budget,
                .accepted = accepted,
                .arg = arg,
                .paused = true,
        };
        evtimer_assign(&a->resume, base, on_resume, a);
        a->reserve = open_reserve();
        if (a->reserve < 0 || !acceptor_change(a, snapshot)) {
                acceptor_free(a);
                return NULL;
        }
        on_resume(-1, 0, a);
        return a;
}

void acceptor_count_pauses(struct acceptor *a, struct counter *pauses)
{
        a->pauses = pauses;
}

void acceptor_turn(struct acceptor *a)
{
        a->turn++;
}

void acceptor_leave(struct acceptor *a)
{
        if (a->stopped)
                return;
        a->stopped = true;
        a->paused = false; /* there is no later: take what there are descriptors for */
        evtimer_del(&a->resume);
        for (size_t i = 0; i < a->n; i++)
                listen_no_more(a->listeners[i]);
}

void acceptor_stop(struct acceptor *a)
{
        if (a->stopped)
                return;
        acceptor_leave(a);
        for (size_t i = 0; i < a->n; i++)
                accept_rest(a->listeners[i]);
}

void acceptor_free(struct acceptor *a)
{
        if (a == NULL)
                return;
        for (size_t i = 0; i < a->n; i++) {
                listen_no_more(a->listeners[i]);
                free(a->listeners[i]);
        }
        evtimer_del(&a->resume);
        own_close(&a->reserve);
        free(a->listeners);
        free(a);
}
