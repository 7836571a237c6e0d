/* SPDX-License-Identifier: ISC */
/* Notices resets on sockets that nobody reads.
 *
 * libevent drops a descriptor from epoll when neither reading nor writing is wanted, so a peer that
 * resets while we are paused would go unnoticed; asking for EV_CLOSED alone does not help, since
 * EPOLLERR is reported as EV_READ|EV_WRITE. One private epoll instance a worker watches for
 * EPOLLERR alone, edge-triggered: no wakeup for data, none twice for the same reset. */
#ifndef NET_HANGUP_H
#define NET_HANGUP_H

#include <stdbool.h>

struct event_base;
struct hangup;
struct hangup_watch;

typedef void hangup_fn(int error, void *arg); /* error: SO_ERROR, for example ECONNRESET; never 0 */

/* Returns NULL with errno set. Outlives its watches. */
struct hangup *hangup_new(struct event_base *base);
void hangup_free(struct hangup *h);

/* A watch lives inside its owner. Zero-initialised it watches nothing. The callback may free the
 * owner. Adding twice does nothing. Remove before the descriptor is closed; removing twice is fine.
 * hangup_watch_add returns false when the kernel refuses (memory, limits): a reset is then noticed
 * at the next read or write. */
struct hangup_watch {
        struct hangup *on;
        int fd;
        hangup_fn *fn;
        void *arg;
        struct hangup_watch *next_ready; /* while a batch of events is handed out */
        bool ready;
};
bool hangup_watch_add(struct hangup *h, struct hangup_watch *w, int fd, hangup_fn *fn, void *arg);
void hangup_watch_remove(struct hangup_watch *w);

#endif
