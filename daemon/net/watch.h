/* SPDX-License-Identifier: ISC */
/* Sockets that are watched once and for all: an epoll instance of their own, one a worker, beside
 * libevent's. Of a connection that is idle it costs nothing but the kernel's memory, where libevent
 * has 200 octets a socket; an end, a reset and octets are told apart; and a descriptor that was
 * closed need not be taken out. One more call a turn of the loop, for all sockets together, is the
 * price. */
#ifndef NET_WATCH_H
#define NET_WATCH_H

#include <stdbool.h>
#include <stdint.h>

struct event_base;
struct watch;
struct watcher;

/* what: EPOLLIN, EPOLLOUT, EPOLLRDHUP, EPOLLERR, EPOLLHUP; each is told once, when it begins to be
 * so. The callback may free this owner, or any other. */
typedef void watch_fn(struct watch *w, uint32_t what);

/* Lives inside its owner. */
struct watch {
        watch_fn *fn;
};

/* Returns NULL with errno set. Outlives its watches. */
struct watcher *watcher_new(struct event_base *base);
void watcher_free(struct watcher *watcher); /* NULL is fine */

/* fd is borrowed, and in no other file table. What is so already is told, too. Returns false when
 * the kernel refuses (memory, limits). */
bool watch_add(struct watcher *watcher, struct watch *w, int fd);

/* Before its owner is freed; no callback runs any more. fd is -1 when it was closed before, which
 * is cheaper. */
void watch_remove(struct watcher *watcher, const struct watch *w, int fd);

#endif
