/* SPDX-License-Identifier: ISC */
/* A small process that starts successors of this one: the same program by its path, as it is by
 * then, with the same arguments.
 *
 * It is made before keys are read, before there are threads, and before the process confines
 * itself, which successors do for themselves; it does nothing else, and ends with it. */
#ifndef CONTROL_LAUNCHER_H
#define CONTROL_LAUNCHER_H

#include "config/config.h"

/* The descriptor where a successor finds its end of the channel, in the environment. */
#define LAUNCHER_CHANNEL "SPLICED_CHANNEL"

/* Returns its socket, owned; -1 with errno set. argv is this process's own. It becomes the user
 * that conf says: a successor has no more rights than this process will have. */
int launcher_new(char *const *argv, const struct config *conf);

/* Start a successor, that gets channel, which is taken. Returns 0 or errno; that it could not be
 * started shows when the other end of the channel ends. */
int launcher_launch(int launcher, int *channel);

#endif
