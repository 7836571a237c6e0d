/* SPDX-License-Identifier: ISC */
/* A configuration's text made runnable. */
#ifndef TESTS_SNAPSHOT_MADE_H
#define TESTS_SNAPSHOT_MADE_H

#include <stddef.h>

#include "snapshot/snapshot.h"

struct made {
        struct snapshot *snapshot; /* NULL: refused */
        size_t errors;
        char *said; /* all messages */
};

/* The text is a good configuration, named "t" in messages; what it becomes is in *m. */
struct made make(enum snapshot_scope scope, const char *text);
/* The same in the place of one that runs. */
struct made make_after(const struct snapshot *running, const char *text);
void made_fini(struct made *m);

/* It becomes a snapshot, without a word. Released by snapshot_unref(). */
struct snapshot *must_make(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* How many descriptors this process has open. */
size_t open_descriptors(void);

#endif
