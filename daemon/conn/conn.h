/* SPDX-License-Identifier: ISC */
/* One connection's life: a list of stages, one end, one record. */
#ifndef CONN_CONN_H
#define CONN_CONN_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "conn/reason.h"
#include "net/dial.h"
#include "net/stream.h"
#include "relay/relay.h"
#include "snapshot/snapshot.h"

struct conn;
struct event;
struct event_base;
struct hangup;
struct io;
struct pulse;
struct memory_tide;
struct recent;
struct resolver;
struct text;

/* What a worker lends its connections. */
struct conn_env {
        struct event_base *base;
        struct io *io;
        struct hangup *hangup;
        struct resolver *resolver;
        struct pulse *pulse;        /* NULL: nobody is to know that something moved */
        struct memory_tide *memory; /* NULL: what is freed is not given back */
        struct recent *recent;      /* NULL: nobody is to know how connections ended lately */
        dial_relief_fn *relief;     /* a descriptor is needed to reach an upstream */
        void *relief_arg;
        void (*ended)(struct conn *c, void *arg); /* free it (conn_free), after this loop turn */
        void *ended_arg;
};

struct stage;

/* There are tens of thousands of them, most of them idle: what is not needed for as long as it
 * lives is not here. */
struct conn {
        TAILQ_ENTRY(conn) entry; /* the worker's: living, then dead */
        const struct conn_env *env;
        struct snapshot *snapshot; /* held */
        struct service *service;
        const struct sockaddress *listen; /* the snapshot's, or see own_listen */

        const struct stage *const *stage; /* NULL before the first */
        struct event *stage_timer;        /* NULL: none runs */
        struct event *lifetime;           /* NULL: no max-lifetime */
        int64_t started_us, stage_us;     /* clock_us: the connection, the stage */

        int client_fd; /* the client's socket, whoever owns it now: open until conn_free() */
        int fd;        /* … until a stream has it */
        struct stream *client;
        struct stream *socket; /* the upstream's as the dial brought it */
        struct stream *upstream;
        struct dial *dial;
        const struct addr **order;     /* the targets to try, while there are several; NULL after */
        const struct addr *target;     /* the one reached, or being dialled alone */
        struct dial_attempt *attempts; /* the first; owned */
        struct relay *relay;

        /* For the record. */
        uint64_t id;
        int64_t started_wall_us;
        char *detail;                                           /* owned; NULL: nothing to add */
        int32_t connect_ms, handshake_ms, connect_handshake_ms; /* -1: did not happen */

        enum stream_close_how close : 8;
        enum ended_by ended_by : 8; /* for a reason that leaves it open */
        enum reason why : 8;        /* for a stage that returns STAGE_END */
        bool reached : 1;           /* the upstream, or the built-in */
        bool counted : 1;           /* in the tallies of the service and of all */
        bool own_listen : 1;        /* the address is this connection's */
        bool dead : 1;              /* conn_end() has run */

        uint8_t client_address[]; /* packed */
};
TAILQ_HEAD(conn_list, conn);

/* Takes *fd after success; on NULL (memory) the caller still owns it. listen is borrowed, from the
 * snapshot. counted: the tallies were entered for it, conn_end() leaves them. */
struct conn *conn_new(const struct conn_env *env, struct snapshot *snapshot,
                      struct service *service, const struct sockaddress *listen,
                      const struct sockaddress *client, int *fd, bool counted);

/* Run the stages. The connection may have ended when this returns. */
void conn_start(struct conn *c);

/* End it, now: the stage is left, one record is written, env->ended is told. Once; the last thing a
 * function does. Both legs are closed by conn_free(): with RST, unless the relay ended well. */
void conn_end(struct conn *c, enum reason why);

/* It goes on elsewhere: as conn_end(), but nothing is told of it and nobody records it. What is
 * left of its legs is reset. */
void conn_leave(struct conn *c);

/* For one that has come from elsewhere: which number it had, and since when it is there. */
void conn_was(struct conn *c, uint64_t id, int64_t started_wall_us, int64_t started_us);
/* Its legs and its relay are there: start it. The connection may have ended when this returns. */
void conn_resume(struct conn *c);

/* Numbers of new connections are greater than this. */
void conn_number_after(uint64_t id);
uint64_t conn_last_number(void);

/* The connection as it is, as a JSON object: the record's members without an end, and `phase`,
 * `phase_ms`; with legs also what waits on each and what TCP says of it. On its own thread. */
void conn_add_json(struct text *t, const struct conn *c, bool legs);

/* For whoever looks for some of them, on its own thread: since when it is there, whether one side
 * has ended and the other goes on, and with whom. */
int64_t conn_age_ms(const struct conn *c);
bool conn_is_half_closed(const struct conn *c);
void conn_client_address(const struct conn *c, struct sockaddress *out);
/* len 0: no upstream was reached, or it is built in. */
void conn_upstream_address(const struct conn *c, struct sockaddress *out);

/* After conn_end(), from the event loop, with no callback of the connection on the stack. */
void conn_free(struct conn *c);

#endif
