/* SPDX-License-Identifier: ISC */
/* The main thread: workers, signals, and the way to the end. */
#ifndef CONTROL_DAEMON_H
#define CONTROL_DAEMON_H

#include "snapshot/snapshot.h"

/* Run until told to stop: TERM and INT drain, a second one ends at once; USR1 reopens the log.
 * Returns the exit status. The snapshot is borrowed; its sockets are closed on draining. */
int daemon_run(struct snapshot *snapshot);

#endif
