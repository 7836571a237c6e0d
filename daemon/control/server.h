/* SPDX-License-Identifier: ISC */
/* The control socket: a Unix socket that splicectl(8) asks.
 *
 * A request is one line, a JSON array of words: ["sessions","web"]. One request a connection. */
#ifndef CONTROL_SERVER_H
#define CONTROL_SERVER_H

#include <stdbool.h>
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
/* Nobody new; who is there gets an answer. The descriptor is not used any more. */
void server_shut(struct server *s);
/* Whether somebody is there. */
bool server_is_busy(const struct server *s);
/* Whoever waits for a reply is sent away. NULL is fine. */
void server_free(struct server *s);

#endif
