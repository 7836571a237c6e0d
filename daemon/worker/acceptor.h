/* SPDX-License-Identifier: ISC */
/* Accepting for one worker: in batches, and not at all while descriptors are short.
 *
 * A reserve descriptor is held, so that a connection that was accepted can still reach its upstream
 * when the limit is hit. While the reserve is out, or accept(2) itself ran into the limit,
 * accepting pauses: who connects waits in the kernel's queue. */
#ifndef WORKER_ACCEPTOR_H
#define WORKER_ACCEPTOR_H

#include "base/addr.h"
#include "snapshot/snapshot.h"

struct event_base;
struct acceptor;
struct budget;
struct counter;

/* A client has connected. *fd is owned by the callee when it takes it; what it leaves is closed. */
typedef void accepted_fn(struct service *service, const struct lsock *sock,
                         const struct sockaddress *client, int *fd, void *arg);

/* Accepts on every address of the snapshot, where there are several sockets on its share of
 * them, by the worker's number. The snapshot is borrowed until acceptor_stop(), as is the budget:
 * taking from it is the callee's. NULL: errno. */
struct acceptor *acceptor_new(struct event_base *base, const struct snapshot *snapshot,
                              size_t worker, struct budget *budget, accepted_fn *accepted,
                              void *arg);

/* From now on that snapshot's addresses. Those it keeps go on without a moment's pause; who waits
 * at one that it has not is taken first, as the service's that it was. The former snapshot is not
 * used any more. Returns false, with nothing changed, when memory is short. */
bool acceptor_change(struct acceptor *a, const struct snapshot *snapshot);

/* Gates of its sockets have moved (net/lsock_gate): go on accepting, let in who waits, or stop. */
void acceptor_look_at_gates(struct acceptor *a);
/* Count in there how often accepting pauses; borrowed. */
void acceptor_count_pauses(struct acceptor *a, struct counter *pauses);

/* To be called before each turn of the loop. */
void acceptor_turn(struct acceptor *a);

/* Take what waits in the queues, then accept no more. Idempotent. */
void acceptor_stop(struct acceptor *a);
/* Accept no more: who waits is left to another process that has the same sockets. Idempotent. */
void acceptor_leave(struct acceptor *a);
void acceptor_free(struct acceptor *a);

/* Give the reserve up to somebody who needs a descriptor (a dial_relief_fn): 0, or -1 when it is
 * out already. */
int acceptor_relief(void *acceptor);

#endif
