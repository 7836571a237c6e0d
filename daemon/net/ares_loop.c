/* SPDX-License-Identifier: ISC */
#include "net/ares_loop.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/queue.h>

#include <event2/event.h>
#include <event2/event_struct.h>

#include "base/own.h"

/* A socket of c-ares's. */
struct watched {
        struct ares_loop *loop;
        ares_socket_t fd;
        struct event event;
        LIST_ENTRY(watched) link;
};

struct ares_loop {
        struct event_base *base;
        ares_channel channel;
        struct event timer;
        LIST_HEAD(watched_list, watched) sockets;
};

/* c-ares is told of time only by being called when the next of its timeouts is due. */
static void rearm(struct ares_loop *l)
{
        struct timeval tv;
        if (ares_timeout(l->channel, NULL, &tv) == NULL) {
                evtimer_del(&l->timer);
                return;
        }
        /* What is left is rounded down: without the extra we would be called too early, and again
         * and again for the rest of a millisecond. */
        static const struct timeval extra = { .tv_usec = 1000 };
        evutil_timeradd(&tv, &extra, &tv);
        evtimer_add(&l->timer, &tv);
}

static void process(struct ares_loop *l, ares_socket_t readable, ares_socket_t writable)
{
        ares_process_fd(l->channel, readable, writable);
        rearm(l);
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
        (void)fd;
        (void)what;
        process(arg, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
}

/* c-ares may be done with the socket while it works on it: w can be gone when process() returns. */
static void on_socket(evutil_socket_t fd, short what, void *arg)
{
        struct watched *w = arg;
        process(w->loop, what & EV_READ ? fd : ARES_SOCKET_BAD,
                what & EV_WRITE ? fd : ARES_SOCKET_BAD);
}

static struct watched *find_socket(struct ares_loop *l, ares_socket_t fd)
{
        struct watched *w;
        LIST_FOREACH (w, &l->sockets, link) {
                if (w->fd == fd)
                        return w;
        }
        return NULL;
}

static struct watched *add_socket(struct ares_loop *l, ares_socket_t fd)
{
        struct watched *w = calloc(1, sizeof *w);
        if (w == NULL)
                return NULL;
        w->loop = l;
        w->fd = fd;
        event_assign(&w->event, l->base, fd, 0, on_socket, w);
        LIST_INSERT_HEAD(&l->sockets, w, link);
        return w;
}

static void drop_socket(struct watched *w)
{
        event_del(&w->event);
        LIST_REMOVE(w, link);
        free(w);
}

/* Called by c-ares with what it wants to know of a socket, and with neither before it closes it.
 * When memory is short the socket goes unwatched and the lookup ends by its own timeout. */
static void on_socket_state(void *arg, ares_socket_t fd, int readable, int writable)
{
        struct ares_loop *l = arg;
        struct watched *w = find_socket(l, fd);
        if (!readable && !writable) {
                if (w != NULL)
                        drop_socket(w);
                return;
        }
        if (w == NULL && (w = add_socket(l, fd)) == NULL)
                return;
        short what = (short)((readable ? EV_READ : 0) | (writable ? EV_WRITE : 0) | EV_PERSIST);
        event_del(&w->event);
        event_assign(&w->event, l->base, fd, what, on_socket, w);
        event_add(&w->event, NULL);
}

static int open_channel(struct ares_loop *l, const struct ares_options *options, int optmask,
                        const char *servers)
{
        struct ares_options o = *options;
        o.sock_state_cb = on_socket_state;
        o.sock_state_cb_data = l;
        int status = ares_init_options(&l->channel, &o, optmask | ARES_OPT_SOCK_STATE_CB);
        if (status == ARES_SUCCESS && servers != NULL)
                status = ares_set_servers_ports_csv(l->channel, servers);
        return status;
}

/* ares_library_init() is left out: it does nothing on Unix, and it is not safe between threads. */
struct ares_loop *ares_loop_new(struct event_base *base, const struct ares_options *options,
                                int optmask, const char *servers)
{
        struct ares_loop *l = calloc(1, sizeof *l);
        if (l == NULL)
                return NULL;
        l->base = base;
        LIST_INIT(&l->sockets);
        evtimer_assign(&l->timer, base, on_timer, l);
        int status = open_channel(l, options, optmask, servers);
        if (status != ARES_SUCCESS) {
                ares_loop_free(l);
                errno = status == ARES_ENOMEM ? ENOMEM : status == ARES_EFILE ? EIO : EINVAL;
                return NULL;
        }
        return l;
}

void ares_loop_free(struct ares_loop *l)
{
        if (l == NULL)
                return;
        if (l->channel != NULL)
                ares_destroy(TAKE(l->channel));
        evtimer_del(&l->timer);
        while (!LIST_EMPTY(&l->sockets))
                drop_socket(LIST_FIRST(&l->sockets));
        free(l);
}

void ares_loop_lookup(struct ares_loop *l, const char *host, ares_addrinfo_callback fn, void *arg)
{
        const struct ares_addrinfo_hints hints = { .ai_family = AF_UNSPEC,
                                                   .ai_socktype = SOCK_STREAM };
        ares_getaddrinfo(l->channel, host, NULL, &hints, fn, arg);
        rearm(l);
}
