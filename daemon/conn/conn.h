/* SPDX-License-Identifier: ISC */
/* One connection's life: a list of stages, one end, one record. */
#ifndef CONN_CONN_H
#define CONN_CONN_H

#include <stdbool.h>
#include <sys/queue.h>

#include <event2/event_struct.h>

#include "conn/reason.h"
#include "conn/record.h"
#include "net/dial.h"
#include "net/stream.h"
#include "relay/relay.h"
#include "snapshot/snapshot.h"

struct conn;
struct hangup;
struct io;
struct pulse;
struct resolver;

/* What a worker lends its connections. */
struct conn_env {
        struct event_base *base;
        struct io *io;
        struct hangup *hangup;
        struct resolver *resolver;
        struct pulse *pulse;    /* NULL: nobody is to know that something moved */
        dial_relief_fn *relief; /* a descriptor is needed to reach an upstream */
        void *relief_arg;
        void (*ended)(struct conn *c, void *arg); /* free it (conn_free), after this loop turn */
        void *ended_arg;
};

struct stage;

struct conn {
        TAILQ_ENTRY(conn) entry; /* the worker's: living, then dead */
        const struct conn_env *env;
        struct snapshot *snapshot; /* held */
        struct service *service;
        bool counted; /* in the tallies of the service and of all */
        bool dead;    /* conn_end() has run */

        const struct stage *const *stage; /* NULL before the first */
        struct event stage_timer;
        struct event *lifetime;       /* NULL: no max-lifetime */
        int64_t started_us, stage_us; /* clock_us: the connection, the stage */

        int fd; /* the client's socket until a stream has it */
        struct stream *client;
        struct stream *socket; /* the upstream's as the dial brought it */
        struct stream *upstream;
        enum stream_close_how close;
        struct dial *dial;
        const struct addr **targets; /* in the order to try */
        size_t target;               /* the one reached */
        struct relay *relay;

        enum reason why; /* for a stage that returns STAGE_END */
        char *detail;    /* owned */
        struct record record;
        struct dial_attempt *attempts;
};
TAILQ_HEAD(conn_list, conn);

/* Takes *fd after success; on NULL (memory) the caller still owns it. counted: the tallies were
 * entered for it, conn_end() leaves them. */
struct conn *conn_new(const struct conn_env *env, struct snapshot *snapshot,
                      struct service *service, const struct sockaddress *listen,
                      const struct sockaddress *client, int *fd, bool counted);

/* Run the stages. The connection may have ended when this returns. */
void conn_start(struct conn *c);

/* End it, now: the stage is left, one record is written, env->ended is told. Once; the last thing a
 * function does. Both legs are closed by conn_free(): with RST, unless the relay ended well. */
void conn_end(struct conn *c, enum reason why);

/* After conn_end(), from the event loop, with no callback of the connection on the stack. */
void conn_free(struct conn *c);

#endif
