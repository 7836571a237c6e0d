/* SPDX-License-Identifier: ISC */
/* The main thread: workers, signals, and the way to the end. */
#ifndef CONTROL_DAEMON_H
#define CONTROL_DAEMON_H

#include "control/given.h"
#include "snapshot/snapshot.h"

struct predecessor;

/* What this process was started with; borrowed but for the predecessor. */
struct daemon_start {
        const struct given *given;       /* NULL: there is nothing to read again */
        struct predecessor *predecessor; /* NULL: there is none */
        int launcher;                    /* of successors; -1: there is none */
};

/* Run until told to stop: TERM and INT drain, a second one ends at once; HUP reads the
 * configuration again; USR1 reopens the log; USR2 puts the program as it is now in this one's
 * place. Returns the exit status. Takes the snapshot and the predecessor. */
int daemon_run(struct snapshot *snapshot, const struct daemon_start *how);

#endif
