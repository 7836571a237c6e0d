/* SPDX-License-Identifier: ISC */
/* A pump moves one direction's octets from a stream to a stream, within a bound, and knows how far
 * that direction has got. How octets are moved is its carrier's: over evbuffers (pump_buffer), or
 * between direct streams (pump_direct). */
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

struct pump;

struct pump_carrier {
        /* Move what can be moved, at most p->allowance, and count it with pump_moved(). */
        void (*move)(struct pump *p);
        /* Octets of the source that have left its kernel and are not in dst's queue yet. */
        size_t (*in_hand)(const struct pump *p);
        /* Throw away what has arrived. */
        void (*discard)(struct pump *p);
        /* Whether dst's queue has room for more. */
        bool (*has_room)(const struct pump *p);
        /* Octets that wait in memory; NULL: the streams keep account of theirs themselves. */
        size_t (*waiting)(const struct pump *p);
};

extern const struct pump_carrier pump_buffer, pump_direct;

struct pump {
        struct stream *src, *dst;
        const struct pump_carrier *carrier;
        enum pump_state state;
        bool told, reading;    /* whether src was ever told by stream_want_read(), and what last */
        bool end_follows;      /* the source's end is passed on as soon as it is seen */
        bool bulk;             /* pump_direct: splicing pays at the moment */
        uint8_t short_moves;   /* pump_direct: in a row while it did */
        uint32_t high_water;   /* pump_buffer: octets queued in dst that stop the source */
        uint32_t seen_unacked; /* stream_unacked(dst) when last asked for, for the write timer */
        uint64_t moved;        /* octets put into dst's queue */
        size_t allowance;      /* octets that may still be taken; PUMP_NO_LIMIT: all */
        uint64_t seen_given;   /* pump_given() when progress was last looked for */
        int64_t written_ms;    /* when dst last took octets, or began to have some (clock_ms) */
};

#define PUMP_NO_LIMIT SIZE_MAX

/* high_water: octets queued towards dst that stop the source's reading; > 0. */
void pump_init(struct pump *p, struct stream *src, struct stream *dst, uint32_t high_water);

/* Move what can be moved and follow the source's end. */
void pump_run(struct pump *p);

/* Take no more than what has arrived by now. */
void pump_limit(struct pump *p);

/* Pass the end on, after everything queued; PUMP_DONE once that has happened. */
void pump_pass_end(struct pump *p);

/* The same where dst is going to be closed at once, and close(2) does it. */
void pump_leave_end_to_close(struct pump *p);

/* Everything that src's kernel has been relieved of goes into dst's queue, however much it is. */
void pump_take_in_hand(struct pump *p);

/* Nothing is left that src sent and that dst's kernel has not been given (delivered), or that dst's
 * peer has not acknowledged (acknowledged); a failed pump has nothing left. */
bool pump_delivered(const struct pump *p);
bool pump_acknowledged(const struct pump *p);

/* Octets that dst's kernel was given. */
uint64_t pump_given(const struct pump *p);

/* Tell src whether to read on. The first time it is told in any case: a leg that had sent all it
 * has before anybody looked is to be watched too, for its reset and for room in its socket. */
void pump_update_interest(struct pump *p);

/* For carriers: n octets went from src into dst's queue. */
void pump_moved(struct pump *p, size_t n);

#endif
