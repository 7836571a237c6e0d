/* SPDX-License-Identifier: ISC */
/* Options of TCP sockets: which they are, and when each is worth its system call. */
#ifndef NET_SOCKOPT_H
#define NET_SOCKOPT_H

#include <stdbool.h>

#include "base/addr.h"

struct text;

/* For one socket. TCP_NODELAY and SO_KEEPALIVE are set on every one besides, sooner or
 * later. */
struct sockopts {
        const char *congestion;      /* the algorithm to use from the start; NULL: the system's */
        const char *bulk_congestion; /* the one to change to once the socket is busy; NULL: none */
        bool keepalive_later;        /* the other side is on this machine: it does not vanish */
};

/* What is configured, by where the other side is. Borrowed strings; immutable. */
struct sockopt_sets {
        struct sockopts loopback, elsewhere;
};

/* congestion as configured: "auto", "system" or the name of an algorithm; borrowed. */
struct sockopt_sets sockopt_sets(const char *congestion);

/* The set for a connection with (or a listener on) that address; NULL: it is not TCP, there is
 * nothing to set. Borrowed from sets; sets may be NULL: the system's congestion control. */
const struct sockopts *sockopts_for(const struct sockopt_sets *sets,
                                    const struct sockaddress *address);

/* A connecting socket: what cannot wait. Returns 0 or errno. */
int sockopt_begin(int fd, const struct sockopts *set);

/* The rest of a connecting socket's options, which short connections can do without: to be called
 * before its second send. Mistakes do no harm: a connection works without them, too. set NULL:
 * nothing is done. */
void sockopt_tune(int fd, const struct sockopts *set);

/* A listening socket: everything, accepted ones inherit it. Returns 0 or errno. */
int sockopt_listen(int fd, const struct sockopts *set);

/* Whether this kernel lets this process use that algorithm: 0, ENOENT (it has none of that name) or
 * another errno (EPERM: reserved to CAP_NET_ADMIN). */
int sockopt_congestion_try(const char *name);
/* Appends the names of those it has ("reno, cubic"), for a message. */
void sockopt_congestion_offered(struct text *out);

/* Whether anybody may use it, not only CAP_NET_ADMIN. */
bool sockopt_congestion_for_all(const char *name);

#endif
