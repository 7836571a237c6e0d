/* SPDX-License-Identifier: ISC */
/* A stage of a connection. run_stages() in conn.c alone runs them, so the timer exists once. */
#ifndef CONN_STAGE_H
#define CONN_STAGE_H

#include "conn/conn.h"

enum stage_result {
        STAGE_NEXT, /* nothing to do here, or done already */
        STAGE_WAIT, /* conn_stage_done() or conn_stage_failed() will follow */
        STAGE_END,  /* the connection ends; conn_stage_why() said why */
};

struct stage {
        const char *name;
        enum stage_result (*enter)(struct conn *c);
        /* Cancel what is under way; at any moment after enter, also when it is done. */
        void (*leave)(struct conn *c);
        int64_t (*timeout_ms)(const struct conn *c); /* NULL: none; 0: none */
        enum reason timeout_reason;
        /* When it fails no upstream could be reached: a client that speaks TLS is told so by an
         * alert before the reset. */
        bool alert_client;
};

extern const struct stage stage_client_tls, stage_dial, stage_upstream_tls, stage_relay;

/* The relay between both legs, not started. Returns false when memory is short. */
bool stage_relay_make(struct conn *c);

/* For stages: the next one; or the end. Both are the last thing a function does. */
void conn_stage_done(struct conn *c);
void conn_stage_failed(struct conn *c, enum reason why, const char *detail);

/* Before returning STAGE_END. detail is copied and may be NULL. */
enum stage_result conn_stage_why(struct conn *c, enum reason why, const char *detail);

/* Milliseconds since the stage was entered. */
int32_t conn_stage_ms(const struct conn *c);

/* What its worker counts of its service. */
struct service_stats *conn_stats(const struct conn *c);

/* A TLS handshake, which was the stage, is over: it is counted, and what it needed for itself is
 * free. Returns how long it took, in milliseconds. */
int32_t conn_handshake_done(struct conn *c, enum handshake_side side, bool failed);

/* For conn_end(): the one record, if it is wanted. */
void conn_write_record(struct conn *c, enum reason why, const struct relay_stats *moved);

#endif
