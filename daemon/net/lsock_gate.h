/* SPDX-License-Identifier: ISC */
/* Listening sockets that are to let nobody in for a while, without losing who is in already.
 *
 * One thread, the main one, moves the gate; those who accept look at it when they are told to:
 *
 *      OPEN → CLOSING → EMPTYING → REFUSING     sockets of our own on TCP
 *      OPEN ─────────→ EMPTYING → WAITING       Unix sockets, and those of systemd's
 *
 * and from each back to OPEN. */
#ifndef NET_LSOCK_GATE_H
#define NET_LSOCK_GATE_H

#include <stdbool.h>

#include "net/lsock.h"

enum lsock_gate {
        LSOCK_OPEN = 0,
        LSOCK_CLOSING,  /* no handshake begins any more, those under way come to their end */
        LSOCK_EMPTYING, /* who waits in the queue is let in, then accepting stops */
        LSOCK_WAITING,  /* nobody accepts: who connects waits in the queue */
        LSOCK_REFUSING, /* it is bound and does not listen: who connects is refused */
};

static inline enum lsock_gate lsock_gate(const struct lsock *l)
{
        return (enum lsock_gate)atomic_load_explicit(&l->gate, memory_order_acquire);
}

/* Whether there is something to be accepted as it comes. */
static inline bool lsock_is_open(const struct lsock *l)
{
        return lsock_gate(l) <= LSOCK_CLOSING;
}

/* The first step from OPEN. */
void lsock_close_gate(struct lsock *l);
/* From CLOSING, when handshakes have had their time. None comes to its end any more. */
void lsock_begin_emptying(struct lsock *l);
/* From EMPTYING, when everybody who accepts has stopped. Returns false while somebody is in the
 * queue: they have to empty it once more. */
bool lsock_end_emptying(struct lsock *l);
/* From any. Returns 0, or errno with everything as it was: another program may listen there. */
int lsock_open_gate(struct lsock *l, const struct lsock_settings *settings);

#endif
