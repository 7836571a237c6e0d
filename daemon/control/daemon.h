/* SPDX-License-Identifier: ISC */
/* The main thread: workers, signals, and the way to the end. */
#ifndef CONTROL_DAEMON_H
#define CONTROL_DAEMON_H

#include "control/given.h"
#include "snapshot/snapshot.h"

/* Run until told to stop: TERM and INT drain, a second one ends at once; HUP reads the
 * configuration again; USR1 reopens the log. Returns the exit status. Takes the snapshot; given is
 * borrowed, and may be NULL: there is nothing to read again. */
int daemon_run(struct snapshot *snapshot, const struct given *given);

#endif
