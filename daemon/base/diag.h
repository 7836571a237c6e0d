/* SPDX-License-Identifier: ISC */
/* Messages about what a person wrote: collected, each with its place, told in one go. */
#ifndef BASE_DIAG_H
#define BASE_DIAG_H

#include <stddef.h>
#include <stdio.h>

/* Where a value comes from. file is borrowed and must outlive the origin; NULL: built in. */
struct origin {
        const char *file;
        unsigned line; /* counted from 1; 0: the file as a whole */
};

enum diag_severity { DIAG_ERROR, DIAG_WARNING };

struct diag;

/* Returns NULL when memory is short. Freed with diag_free (NULL is fine). */
struct diag *diag_new(void);
void diag_free(struct diag *d);

/* Add a message. at may be NULL: a message without a place. The text is copied. When memory is
 * short the message is lost, its count is not: an error never turns into success. */
void diag_error(struct diag *d, const struct origin *at, const char *format, ...)
        __attribute__((format(printf, 3, 4)));
void diag_warning(struct diag *d, const struct origin *at, const char *format, ...)
        __attribute__((format(printf, 3, 4)));

/* How many errors were added. */
size_t diag_errors(const struct diag *d);

/* All messages, in the order they were added, as `file:line: message` lines (a warning says so). */
void diag_print(const struct diag *d, FILE *to);

/* The same for callers with another destination (the log, a control socket): one call a line. */
typedef void diag_line_fn(enum diag_severity severity, const char *line, void *arg);
void diag_each(const struct diag *d, diag_line_fn *fn, void *arg);

#endif
