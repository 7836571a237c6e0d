/* SPDX-License-Identifier: ISC */
/* Signs of life of an event loop's connections, for a loop that does not go to sleep at once: who
 * has just said something is likely to be answered soon. Belongs to one thread. */
#ifndef BASE_PULSE_H
#define BASE_PULSE_H

#include <stdbool.h>
#include <stdint.h>

struct pulse {
        unsigned alive;   /* connections that beat */
        int64_t wish_us;  /* the longest wish since pulse_awake() was last asked; 0: no beat */
        int64_t until_us; /* clock_us: stay awake until then; 0: sleep */
};

/* A connection begins to beat, and ends. */
static inline void pulse_begin(struct pulse *p)
{
        p->alive++;
}
static inline void pulse_end(struct pulse *p)
{
        p->alive--;
}

/* Something moved on a connection that wishes for the loop to stay awake that long. */
static inline void pulse_beat(struct pulse *p, int64_t us)
{
        if (p->wish_us < us)
                p->wish_us = us;
}

/* Whether the loop is to look again without sleeping. No clock is read before the first beat. */
bool pulse_awake(struct pulse *p);

#endif
