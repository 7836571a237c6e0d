/* SPDX-License-Identifier: ISC */
#include "config/scan.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/own.h"
#include "base/text.h"
#include "config/bare.h"

/* Deeper nesting is never meant, and libconfig reads it by recursion. */
#define DEPTH_MAX 16

/* A name given in a group that is still open. */
struct name {
        const char *s;
        size_t len;
        unsigned line;
};

/* What may come next. */
enum expect {
        EXPECT_NAME,   /* in a group: or its end */
        EXPECT_EQUALS, /* after a name */
        EXPECT_FIRST,  /* in a list: a value, or its end */
        EXPECT_VALUE,  /* after = or a comma */
        EXPECT_END,    /* after a value: what separates it from the next, or the end */
};

/* A bracket still open; the first is the file itself, kind '\0'. */
struct bracket {
        char kind;
        unsigned line;
        size_t names; /* index in scan.names of its first */
        enum expect expect;
};

struct scan {
        const char *p;
        unsigned line;
        unsigned last; /* the line of the last token */
        const char *file;
        struct diag *diag;
        struct bracket brackets[DEPTH_MAX + 1];
        size_t depth;
        struct name *names;
        size_t n_names, cap_names;
        struct scan_lines *lines;
        bool after_text; /* one more text would be added to it */
        bool stop;       /* going on would only lead to messages about this mistake */
};

void scan_lines_fini(struct scan_lines *lines)
{
        free(lines->items);
        *lines = (struct scan_lines){ 0 };
}

/* Say a mistake at a line; those after which nothing makes sense any more stop the scan. */
#define MISTAKE(scan, line_, ...)                                    \
        do {                                                         \
                const struct origin at_ = { (scan)->file, (line_) }; \
                diag_error((scan)->diag, &at_, __VA_ARGS__);         \
        } while (0)
#define FATAL(scan, line_, ...)                    \
        do {                                       \
                MISTAKE(scan, line_, __VA_ARGS__); \
                (scan)->stop = true;               \
        } while (0)

/* The array with room for one more item, perhaps elsewhere; NULL when memory is short. */
static void *with_room(void *items, size_t n, size_t *cap, size_t size)
{
        if (n < *cap)
                return items;
        size_t more = *cap == 0 ? 32 : 2 * *cap;
        void *grown = reallocarray(items, more, size);
        if (grown != NULL)
                *cap = more;
        return grown;
}

static struct bracket *innermost(struct scan *s)
{
        return &s->brackets[s->depth];
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
static void say_expected(struct scan *s)
{
        const struct bracket *b = innermost(s);
        const char *what = "a name";
        char list[] = ", or X";
        list[sizeof list - 2] = closing(b->kind);
        if (b->expect == EXPECT_EQUALS)
                what = "= or :";
        else if (b->expect == EXPECT_VALUE || b->expect == EXPECT_FIRST)
                what = b->kind == '[' ? "a plain value" : "a value";
        else if (is_list(b))
                what = list;
        size_t n = strcspn(s->p, "\n");
        FATAL(s, s->line, "expected %s, not %.*s", what, n > 40 ? 40 : (int)n, s->p);
}

/* A value begins at p. Returns false after saying that none may. */
static bool begin_value(struct scan *s)
{
        struct bracket *b = innermost(s);
        if (b->expect != EXPECT_VALUE && b->expect != EXPECT_FIRST) {
                say_expected(s);
                return false;
        }
        b->expect = EXPECT_END;
        return true;
}

/* The same for a number, a truth or a text. */
static bool begin_scalar(struct scan *s)
{
        struct scan_lines *l = s->lines;
        if (!begin_value(s))
                return false;
        unsigned *items = with_room(l->items, l->n, &l->cap, sizeof *items);
        if (items == NULL) {
                FATAL(s, 0, "memory is short");
                return false;
        }
        l->items = items;
        l->items[l->n++] = s->line;
        return true;
}

static void scan_comment(struct scan *s)
{
        unsigned line = s->line;
        for (s->p += 2; !(s->p[0] == '*' && s->p[1] == '/'); s->p++) {
                if (*s->p == '\0') {
                        FATAL(s, line, "the comment that begins here never ends");
                        return;
                }
                if (*s->p == '\n')
                        s->line++;
        }
        s->p += 2;
}

static void scan_quoted(struct scan *s, bool after_text)
{
        if (!after_text && !begin_scalar(s))
                return;
        s->after_text = true;
        for (s->p++; *s->p != '"'; s->p++) {
                if (*s->p == '\0' || *s->p == '\n') {
                        FATAL(s, s->line, "the text that begins on this line has no closing quote");
                        return;
                }
                if (*s->p != '\\')
                        continue;
                if (strncasecmp(s->p, "\\x00", 4) == 0)
                        MISTAKE(s, s->line, "\\x00 in a text: no value can hold a NUL");
                if (s->p[1] == '"' || s->p[1] == '\\')
                        s->p++;
        }
        s->p++;
}

static void scan_open(struct scan *s)
{
        if (innermost(s)->kind == '[') /* libconfig's arrays */
                say_expected(s);
        else if (s->depth == DEPTH_MAX)
                FATAL(s, s->line, "more than %d brackets inside each other", DEPTH_MAX);
        else if (begin_value(s))
                s->brackets[++s->depth] = (struct bracket){
                        .kind = *s->p++,
                        .line = s->line,
                        .names = s->n_names,
                        .expect = s->p[-1] == '{' ? EXPECT_NAME : EXPECT_FIRST,
                };
}

static void scan_close(struct scan *s)
{
        const struct bracket *b = innermost(s);
        if (s->depth == 0)
                FATAL(s, s->line, "%c without an opening bracket before it", *s->p);
        else if (*s->p != closing(b->kind))
                FATAL(s, s->line, "%c where the %c of line %u needs its %c", *s->p, b->kind,
                      b->line, closing(b->kind));
        else if (b->expect == EXPECT_EQUALS || b->expect == EXPECT_VALUE)
                say_expected(s);
        else
                s->depth--;
        s->n_names = b->names;
        s->p++;
}

static void scan_equals(struct scan *s)
{
        if (innermost(s)->expect != EXPECT_EQUALS)
                say_expected(s);
        innermost(s)->expect = EXPECT_VALUE;
        s->p++;
}

static void scan_separator(struct scan *s)
{
        struct bracket *b = innermost(s);
        if (b->expect != EXPECT_END || (is_list(b) && *s->p != ','))
                say_expected(s);
        b->expect = is_list(b) ? EXPECT_VALUE : EXPECT_NAME;
        s->p++;
}

/* A name that a value is given to. */
static void add_name(struct scan *s, const char *name, size_t len)
{
        for (size_t i = innermost(s)->names; i < s->n_names; i++) {
                const struct name *n = &s->names[i];
                if (n->len != len || memcmp(n->s, name, len) != 0)
                        continue;
                MISTAKE(s, s->line, "\"%.*s\" is given twice: it stands at %s:%u already", (int)len,
                        name, s->file, n->line);
                return;
        }
        struct name *names = with_room(s->names, s->n_names, &s->cap_names, sizeof *names);
        if (names == NULL) {
                FATAL(s, 0, "memory is short");
                return;
        }
        s->names = names;
        s->names[s->n_names++] = (struct name){ name, len, s->line };
}

/* NAME = where a value is due: the one before it was forgotten. */
static bool is_next_name(const struct scan *s, size_t n)
{
        return !is_list(&s->brackets[s->depth]) && isalpha((unsigned char)*s->p) &&
               s->p[n + strspn(s->p + n, " \t")] == '=';
}

static void scan_bare_value(struct scan *s)
{
        int n = (int)bare_length(s->p);
        if (n == 0)
                say_expected(s);
        else if (is_next_name(s, (size_t)n))
                FATAL(s, s->line, "the directive before %.*s has no value", n, s->p);
        if (s->stop || !begin_scalar(s))
                return;
        enum bare kind = bare_kind(s->p, (size_t)n);
        if (kind == BARE_TOO_LARGE)
                MISTAKE(s, s->line, "%.*s is too large a number", n, s->p);
        else if (kind == BARE_TEXT)
                MISTAKE(s, s->line, "%.*s: text needs quotes, \"%.*s\"", n, s->p, n, s->p);
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

static void scan_name(struct scan *s)
{
        struct bracket *b = innermost(s);
        size_t n = name_length(s->p);
        if (n == 0 || b->expect == EXPECT_EQUALS || is_list(b)) {
                say_expected(s);
                return;
        }
        add_name(s, s->p, n);
        b->expect = EXPECT_EQUALS;
        s->p += n;
}

static void scan_word(struct scan *s)
{
        enum expect expect = innermost(s)->expect;
        if (expect == EXPECT_VALUE || expect == EXPECT_FIRST)
                scan_bare_value(s);
        else
                scan_name(s);
}

static void scan_token(struct scan *s)
{
        bool after_text = s->after_text;
        s->after_text = false;
        s->last = s->line;
        switch (*s->p) {
        case '"':
                scan_quoted(s, after_text);
                break;
        case '{':
        case '[':
        case '(':
                scan_open(s);
                break;
        case '}':
        case ']':
        case ')':
                scan_close(s);
                break;
        case '@':
                FATAL(s, s->line,
                      "@include is not part of this language: write include = \"FILE\"");
                break;
        case '=':
        case ':':
                scan_equals(s);
                break;
        case ',':
        case ';':
                scan_separator(s);
                break;
        default:
                scan_word(s);
        }
}

static void scan_next(struct scan *s)
{
        if (*s->p == '\n') {
                s->line++;
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

/* Everything still open is one mistake, at the end: what is missing may be missing anywhere. */
static void say_open(struct scan *s)
{
        OWN(text_fini) struct text open = { 0 };
        for (size_t i = 1; i <= s->depth; i++)
                text_addf(&open, "%s%c of line %u", i > 1 ? ", " : "", s->brackets[i].kind,
                          s->brackets[i].line);
        MISTAKE(s, s->line, "the text ends before its brackets do: %s (is the file complete?)",
                text_str(&open));
}

static void check_end(struct scan *s)
{
        const struct bracket *b = innermost(s);
        if (s->depth > 0)
                say_open(s);
        else if (b->expect != EXPECT_NAME && b->expect != EXPECT_END)
                MISTAKE(s, s->last, "the text ends in the middle of a directive");
}

bool scan_text(const char *text, const char *file, struct diag *diag, struct scan_lines *lines)
{
        size_t before = diag_errors(diag);
        struct scan s = { .p = text, .line = 1, .file = file, .diag = diag, .lines = lines };
        while (*s.p != '\0' && !s.stop)
                scan_next(&s);
        if (!s.stop)
                check_end(&s);
        free(s.names);
        return diag_errors(diag) == before;
}
