/* SPDX-License-Identifier: ISC */
/* Listening sockets: bound here or adopted from systemd. */
#ifndef NET_LSOCK_H
#define NET_LSOCK_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/addr.h"
#include "base/diag.h"
#include "base/ref.h"
#include "net/sockopt.h"

/* One listening address: its sockets are non-blocking and close-on-exec. Shared by the
 * configurations that have it, one after the other, and immutable but for its gate. */
struct lsock {
        struct ref ref;
        int *fds; /* one that all workers share, or one for each: the kernel then chooses */
        size_t n_fds;
        struct sockaddress
                address;   /* what it is bound to in fact: the port is known after binding port 0 */
        char *unlink_path; /* Unix socket we made: removed when freed; else NULL */
        dev_t unlink_dev;  /* … if the file there is still ours */
        ino_t unlink_ino;
        bool passed;        /* by systemd, which listens: the backlog is its own */
        char *passed_name;  /* … and under this FileDescriptorName; else NULL */
        char *any_port_of;  /* port 0 was asked for, by this service; else NULL */
        atomic_int gate;    /* see net/lsock_gate */
        int64_t closing_ms; /* clock_ms() when it began to close; whose hands it is in knows */
};

/* Unix sockets: who may connect; mode (mode_t)-1, uid (uid_t)-1, gid (gid_t)-1: leave alone. */
struct lsock_set;
struct lsock_settings {
        int backlog;                        /* 0: the system's largest (SOMAXCONN) */
        size_t workers;                     /* how many will accept; 0 is 1 */
        const struct sockopt_sets *options; /* TCP; may be NULL: as the system has it; borrowed */
        const char *service;       /* for whom; borrowed; NULL: nobody keeps it over a reload */
        bool tries;                /* only find out whether it could be: nothing listens */
        struct lsock_set *running; /* may be kept instead of opened; borrowed; NULL: none */
        mode_t mode;
        uid_t uid;
        gid_t gid;
};

/* Open every socket a configured address stands for (`*:80` is two: IPv4, and IPv6 alone; a host
 * name is one for each of its addresses) and append them to *socks (*n). Mistakes go to diag at
 * origin, naming the address and what to do; returns false then, with nothing appended.
 * One that
 * settings->running has is kept as it is: see lsock_retune(). SO_REUSEADDR is set. A TCP address
 * gets a socket for each worker (SO_REUSEPORT), and yet two daemons on one port is an error. The
 * options of TCP connections are set here, accepted sockets inherit them. A stale Unix path is
 * replaced only if it is a socket that refuses connections. */
bool lsock_open(const struct addr *a, const struct lsock_settings *settings, struct diag *diag,
                const struct origin *at, struct lsock ***socks, size_t *n);
/* It is going to be closed: let nobody new in, while whoever is in the queue can still be accepted.
 * Who connects meanwhile is not answered, and hears on a second try that nobody listens. Sockets of
 * systemd's and Unix sockets stay as they are. */
void lsock_shut(const struct lsock *l);
/* Accept no more: close it, and remove its path. What it was bound to stays known. Idempotent. */
void lsock_close(struct lsock *l);
/* Somebody else goes on with it, from now on the path is theirs. What it was bound to stays known.
 */
void lsock_leave(struct lsock *l);
/* One that another process has left, with all that `as` says, which is taken; NULL (memory): it is
 * not. */
struct lsock *lsock_new_as(const struct lsock *as);
struct lsock *lsock_ref(struct lsock *l);
void lsock_unref(struct lsock *l); /* the last one closes it; NULL is fine */

/* Whether another configuration has it, too. */
static inline bool lsock_is_shared(const struct lsock *l)
{
        return atomic_load_explicit(&l->ref.count, memory_order_relaxed) > 1;
}

/* What can be changed while it listens: backlog, who may connect. Returns 0 or errno. */
int lsock_retune(const struct lsock *l, const struct lsock_settings *settings);

/* The socket that worker number i, from 0, accepts on. */
static inline int lsock_fd(const struct lsock *l, size_t i)
{
        return l->fds[i % l->n_fds];
}

#endif
