/* SPDX-License-Identifier: ISC */
/* What a daemon that leaves before its successor is there gives to the service manager, which gives
 * it to the next one (FDSTORE=1, sd_pid_notify_with_fds(3)). */
#ifndef CONTROL_STORE_H
#define CONTROL_STORE_H

#include <stdbool.h>

#include "control/bundle.h"

/* A complete bundle is left there; what it holds is kept for as long as the manager wants to.
 * Returns false where there is none. */
bool store_leave(struct bundle *b);

/* Whether anything was left. */
bool store_holds(void);

/* What was left; the manager forgets it. Returns false when there is nothing. */
bool store_take(int *lines, int *take);

#endif
