/* SPDX-License-Identifier: ISC */
/* What one process leaves to another: things, each a JSON object with descriptors and octets.
 *
 * Objects and octets are in a file in memory, descriptors in the queue of a Unix socket; so all of
 * it can wait for somebody who is not there yet, and is two descriptors. */
#ifndef CONTROL_BUNDLE_H
#define CONTROL_BUNDLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include <jansson.h>

#include "base/text.h"
#include "net/fdpass.h"

enum {
        BUNDLE_WAITING = 60000, /* descriptors that wait for sure where nobody takes them yet */
};

struct bundle {
        int lines, take; /* for whoever takes it; owned, -1: given away */
        int give;        /* the other end */
        FILE *file;
        int batch[FDPASS_MOST];
        size_t n_batch;
        size_t n_fds; /* in all */
        bool failed;  /* something was lost */
};

/* Returns false with errno set, and nothing to be undone. */
bool bundle_open(struct bundle *b);

/* Put something in. about is borrowed, but gets the members "fds" and "octets", how many there are
 * of each; descriptors are taken. */
void bundle_add(struct bundle *b, json_t *about, int *fds, size_t n_fds, const struct text *octets,
                size_t n_octets);

/* It is complete. Returns false when something was lost. */
bool bundle_close(struct bundle *b);
/* Close what was not given away. */
void bundle_fini(struct bundle *b);

/* Something that was put in. Descriptors are owned by the callee where it leaves -1, others are
 * closed with a reset. octets: all, one after the other; borrowed as the rest is. */
typedef void bundle_fn(json_t *about, int *fds, size_t n_fds, const char *octets, void *arg);

/* Take everything out; waits for bundle_close(), at most some seconds at a time. Returns NULL, or
 * what is wrong, a constant: fn ran for what came before that. */
const char *bundle_read(int lines, int take, bundle_fn *fn, void *arg);

#endif
