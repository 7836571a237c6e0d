/* SPDX-License-Identifier: ISC */
/* Noticing that files have changed (inotify(7)): certificates that were renewed. */
#ifndef CONTROL_WATCH_H
#define CONTROL_WATCH_H

#include <stdint.h>

#include "config/config.h"

struct event_base;
struct watch;

/* From the event loop, once the files have come to rest after a change. */
typedef void watch_fn(void *arg);

/* Watches nothing yet. NULL: memory is short. */
struct watch *watch_new(struct event_base *base, watch_fn *changed, void *arg);
void watch_free(struct watch *w); /* NULL is fine */

/* From now on the files that conf names, instead of those before. read_us: clock_wall_us() just
 * before they were read: what has changed since is told, too. Where that is not possible a warning
 * says so. */
void watch_files(struct watch *w, const struct config *conf, int64_t read_us);

#endif
