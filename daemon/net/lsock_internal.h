/* SPDX-License-Identifier: ISC */
/* What the kinds of listening sockets share. */
#ifndef NET_LSOCK_INTERNAL_H
#define NET_LSOCK_INTERNAL_H

#include "net/lsock.h"

/* One address being opened: what was asked for, where mistakes go, and what has been opened. */
struct lsock_request {
        const struct addr *addr;
        const struct lsock_settings *settings;
        struct diag *diag;
        const struct origin *at;
        struct lsock **socks; /* owned */
        size_t n;
};

/* Each returns false when something is wrong and has been told; what was opened until then stays in
 * the request. */
bool lsock_open_host(struct lsock_request *r);
bool lsock_open_unix(struct lsock_request *r);
bool lsock_open_systemd(struct lsock_request *r);

/* A mistake, after `listen ADDRESS: `. Returns false. */
bool lsock_wrong(struct lsock_request *r, const char *format, ...)
        __attribute__((format(printf, 2, 3)));

/* Append one: the reference becomes the request's, and is given up when memory is short (false). */
bool lsock_append(struct lsock_request *r, struct lsock *l);
/* Append a new one with this socket and return it; it stays the request's. *fd moves into it. NULL:
 * memory is short; *fd is still the caller's. */
struct lsock *lsock_append_new(struct lsock_request *r, int *fd);
/* Give it another socket on the same address. *fd moves into it; false: memory is short. */
bool lsock_add(struct lsock *l, int *fd);

/* Fill in what the socket is bound to. Returns 0 or errno. */
int lsock_learn_address(struct lsock *l);

/* What every connection that is accepted inherits from the socket at that address. Returns 0 or
 * errno. */
int lsock_set_inherited(int fd, const struct sockaddress *a, const struct lsock_settings *settings);

/* Who may connect to a path, as far as the settings say. Return 0 or errno. */
int lsock_set_owner(const char *path, const struct lsock_settings *settings);
int lsock_set_mode(const char *path, const struct lsock_settings *settings);

/* Returns 0 or errno. */
int lsock_listen(int fd, const struct lsock_settings *settings);

#endif
