/* SPDX-License-Identifier: ISC */
/* Taking over from the daemon whose successor this one is: its listening sockets before there is a
 * configuration to run, its connections once that one runs.
 *
 * It is either still there and at the other end of a channel, or it has left everything with the
 * service manager. */
#ifndef CONTROL_PREDECESSOR_H
#define CONTROL_PREDECESSOR_H

#include <stdbool.h>

#include "base/diag.h"
#include "conn/parcel.h"
#include "net/lsock_set.h"

struct event_base;
struct predecessor;

/* Whom this process succeeds; *out is NULL: nobody. Returns false, and diag says why, when it does
 * and cannot: it would find its addresses in use. */
bool predecessor_find(struct predecessor **out, struct diag *diag);
void predecessor_free(struct predecessor *p); /* NULL is fine: what was not taken is reset */

/* The sockets it listens on, to be kept rather than opened; borrowed, NULL for nobody. */
struct lsock_set *predecessor_sockets(struct predecessor *p);

/* Whether it is still there, and so the service manager's until predecessor_end_fn. */
bool predecessor_is_there(const struct predecessor *p);

/* A connection to be gone on with, which is taken, or reset. */
typedef void predecessor_parcel_fn(struct parcel *parcel, void *arg);
/* All have come, or none comes any more; n of them. */
typedef void predecessor_end_fn(size_t n, void *arg);

/* This process accepts: the predecessor is to leave. Both functions run from the event loop. */
void predecessor_follow(struct predecessor *p, struct event_base *base,
                        predecessor_parcel_fn *parcel, predecessor_end_fn *end, void *arg);

#endif
