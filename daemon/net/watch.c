/* SPDX-License-Identifier: ISC */
#include "net/watch.h"

#include <stdlib.h>
#include <sys/epoll.h>

#include <event2/event.h>

#include "base/own.h"

enum { BATCH = 256 }; /* sockets told in one turn of the loop; those beyond wait for the next */

struct watcher {
        int epoll;
        struct event *event;
        int next, n; /* of the batch: those not told yet; a callback may remove any of them */
        struct epoll_event batch[BATCH];
};

static void on_ready(evutil_socket_t fd, short what, void *arg)
{
        (void)what;
        struct watcher *r = arg;
        r->n = epoll_wait((int)fd, r->batch, BATCH, 0);
        r->next = 0;
        while (r->next < r->n) {
                struct epoll_event *e = &r->batch[r->next++];
                struct watch *w = e->data.ptr;
                if (w != NULL)
                        w->fn(w, e->events);
        }
}

struct watcher *watcher_new(struct event_base *base)
{
        struct watcher *r = calloc(1, sizeof *r);
        if (r == NULL)
                return NULL;
        r->epoll = epoll_create1(EPOLL_CLOEXEC);
        if (r->epoll >= 0)
                r->event = event_new(base, r->epoll, EV_READ | EV_PERSIST, on_ready, r);
        if (r->event == NULL || event_add(r->event, NULL) < 0) {
                watcher_free(r);
                return NULL;
        }
        return r;
}

void watcher_free(struct watcher *watcher)
{
        if (watcher == NULL)
                return;
        if (watcher->event != NULL)
                event_free(watcher->event);
        own_close(&watcher->epoll);
        free(watcher);
}

bool watch_add(struct watcher *watcher, struct watch *w, int fd)
{
        struct epoll_event event = { .events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET,
                                     .data.ptr = w };
        return epoll_ctl(watcher->epoll, EPOLL_CTL_ADD, fd, &event) == 0;
}

void watch_remove(struct watcher *watcher, const struct watch *w, int fd)
{
        if (fd >= 0)
                epoll_ctl(watcher->epoll, EPOLL_CTL_DEL, fd, NULL);
        for (int i = watcher->next; i < watcher->n; i++) {
                if (watcher->batch[i].data.ptr == w)
                        watcher->batch[i].data.ptr = NULL;
        }
}
