/* SPDX-License-Identifier: ISC */
/* The control socket: a Unix socket that splicectl(8) asks.
 *
 * A request is one line, a JSON array of words: ["sessions","web"]. One request a connection. */
#ifndef CONTROL_SERVER_H
#define CONTROL_SERVER_H

#include <stddef.h>
#include <sys/types.h>

#include "control/reply.h"

struct event_base;
struct server;

/* Who asks, as the kernel says (SO_PEERCRED). */
struct asker {
        uid_t uid;
        pid_t pid;
};

/* A request: n words, 1 at least, borrowed. The callee owns the reply and ends it, now or later. */
typedef void server_request_fn(const struct asker *who, const char *const *words, size_t n,
                               struct reply *reply, void *arg);

/* fd listens, and is borrowed. NULL: memory is short. */
struct server *server_new(struct event_base *base, int fd, server_request_fn *request, void *arg);
/* Whoever waits for a reply is sent away. NULL is fine. */
void server_free(struct server *s);

#endif
