/* SPDX-License-Identifier: ISC */
/* The workers of a daemon as they know each other: how many connections each has, and a way to hand
 * one over that was just accepted.
 *
 * The kernel gives a connection to one worker without asking how busy it is; of few connections all
 * may be with the same one, and the other CPUs idle. */
#ifndef WORKER_CREW_H
#define WORKER_CREW_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/queue.h>

#include "base/addr.h"
#include "snapshot/snapshot.h"

struct crew;
struct mailbox;

/* A connection on its way from one worker to another. */
struct handed {
        STAILQ_ENTRY(handed) next;
        struct snapshot *snapshot; /* held */
        struct service *service;
        struct sockaddress listen, client;
        int fd; /* owned */
};
/* Closes what is left with a reset. NULL is fine. */
void handed_free(struct handed *h);

/* For n workers, numbered from 0. NULL: memory is short. */
struct crew *crew_new(size_t n);
void crew_free(struct crew *crew); /* when all have left. NULL is fine */

/* From now on others may hand connections over, until crew_leave(): mailbox gets the message what
 * when there are some to be taken. What came before crew_leave() is to be taken after it still;
 * nothing comes later, and the mailbox is not used any more. */
void crew_join(struct crew *crew, size_t number, struct mailbox *mailbox, int what);
void crew_leave(struct crew *crew, size_t number);

/* A worker has one connection more (1) or less (-1). */
void crew_count(struct crew *crew, size_t number, int change);

/* Who is to have one more connection that this worker has accepted: itself, unless another one has
 * clearly less to do. */
size_t crew_choose(const struct crew *crew, size_t number);

/* Hand it to that worker, for whom it counts at once. Returns false when it takes none or memory is
 * short: h is the caller's still. */
bool crew_hand(struct crew *crew, size_t to, struct handed *h);

/* The next that was handed to this worker, owned by the caller; NULL: none. */
struct handed *crew_take(struct crew *crew, size_t number);

#endif
