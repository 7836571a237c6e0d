/* SPDX-License-Identifier: ISC */
/* The sockets that listen already, for a new configuration to keep: closing one and opening it
 * again would turn away whoever waits in its queue. */
#ifndef NET_LSOCK_SET_H
#define NET_LSOCK_SET_H

#include "net/lsock.h"

struct lsock_set {
        struct lsock_kept *items; /* ordered by address */
        size_t n;
};

/* Copies the pointers; the sockets are borrowed and outlive the set. Returns false when memory is
 * short. */
bool lsock_set_init(struct lsock_set *set, struct lsock *const *socks, size_t n);
void lsock_set_fini(struct lsock_set *set);

/* The one that listens on a for this service, each at most once; a reference, or NULL: none. Port 0
 * means the port that the service got when it asked for any; other ports may move from one service
 * to another. */
struct lsock *lsock_set_take(struct lsock_set *set, const struct sockaddress *a,
                             const char *service);

/* The next one of this FileDescriptorName; a reference, or NULL: none is left. */
struct lsock *lsock_set_take_passed(struct lsock_set *set, const char *name);

#endif
