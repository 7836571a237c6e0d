/* SPDX-License-Identifier: ISC */
#include "config/grammar.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/own.h"
#include "base/text.h"

static void say(struct grammar *g, unsigned line, const char *format, va_list args)
        __attribute__((format(printf, 3, 0)));
static void say(struct grammar *g, unsigned line, const char *format, va_list args)
{
        const struct origin at = { g->at.file, line };
        OWN(text_fini) struct text t = { 0 };
        text_addv(&t, format, args);
        diag_error(g->diag, &at, "%s", text_str(&t));
}

void grammar_mistake(struct grammar *g, unsigned line, const char *format, ...)
{
        va_list args;
        va_start(args, format);
        say(g, line, format, args);
        va_end(args);
}

void grammar_fatal(struct grammar *g, unsigned line, const char *format, ...)
{
        va_list args;
        va_start(args, format);
        say(g, line, format, args);
        va_end(args);
        g->stop = true;
}

static struct bracket *innermost(struct grammar *g)
{
        return &g->brackets[g->depth];
}

static bool is_list(const struct bracket *b)
{
        return b->kind == '[' || b->kind == '(';
}

static char closing(char open)
{
        return open == '{' ? '}' : open == '[' ? ']' : ')';
}

/* What stands at p is not what comes next. */
static void say_expected(struct grammar *g, const char *p)
{
        const struct bracket *b = innermost(g);
        const char *what = "a name";
        char list[] = ", or X";
        list[sizeof list - 2] = closing(b->kind);
        if (b->expect == EXPECT_EQUALS)
                what = "= or :";
        else if (grammar_wants_value(g))
                what = b->kind == '[' ? "a plain value" : "a value";
        else if (is_list(b))
                what = list;
        size_t n = strcspn(p, "\n");
        grammar_fatal(g, g->at.line, "expected %s, not %.*s", what, n > 40 ? 40 : (int)n, p);
}

bool grammar_wants_value(const struct grammar *g)
{
        enum expect expect = g->brackets[g->depth].expect;
        return expect == EXPECT_VALUE || expect == EXPECT_FIRST;
}

bool grammar_in_group(const struct grammar *g)
{
        return !is_list(&g->brackets[g->depth]);
}

/* A group cannot have two directives of one name. */
static void add_name(struct grammar *g, const char *name, size_t len)
{
        for (size_t i = innermost(g)->names; i < g->n_names; i++) {
                const struct grammar_name *n = &g->names[i];
                if (n->len != len || memcmp(n->s, name, len) != 0)
                        continue;
                grammar_mistake(g, g->at.line,
                                "\"%.*s\" is given twice: it stands at %s:%u already", (int)len,
                                name, g->at.file, n->line);
                return;
        }
        if (g->n_names == g->cap_names) {
                size_t cap = g->cap_names == 0 ? 32 : 2 * g->cap_names;
                struct grammar_name *grown = reallocarray(g->names, cap, sizeof *grown);
                if (grown == NULL) {
                        grammar_fatal(g, 0, "memory is short");
                        return;
                }
                g->names = grown;
                g->cap_names = cap;
        }
        g->names[g->n_names++] = (struct grammar_name){ name, len, g->at.line };
}

void grammar_name(struct grammar *g, const char *p, size_t n)
{
        struct bracket *b = innermost(g);
        if (n == 0 || is_list(b) || (b->expect != EXPECT_NAME && b->expect != EXPECT_END)) {
                say_expected(g, p);
                return;
        }
        add_name(g, p, n);
        b->expect = EXPECT_EQUALS;
}

void grammar_equals(struct grammar *g, const char *p)
{
        if (innermost(g)->expect != EXPECT_EQUALS)
                say_expected(g, p);
        innermost(g)->expect = EXPECT_VALUE;
}

void grammar_value(struct grammar *g, const char *p)
{
        if (!grammar_wants_value(g))
                say_expected(g, p);
        innermost(g)->expect = EXPECT_END;
}

void grammar_open(struct grammar *g, const char *p)
{
        if (innermost(g)->kind == '[')
                say_expected(g, p);
        else if (g->depth == GRAMMAR_DEPTH_MAX)
                grammar_fatal(g, g->at.line, "more than %d brackets inside each other",
                              GRAMMAR_DEPTH_MAX);
        else
                grammar_value(g, p);
        if (g->stop)
                return;
        g->brackets[++g->depth] = (struct bracket){
                .kind = *p,
                .line = g->at.line,
                .names = g->n_names,
                .expect = *p == '{' ? EXPECT_NAME : EXPECT_FIRST,
        };
}

void grammar_close(struct grammar *g, const char *p)
{
        const struct bracket *b = innermost(g);
        if (g->depth == 0)
                grammar_fatal(g, g->at.line, "%c without an opening bracket before it", *p);
        else if (*p != closing(b->kind))
                grammar_fatal(g, g->at.line, "%c where the %c of line %u needs its %c", *p, b->kind,
                              b->line, closing(b->kind));
        else if (b->expect == EXPECT_EQUALS || b->expect == EXPECT_VALUE)
                say_expected(g, p);
        else
                g->depth--;
        g->n_names = b->names;
}

void grammar_separator(struct grammar *g, const char *p)
{
        struct bracket *b = innermost(g);
        if (b->expect != EXPECT_END || (is_list(b) && *p != ','))
                say_expected(g, p);
        b->expect = is_list(b) ? EXPECT_VALUE : EXPECT_NAME;
}

/* Everything still open is one mistake, told where the first of it begins. */
static void say_open(struct grammar *g)
{
        OWN(text_fini) struct text open = { 0 };
        for (size_t i = 1; i <= g->depth; i++)
                text_addf(&open, "%s%c of line %u", i > 1 ? ", " : "", g->brackets[i].kind,
                          g->brackets[i].line);
        grammar_mistake(g, g->brackets[1].line, "never closed: %s (is the file complete?)",
                        text_str(&open));
}

void grammar_end(struct grammar *g)
{
        enum expect expect = innermost(g)->expect;
        if (g->depth > 0)
                say_open(g);
        else if (expect != EXPECT_NAME && expect != EXPECT_END)
                grammar_mistake(g, g->last, "the text ends in the middle of a directive");
}

void grammar_fini(struct grammar *g)
{
        free(g->names);
        *g = (struct grammar){ 0 };
}
