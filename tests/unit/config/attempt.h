/* SPDX-License-Identifier: ISC */
/* One attempt at reading a configuration, and what came of it. */
#ifndef TEST_CONFIG_ATTEMPT_H
#define TEST_CONFIG_ATTEMPT_H

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/text.h"
#include "config/config.h"
#include "config/rows.h"

struct attempt {
        struct config *config; /* NULL: refused */
        size_t errors;
        char *messages; /* all lines */
};

/* Named "t" in messages. Values and messages never contradict each other, which is asserted. */
struct attempt attempt_text(const char *text);
struct attempt attempt_path(const char *path);
void attempt_end(struct attempt *a);

/* It is refused, and these are exactly its messages. */
void assert_refused(const char *text, const char *messages);
/* It is refused, and this is among its messages. */
void assert_refused_with(const char *text, const char *part);
/* It is taken. The caller frees it. */
struct config *must_read(const char *text);

/* The effective configuration as text, with its comments or without. Owned by the caller. */
char *dump_of(const struct config *c);
char *strip_comments(char *dump);

/* A whole configuration in which setting stands in the group of table t, beside what that group
 * needs to be complete; row is the one setting is for (NULL: none). Owned by the caller. */
char *wrap(const struct table *t, const struct row *row, const char *setting);

/* The struct of table t in a configuration made by wrap(). */
void *wrapped(const struct config *c, const struct table *t);

/* Where messages say that group is: ` in service "a"`. */
const char *wrapped_place(const struct table *t);

/* A file's text, owned by the caller; a file below the sources' conf/. */
char *slurp(const char *path);
#define SAMPLE(name) TOP_SRCDIR "/conf/" name
/* The sample with every directive in use that it only shows. Owned by the caller. */
char *whole_sample(void);

#endif
