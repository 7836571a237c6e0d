/* SPDX-License-Identifier: ISC */
/* What a daemon that has started gives up for good (directive `sandbox`). */
#ifndef CONTROL_SANDBOX_H
#define CONTROL_SANDBOX_H

#include <stdbool.h>

#include "base/diag.h"
#include "config/config.h"

/* Give up what the configuration does not need: this thread, and those it will start, so before any
 * is. Says in the log what the kernel lacks, and goes on without. False only where memory is
 * short, which diag says. */
bool sandbox_enter(const struct config *conf, struct diag *diag);

/* Whether another configuration can be used in here; each directive that cannot is an error. False
 * when that are TCP ports: binding them would only say so again, as if it were something else. */
bool sandbox_check(const struct config *conf, struct diag *diag);

/* After a failure: where permission was denied, say that it may have been the sandbox. */
void sandbox_explain(struct diag *diag);

#endif
