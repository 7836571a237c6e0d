/* SPDX-License-Identifier: ISC */
/* A worker: a thread with an event loop of its own, and the connections it has. */
#ifndef WORKER_WORKER_H
#define WORKER_WORKER_H

#include "conn/reason.h"
#include "snapshot/snapshot.h"

struct budget;
struct conn;
struct crew;
struct loop_stats;
struct parcel;
struct recent;
struct worker;

/* What a worker shares with the others; borrowed. */
struct worker_place {
        struct budget *budget;
        struct crew *crew;
        size_t number; /* in the crew */
};

enum worker_report {
        WORKER_CHANGED,   /* has another snapshot, after worker_change() */
        WORKER_UNCHANGED, /* has not: memory is short */
        WORKER_QUIET,     /* accepts no more, after worker_drain() */
        WORKER_IDLE,      /* and its last connection has ended */
        WORKER_GATED,     /* after worker_gate() */
        WORKER_VISITED,   /* after worker_visit(), which data is */
};

/* Runs on the worker's thread. data: what the report is about, or NULL. */
typedef void worker_report_fn(enum worker_report what, void *data, void *arg);

/* Something to be done with every connection of a worker, on its thread: it may be over by it. */
struct worker_visit {
        void (*each)(struct conn *c, struct worker_visit *v);
        /* Once, before: how the last ones ended. NULL: that is of no interest. */
        void (*ends)(const struct recent *ends, struct worker_visit *v);
        void (*done)(struct worker_visit *v); /* for whoever is told WORKER_VISITED */
};

/* Starts the thread, which accepts at once. NULL with errno set. */
struct worker *worker_new(struct snapshot *snapshot, const struct worker_place *place,
                          worker_report_fn *report, void *arg);

/* What its loop counts of itself; from any thread. */
const struct loop_stats *worker_stats(const struct worker *w);

/* From any thread; carried out by the worker soon after. */
/* New connections are under that snapshot. Returns false when memory is short: nothing follows. */
bool worker_change(struct worker *w, struct snapshot *snapshot);
/* Look at the gates of the listening sockets. Returns false when memory is short: nothing follows.
 */
bool worker_gate(struct worker *w);
/* v is the worker's until it reports it. Returns false when memory is short: nothing follows. */
bool worker_visit(struct worker *w, struct worker_visit *v);
void worker_cut_over(struct worker *w); /* end those whose service is over, see service_counts */
void worker_drain(struct worker *w);
/* As worker_drain(), but whoever waits to be accepted is left to another process, which has the
 * same listening sockets. */
void worker_leave(struct worker *w);
/* Go on with a connection of another process, counted already with budget_take(). Takes *parcel
 * and what it holds; on false (memory) nothing is taken. */
bool worker_adopt(struct worker *w, struct snapshot *snapshot, struct service *service,
                  struct parcel *parcel);
void worker_cut(struct worker *w, enum reason why); /* end every connection */

/* Ends the loop and the thread; connections still alive end with REASON_SHUTDOWN. */
void worker_free(struct worker *w);

#endif
