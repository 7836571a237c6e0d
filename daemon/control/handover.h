/* SPDX-License-Identifier: ISC */
/* Collecting the connections that can go on elsewhere, from all workers. */
#ifndef CONTROL_HANDOVER_H
#define CONTROL_HANDOVER_H

#include <stddef.h>

#include "control/bundle.h"
#include "worker/worker.h"

/* Runs on the main thread, from the event loop, when every worker has given what it has: n are in
 * the bundle. */
typedef void handover_done_fn(size_t n, void *arg);

/* Every connection that conn_pack() takes goes into the bundle, which is borrowed until done; at
 * most about `most` descriptors. Workers are to have left their sockets. Returns false when memory
 * is short: nothing follows. */
bool handover_begin(struct worker *const *workers, size_t n, struct bundle *bundle, size_t most,
                    handover_done_fn *done, void *arg);

#endif
