/* SPDX-License-Identifier: ISC */
#include "net/hangup.h"

#include <assert.h>
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <event2/event.h>

#include "base/own.h"

enum { BATCH = 64 };

struct hangup {
        int epoll;
        struct event *event;
        struct hangup_watch *ready; /* noticed, not yet told: a callback may remove any of them */
};

static int take_socket_error(int fd)
{
        int error = 0;
        socklen_t len = sizeof error;
        if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) < 0)
                return errno;
        return error;
}

static void collect(struct hangup *h, const struct epoll_event *events, int n)
{
        for (int i = 0; i < n; i++) {
                struct hangup_watch *w = events[i].data.ptr;
                /* EPOLLHUP alone only says that both directions have been shut down. */
                if ((events[i].events & EPOLLERR) == 0)
                        continue;
                w->ready = true;
                w->next_ready = h->ready;
                h->ready = w;
        }
}

static void on_ready(evutil_socket_t fd, short what, void *arg)
{
        (void)what;
        struct hangup *h = arg;
        struct epoll_event events[BATCH];
        collect(h, events, epoll_wait((int)fd, events, BATCH, 0));
        while (h->ready != NULL) {
                struct hangup_watch *w = h->ready;
                h->ready = w->next_ready;
                w->ready = false;
                int error = take_socket_error(w->fd);
                if (error != 0)
                        w->fn(error, w->arg);
        }
}

struct hangup *hangup_new(struct event_base *base)
{
        struct hangup *h = calloc(1, sizeof *h);
        if (h == NULL)
                return NULL;
        h->epoll = epoll_create1(EPOLL_CLOEXEC);
        if (h->epoll >= 0)
                h->event = event_new(base, h->epoll, EV_READ | EV_PERSIST, on_ready, h);
        if (h->event == NULL || event_add(h->event, NULL) < 0) {
                hangup_free(h);
                return NULL;
        }
        return h;
}

void hangup_free(struct hangup *h)
{
        if (h == NULL)
                return;
        if (h->event != NULL)
                event_free(h->event);
        own_close(&h->epoll);
        free(h);
}

bool hangup_watch_add(struct hangup *h, struct hangup_watch *w, int fd, hangup_fn *fn, void *arg)
{
        if (w->on != NULL)
                return true;
        struct epoll_event event = { .events = EPOLLET, .data.ptr = w };
        if (epoll_ctl(h->epoll, EPOLL_CTL_ADD, fd, &event) < 0)
                return false;
        *w = (struct hangup_watch){ .on = h, .fd = fd, .fn = fn, .arg = arg };
        return true;
}

static void forget_ready(struct hangup *h, struct hangup_watch *w)
{
        struct hangup_watch **link = &h->ready;
        while (*link != w) {
                assert(*link != NULL);
                link = &(*link)->next_ready;
        }
        *link = w->next_ready;
}

void hangup_watch_remove(struct hangup_watch *w)
{
        if (w->on == NULL)
                return;
        if (w->ready)
                forget_ready(w->on, w);
        epoll_ctl(w->on->epoll, EPOLL_CTL_DEL, w->fd, NULL);
        *w = (struct hangup_watch){ .fd = -1 };
}
