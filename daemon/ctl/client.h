/* SPDX-License-Identifier: ISC */
/* Asking the daemon: one request, an answer of several lines. */
#ifndef CTL_CLIENT_H
#define CTL_CLIENT_H

#include <stdbool.h>
#include <stddef.h>

#include <jansson.h>

#include "base/text.h"

/* A line of the answer but the last: as text, and read; both borrowed. */
typedef void client_line_fn(const char *text, json_t *line, void *arg);

struct client_request {
        const char *path; /* of the socket */
        const char *const *words;
        size_t n;
        unsigned patience_s; /* for each step of the answer; 0: without end */
};

/* Ask the daemon. Returns true when it says that all is well; false after saying in *error, or on
 * standard error, what is not. */
bool client_try(const struct client_request *r, client_line_fn *fn, void *arg, struct text *error);
bool client_ask(const struct client_request *r, client_line_fn *fn, void *arg);

#endif
