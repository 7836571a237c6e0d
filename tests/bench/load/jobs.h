/* SPDX-License-Identifier: ISC */
/* The kinds of work a client does. Each prepares, says {"ready": true}, waits for a line, works,
 * and says what came of it in one line of JSON. */
#ifndef BENCH_JOBS_H
#define BENCH_JOBS_H

#include "link.h"

struct job {
        struct client client;
        unsigned links;    /* how many at once */
        uint64_t count;    /* octets of bulk, else operations */
        uint64_t size;     /* octets of a message */
        bool up;           /* bulk from client to server */
        double at_most;    /* seconds for all of it */
        struct link **all; /* links that stay */
        unsigned there;    /* of them prepared */
        uint64_t started, done;
        uint64_t deadline; /* on now_ns()'s clock */
        unsigned busy;     /* links with something under way */
        struct histogram took;
};

/** Runs the loop until nothing is under way. */
void job_turn(struct job *j);
/** Opens links until there are n, few at a time; each does `first` once it is ready. */
void job_open(struct job *j, unsigned n, const struct exchange *first);
/** Says ready and waits for the word. */
void job_wait_for_go(struct job *j);
/** Says how long it took and what was done, and waits until it may end. */
void job_report(struct job *j, uint64_t ns);

void job_bulk(struct job *j);
void job_pingpong(struct job *j);
void job_connect(struct job *j);
void job_hold(struct job *j);

struct exchange exchange_octet(void);

#endif
