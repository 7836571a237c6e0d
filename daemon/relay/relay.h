/* SPDX-License-Identifier: ISC */
/* Two streams joined: what one sends the other receives, an end is passed on as an end, a cut as a
 * cut. The closing rules of spliced are the table in relay.c. */
#ifndef RELAY_RELAY_H
#define RELAY_RELAY_H

#include <stdbool.h>
#include <stdint.h>

#include "net/stream.h"
#include "relay/pump.h"

struct io;
struct pulse;
struct relay;
struct stats_set;

enum relay_side { RELAY_CLIENT, RELAY_UPSTREAM };

enum relay_half_close { RELAY_PROPAGATE, RELAY_HOLD, RELAY_CLOSE };
enum relay_truncation { RELAY_TRUNCATION_RESET, RELAY_TRUNCATION_FORWARD };

/* Durations in milliseconds, 0: off. The idle, half-close and write timers restart on progress. */
struct relay_settings {
        enum relay_half_close half_close;
        enum relay_truncation truncation;
        int64_t idle_ms, half_close_ms, write_ms;
        int64_t busy_poll_us; /* what a beat of relay_set_pulse() wishes for */
        uint32_t
                high_water; /* octets queued towards a leg that stop the other leg's reading; > 0 */
        struct stats_set *stats; /* where octets are counted while they move; NULL: nowhere */
};

enum relay_outcome {
        RELAY_ENDED,     /* both directions were ended and everything was passed on */
        RELAY_TRUNCATED, /* side ended without close_notify */
        RELAY_RESET,     /* side reset, or is gone */
        RELAY_BROKEN,    /* side sent a fatal alert or a bad record */
        RELAY_IDLE_TIMEOUT,
        RELAY_HALF_CLOSE_TIMEOUT,
        RELAY_WRITE_TIMEOUT, /* side did not take its octets */
        RELAY_NO_MEMORY,     /* for a timer */
};

struct relay_result {
        enum relay_outcome outcome;
        enum relay_side side;        /* who ended first (ENDED), or whose doing it was */
        enum stream_close_how close; /* how both legs are to be closed now */
        const char *detail;          /* in words, borrowed; NULL when there is nothing to add */
};

/* For the record and for people who ask; octets are those given to the receiving side's kernel. */
struct relay_stats {
        uint64_t bytes_up, bytes_down; /* client → upstream, upstream → client */
        int64_t half_closed_ms;        /* from the first end to the last; 0: never half-closed */
        bool half_closed;              /* and it still is */
        const char *path; /* which pump moved them: "buffer", "splice", "tls", "ktls"; static */
};

/* How far a relay has got, for another one to go on from there. Times are clock_us() and
 * clock_ms(), which all processes of a machine share. */
struct relay_state {
        enum relay_outcome outcome;  /* as far as it is known */
        enum relay_side side, first; /* whose doing; who ended first, if `ended` */
        bool cutting;                /* a leg was cut */
        bool ended, half_closed;
        int64_t ended_us, progress_ms;
        struct {
                enum pump_state state;
                uint64_t moved;   /* octets, those that are queued included */
                size_t allowance; /* octets; PUMP_NO_LIMIT */
        } pumps[2];               /* by source */
};

/* Runs once, from relay_start() or from the event loop. The relay may be freed from inside, the
 * streams may not: their callbacks are still on the stack. */
typedef void relay_done_fn(const struct relay_result *result, void *arg);

/* Joins two streams, both direct or both buffered, both borrowed: they must outlive the relay.
 * settings and io, which keeps account of the memory that octets wait in, are borrowed too. Returns
 * NULL when memory is short. */
struct relay *relay_new(struct io *io, struct stream *client, struct stream *upstream,
                        const struct relay_settings *settings, relay_done_fn *done, void *arg);
/* Before relay_start(): tell pulse, which is borrowed, whenever something moved. */
void relay_set_pulse(struct relay *r, struct pulse *pulse);
void relay_start(struct relay *r);
/* To go on elsewhere: what has arrived is put into the queue of whom it is for, and nothing is
 * moved any more. Free the relay next, and then release the streams. */
void relay_save(struct relay *r, struct relay_state *state);
/* Before relay_start(), with streams that were resumed: go on from there. */
void relay_resume(struct relay *r, const struct relay_state *state);
void relay_stats(const struct relay *r, struct relay_stats *out);
/* NULL is fine. The streams are left as they are: who owns them closes them. */
void relay_free(struct relay *r);

#endif
