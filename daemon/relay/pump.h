/* SPDX-License-Identifier: ISC */
/* A pump moves one direction's octets from a stream to a stream, within a bound. */
#ifndef RELAY_PUMP_H
#define RELAY_PUMP_H

#include <stdbool.h>
#include <stdint.h>

#include "net/stream.h"

enum pump_state {
        PUMP_FLOWING,  /* the source may send more */
        PUMP_DRAINING, /* the source has ended, or its allowance is used up; dst may hold octets */
        PUMP_DONE,     /* and the end was passed on, after everything */
        PUMP_FAILED,   /* nobody is there to receive: what the source sends is thrown away */
};

struct pump {
        struct stream *src, *dst;
        enum pump_state state;
        bool reading;        /* what src was last told by stream_want_read() */
        uint64_t moved;      /* octets put into dst's queue */
        size_t allowance;    /* octets that may still be taken; PUMP_NO_LIMIT: all */
        uint64_t seen_given; /* pump_given() when progress was last looked for */
        int64_t written_ms;  /* when dst last took octets, or began to have some (clock_ms) */
};

#define PUMP_NO_LIMIT SIZE_MAX

void pump_init(struct pump *p, struct stream *src, struct stream *dst);

/* Move what can be moved with at most high_water octets queued in dst, and follow the source's end.
 */
void pump_run(struct pump *p, size_t high_water);

/* Take no more than what has arrived by now. */
void pump_limit(struct pump *p);

/* Pass the end on, after everything queued; PUMP_DONE once that has happened. */
void pump_pass_end(struct pump *p);

/* Nothing is left that src sent and that dst's kernel has not been given (delivered), or that dst's
 * peer has not acknowledged (acknowledged); a failed pump has nothing left. */
bool pump_delivered(const struct pump *p);
bool pump_acknowledged(const struct pump *p);

/* Octets that dst's kernel was given. */
uint64_t pump_given(const struct pump *p);

/* Tell src whether to read on. */
void pump_update_interest(struct pump *p, size_t high_water);

#endif
