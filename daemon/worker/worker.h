/* SPDX-License-Identifier: ISC */
/* A worker: a thread with an event loop of its own, and the connections it accepted. */
#ifndef WORKER_WORKER_H
#define WORKER_WORKER_H

#include "conn/reason.h"
#include "snapshot/snapshot.h"

struct budget;
struct worker;

enum worker_report {
        WORKER_QUIET, /* accepts no more, after worker_drain() */
        WORKER_IDLE,  /* and its last connection has ended */
};

/* Runs on the worker's thread. */
typedef void worker_report_fn(enum worker_report what, void *arg);

/* Starts the thread, which accepts at once. budget is borrowed, and shared by all workers. NULL
 * with errno set. */
struct worker *worker_new(struct snapshot *snapshot, struct budget *budget,
                          worker_report_fn *report, void *arg);

/* From any thread; carried out by the worker soon after. */
void worker_drain(struct worker *w);
void worker_cut(struct worker *w, enum reason why); /* end every connection */

/* Ends the loop and the thread; connections still alive end with REASON_SHUTDOWN. */
void worker_free(struct worker *w);

#endif
