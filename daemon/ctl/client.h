/* SPDX-License-Identifier: ISC */
/* Asking the daemon: one request, an answer of several lines. */
#ifndef CTL_CLIENT_H
#define CTL_CLIENT_H

#include <stdbool.h>
#include <stddef.h>

#include <jansson.h>

/* A line of the answer but the last: as text, and read; both borrowed. */
typedef void client_line_fn(const char *text, json_t *line, void *arg);

/* Ask the daemon at path. Returns true when it says that all is well; false after saying on
 * standard error what is not. */
bool client_ask(const char *path, const char *const *words, size_t n, client_line_fn *fn,
                void *arg);

#endif
