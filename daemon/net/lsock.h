/* SPDX-License-Identifier: ISC */
/* Listening sockets: bound here or adopted from systemd. */
#ifndef NET_LSOCK_H
#define NET_LSOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/addr.h"
#include "base/diag.h"

/* One listening socket: non-blocking, close-on-exec. Shared by all workers, immutable. */
struct lsock {
        int fd;
        struct sockaddress
                address;   /* what it is bound to in fact: the port is known after binding port 0 */
        char *unlink_path; /* Unix socket we made: removed when freed; else NULL */
        dev_t unlink_dev;  /* … if the file there is still ours */
        ino_t unlink_ino;
};

/* Unix sockets: who may connect. mode (mode_t)-1, uid (uid_t)-1, gid (gid_t)-1: leave alone. */
struct lsock_settings {
        int backlog; /* 0: the system's largest (SOMAXCONN) */
        mode_t mode;
        uid_t uid;
        gid_t gid;
};

/* Open every socket a configured address stands for (`*:80` is two: IPv4, and IPv6 alone; a host
 * name is one for each of its addresses) and append them to *socks (*n). Mistakes go to diag at
 * origin, naming the address and what to do; returns false then, with nothing appended.
 * SO_REUSEADDR is set, SO_REUSEPORT is not: two daemons on one port is an error. TCP_NODELAY and
 * SO_KEEPALIVE are set here, accepted sockets inherit them. A stale Unix path is replaced only if
 * it is a socket that refuses connections. */
bool lsock_open(const struct addr *a, const struct lsock_settings *settings, struct diag *diag,
                const struct origin *at, struct lsock ***socks, size_t *n);
/* Accept no more: close it, and remove its path. What it was bound to stays known. Idempotent. */
void lsock_close(struct lsock *l);
void lsock_free(struct lsock *l);

#endif
