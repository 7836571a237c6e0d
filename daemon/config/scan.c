/* SPDX-License-Identifier: ISC */
#include "config/scan.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "config/bare.h"
#include "config/grammar.h"

struct scan {
        const char *p;
        struct grammar grammar;
        struct scan_lines *lines;
        bool after_text; /* one more text would be added to it */
};

void scan_lines_fini(struct scan_lines *lines)
{
        free(lines->items);
        *lines = (struct scan_lines){ 0 };
}

static void add_line(struct scan *s)
{
        struct scan_lines *l = s->lines;
        if (l->n == l->cap) {
                size_t cap = l->cap == 0 ? 32 : 2 * l->cap;
                unsigned *grown = reallocarray(l->items, cap, sizeof *grown);
                if (grown == NULL) {
                        grammar_fatal(&s->grammar, 0, "memory is short");
                        return;
                }
                l->items = grown;
                l->cap = cap;
        }
        l->items[l->n++] = s->grammar.at.line;
}

static void begin_value(struct scan *s)
{
        grammar_value(&s->grammar, s->p);
        if (!s->grammar.stop)
                add_line(s);
}

static void scan_comment(struct scan *s)
{
        unsigned line = s->grammar.at.line;
        for (s->p += 2; !(s->p[0] == '*' && s->p[1] == '/'); s->p++) {
                if (*s->p == '\0') {
                        grammar_fatal(&s->grammar, line, "the comment that begins here never ends");
                        return;
                }
                if (*s->p == '\n')
                        s->grammar.at.line++;
        }
        s->p += 2;
}

static void scan_quoted(struct scan *s)
{
        struct grammar *g = &s->grammar;
        for (s->p++; *s->p != '"'; s->p++) {
                if (*s->p == '\0' || *s->p == '\n') {
                        grammar_fatal(g, g->at.line,
                                      "the text that begins on this line has no closing quote");
                        return;
                }
                if (*s->p != '\\')
                        continue;
                if (strncasecmp(s->p, "\\x00", 4) == 0)
                        grammar_mistake(g, g->at.line, "\\x00 in a text: no value can hold a NUL");
                if (s->p[1] == '"' || s->p[1] == '\\')
                        s->p++;
        }
        s->p++;
}

/* NAME = where a value is due: the one before it was forgotten. */
static bool is_next_name(const struct scan *s, int n)
{
        return grammar_in_group(&s->grammar) && isalpha((unsigned char)*s->p) &&
               s->p[n + (int)strspn(s->p + n, " \t")] == '=';
}

static void scan_bare_value(struct scan *s, int n)
{
        struct grammar *g = &s->grammar;
        if (is_next_name(s, n)) {
                grammar_fatal(g, g->at.line, "the directive before %.*s has no value", n, s->p);
                return;
        }
        begin_value(s);
        enum bare kind = bare_kind(s->p, (size_t)n);
        if (kind == BARE_TOO_LARGE)
                grammar_mistake(g, g->at.line, "%.*s is too large a number", n, s->p);
        else if (kind == BARE_TEXT)
                grammar_mistake(g, g->at.line, "%.*s: text needs quotes, \"%.*s\"", n, s->p, n,
                                s->p);
        s->p += n;
}

static size_t name_length(const char *p)
{
        size_t n = 0;
        while (isalpha((unsigned char)p[n]) || p[n] == '*' ||
               (n > 0 && (isdigit((unsigned char)p[n]) || p[n] == '-' || p[n] == '_')))
                n++;
        return n > 0 && bare_kind(p, n) == BARE_TRUTH ? 0 : n;
}

static void scan_word(struct scan *s)
{
        size_t value = bare_length(s->p), name = name_length(s->p);
        if (grammar_wants_value(&s->grammar) && value > 0) {
                scan_bare_value(s, (int)value);
        } else {
                grammar_name(&s->grammar, s->p, grammar_wants_value(&s->grammar) ? 0 : name);
                s->p += name;
        }
}

static void scan_token(struct scan *s)
{
        struct grammar *g = &s->grammar;
        bool after_text = s->after_text;
        s->after_text = *s->p == '"';
        g->last = g->at.line;
        switch (*s->p) {
        case '"':
                if (!after_text)
                        begin_value(s);
                scan_quoted(s);
                break;
        case '{':
        case '[':
        case '(':
                grammar_open(g, s->p++);
                break;
        case '}':
        case ']':
        case ')':
                grammar_close(g, s->p++);
                break;
        case '@':
                grammar_fatal(g, g->at.line,
                              "@include is not part of this language: write include = \"FILE\"");
                break;
        case '=':
        case ':':
                grammar_equals(g, s->p++);
                break;
        case ',':
        case ';':
                grammar_separator(g, s->p++);
                break;
        default:
                scan_word(s);
        }
}

static void scan_next(struct scan *s)
{
        if (*s->p == '\n') {
                s->grammar.at.line++;
                s->p++;
        } else if (strchr(" \t\r\f", *s->p) != NULL) {
                s->p++;
        } else if (*s->p == '#' || (s->p[0] == '/' && s->p[1] == '/')) {
                s->p += strcspn(s->p, "\n");
        } else if (s->p[0] == '/' && s->p[1] == '*') {
                scan_comment(s);
        } else {
                scan_token(s);
        }
}

bool scan_text(const char *text, const char *file, struct diag *diag, struct scan_lines *lines)
{
        size_t before = diag_errors(diag);
        struct scan s = { .p = text, .lines = lines };
        s.grammar = (struct grammar){ .at = { file, 1 }, .diag = diag };
        while (*s.p != '\0' && !s.grammar.stop)
                scan_next(&s);
        if (!s.grammar.stop)
                grammar_end(&s.grammar);
        grammar_fini(&s.grammar);
        return diag_errors(diag) == before;
}
