/* SPDX-License-Identifier: ISC */
/* Noticing that files have changed (inotify(7)): certificates that were renewed. */
#ifndef CONTROL_RENEWAL_H
#define CONTROL_RENEWAL_H

#include <stdint.h>

#include "config/config.h"

struct event_base;
struct renewal;

/* From the event loop, once the files have come to rest after a change. */
typedef void renewal_fn(void *arg);

/* Watches nothing yet. NULL: memory is short. */
struct renewal *renewal_new(struct event_base *base, renewal_fn *changed, void *arg);
void renewal_free(struct renewal *w); /* NULL is fine */

/* From now on the files that conf names, instead of those before. read_us: clock_wall_us() just
 * before they were read: what has changed since is told, too. Where that is not possible a warning
 * says so. */
void renewal_watch(struct renewal *w, const struct config *conf, int64_t read_us);

#endif
