/* SPDX-License-Identifier: ISC */
/* What is open and what may come next, while a configuration's text is looked at token by token.
 *
 *   group:  { NAME = VALUE ; … }, = or :, and ; or , or nothing between two settings
 *   list:   ( VALUE , … ), or [ … ] for plain values: numbers, truths and texts
 */
#ifndef CONFIG_GRAMMAR_H
#define CONFIG_GRAMMAR_H

#include <stdbool.h>
#include <stddef.h>

#include "base/diag.h"

/* Deeper nesting is never meant, and libconfig reads it by recursion. */
#define GRAMMAR_DEPTH_MAX 16

enum expect {
        EXPECT_NAME,   /* in a group: or its end */
        EXPECT_EQUALS, /* after a name */
        EXPECT_FIRST,  /* in a list: a value, or its end */
        EXPECT_VALUE,  /* after = or a comma */
        EXPECT_END,    /* after a value: what separates it from the next, or the end */
};

/* A bracket still open; the first is the text itself, kind '\0'. */
struct bracket {
        char kind;
        unsigned line;
        size_t names; /* index in grammar.names of its first */
        enum expect expect;
};

/* A name given in a group that is still open. */
struct grammar_name {
        const char *s;
        size_t len;
        unsigned line;
};

/* Start with at and diag set, the rest 0. */
struct grammar {
        struct origin at; /* where the tokens are; the line is kept by the caller */
        struct diag *diag;
        struct bracket brackets[GRAMMAR_DEPTH_MAX + 1];
        size_t depth;
        struct grammar_name *names;
        size_t n_names, cap_names;
        unsigned last; /* the line of the last token */
        bool stop;     /* going on would only lead to messages about a mistake already said */
};

/* A token, which begins at p. Those that may not stand here are said, and end it all (stop). */
void grammar_name(struct grammar *g, const char *p, size_t n); /* n 0: no name */
void grammar_equals(struct grammar *g, const char *p);
void grammar_value(struct grammar *g, const char *p); /* a number, a truth or a text */
void grammar_open(struct grammar *g, const char *p);
void grammar_close(struct grammar *g, const char *p);
void grammar_separator(struct grammar *g, const char *p);

/* Whether a value comes next; whether inside a group (or the text itself). */
bool grammar_wants_value(const struct grammar *g);
bool grammar_in_group(const struct grammar *g);

/* The text is over: say what is still open. */
void grammar_end(struct grammar *g);
void grammar_fini(struct grammar *g);

/* Say a mistake at a line; fatal ones set stop. */
void grammar_mistake(struct grammar *g, unsigned line, const char *format, ...)
        __attribute__((format(printf, 3, 4)));
void grammar_fatal(struct grammar *g, unsigned line, const char *format, ...)
        __attribute__((format(printf, 3, 4)));

#endif
