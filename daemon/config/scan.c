/* SPDX-License-Identifier: ISC */
#include "config/scan.h"

#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/own.h"

/* Deeper nesting is never meant, and libconfig reads it by recursion. */
#define DEPTH_MAX 16

/* A name given in a group that is still open. */
struct name {
        const char *s;
        size_t len;
        unsigned line;
};

/* A bracket still open; the first is the file itself, kind '\0'. */
struct bracket {
        char kind;
        unsigned line;
        size_t names; /* index in scan.names of its first */
        bool value;   /* a group: after = or :, before the value is complete */
};

struct scan {
        const char *p;
        unsigned line;
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

static bool in_list(struct scan *s)
{
        return innermost(s)->kind == '[' || innermost(s)->kind == '(';
}

static void add_value(struct scan *s)
{
        struct scan_lines *l = s->lines;
        innermost(s)->value = false;
        unsigned *items = with_room(l->items, l->n, &l->cap, sizeof *items);
        if (items == NULL) {
                FATAL(s, 0, "memory is short");
                return;
        }
        l->items = items;
        l->items[l->n++] = s->line;
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
        if (!after_text)
                add_value(s);
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
        if (s->depth == DEPTH_MAX) {
                FATAL(s, s->line, "more than %d brackets inside each other", DEPTH_MAX);
                return;
        }
        innermost(s)->value = false;
        s->brackets[++s->depth] =
                (struct bracket){ .kind = *s->p++, .line = s->line, .names = s->n_names };
}

static char closing(char open)
{
        return open == '{' ? '}' : open == '[' ? ']' : ')';
}

static void scan_close(struct scan *s)
{
        const struct bracket *b = innermost(s);
        if (s->depth == 0)
                FATAL(s, s->line, "%c without an opening bracket before it", *s->p);
        else if (*s->p != closing(b->kind))
                FATAL(s, s->line, "%c where the %c of line %u needs its %c", *s->p, b->kind,
                      b->line, closing(b->kind));
        else
                s->depth--;
        s->n_names = b->names;
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

static bool is_name_char(char c)
{
        return isalnum((unsigned char)c) || c == '*' || c == '-' || c == '_';
}

/* What a value without quotes goes on for. */
static size_t bare_length(const char *p)
{
        size_t n = 0;
        while (!isspace((unsigned char)p[n]) && strchr("\"{}[](),;#=", p[n]) == NULL &&
               strncmp(p + n, "//", 2) != 0 && strncmp(p + n, "/*", 2) != 0)
                n++;
        return n;
}

static bool is_word(const char *p, size_t n, const char *word)
{
        return strlen(word) == n && strncasecmp(p, word, n) == 0;
}

/* libconfig 1.5 keeps the low 32 bits of a larger number, without a word. */
static void check_integer(struct scan *s, const char *p, size_t n)
{
        char *end;
        errno = 0;
        bool hex = n > 2 && p[0] == '0' && (p[1] == 'x' || p[1] == 'X');
        long long value = strtoll(p, &end, hex ? 16 : 10);
        if (errno == ERANGE || value > INT_MAX || value < INT_MIN)
                MISTAKE(s, s->line, "%.*s is too large a number", (int)n, p);
}

/* A number as libconfig's grammar has it: an integer (perhaps with L at its end) or a fraction. */
static bool is_number(struct scan *s, const char *p, size_t n)
{
        char *end;
        size_t digits = n;
        while (digits > 0 && n - digits < 2 && p[digits - 1] == 'L')
                digits--;
        bool sign = *p == '-' || *p == '+';
        bool hex = n > 2 && p[0] == '0' && (p[1] == 'x' || p[1] == 'X');
        size_t begin = hex ? 2 : sign;
        size_t span = strspn(p + begin, hex ? "0123456789abcdefABCDEF" : "0123456789");
        if (span > 0 && begin + span == digits) {
                check_integer(s, p, digits);
                return true;
        }
        if (hex || n == 0 || strspn(p, "0123456789.eE+-") < n)
                return false;
        (void)strtod(p, &end);
        return end == p + n;
}

/* NAME = where a value is due: the one before it was forgotten. */
static bool is_next_name(struct scan *s, size_t n)
{
        return !in_list(s) && isalpha((unsigned char)*s->p) &&
               s->p[n + strspn(s->p + n, " \t")] == '=';
}

static void scan_bare_value(struct scan *s)
{
        size_t n = bare_length(s->p);
        add_value(s);
        if (n == 0) {
                s->p++; /* nothing a value begins with: libconfig says where */
                return;
        }
        if (is_next_name(s, n))
                MISTAKE(s, s->line, "the directive before %.*s has no value", (int)n, s->p);
        else if (!is_word(s->p, n, "true") && !is_word(s->p, n, "false") && !is_number(s, s->p, n))
                MISTAKE(s, s->line, "%.*s: text needs quotes, \"%.*s\"", (int)n, s->p, (int)n,
                        s->p);
        s->p += n;
}

static void scan_name(struct scan *s)
{
        size_t n = 0;
        while (is_name_char(s->p[n]))
                n++;
        if (n == 0) {
                s->p++;
                return;
        }
        add_name(s, s->p, n);
        s->p += n;
}

static void scan_token(struct scan *s)
{
        bool after_text = s->after_text;
        s->after_text = false;
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
        case ',':
        case ';':
                innermost(s)->value = *s->p == '=' || *s->p == ':';
                s->p++;
                break;
        default:
                if (in_list(s) || innermost(s)->value)
                        scan_bare_value(s);
                else
                        scan_name(s);
        }
}

static void scan_next(struct scan *s)
{
        if (*s->p == '\n') {
                s->line++;
                s->p++;
        } else if (isspace((unsigned char)*s->p)) {
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
        struct scan s = { .p = text, .line = 1, .file = file, .diag = diag, .lines = lines };
        while (*s.p != '\0' && !s.stop)
                scan_next(&s);
        for (size_t i = s.depth; i > 0 && !s.stop; i--)
                MISTAKE(&s, s.brackets[i].line,
                        "the %c that opens here is never closed (is the file complete?)",
                        s.brackets[i].kind);
        free(s.names);
        return diag_errors(diag) == before;
}
