/* SPDX-License-Identifier: ISC */
#include "base/diag.h"

#include <stdarg.h>
#include <stdlib.h>

#include "base/own.h"
#include "base/text.h"

struct message {
        enum diag_severity severity;
        char *line;
};

struct diag {
        struct message *messages;
        size_t n, cap;
        size_t errors;
        size_t lost; /* messages there was no memory for */
};

struct diag *diag_new(void)
{
        return calloc(1, sizeof(struct diag));
}

void diag_free(struct diag *d)
{
        if (d == NULL)
                return;
        for (size_t i = 0; i < d->n; i++)
                free(d->messages[i].line);
        free(d->messages);
        free(d);
}

static bool diag_reserve(struct diag *d)
{
        if (d->n < d->cap)
                return true;
        size_t cap = d->cap == 0 ? 8 : 2 * d->cap;
        struct message *grown = reallocarray(d->messages, cap, sizeof *grown);
        if (grown == NULL)
                return false;
        d->messages = grown;
        d->cap = cap;
        return true;
}

static char *compose(enum diag_severity severity, const struct origin *at, const char *format,
                     va_list args) __attribute__((format(printf, 3, 0)));
static char *compose(enum diag_severity severity, const struct origin *at, const char *format,
                     va_list args)
{
        OWN(text_fini) struct text said = { 0 }, line = { 0 };
        text_addv(&said, format, args);
        if (at != NULL && at->file != NULL) {
                text_addf(&line, "%s:", at->file);
                if (at->line > 0)
                        text_addf(&line, "%u:", at->line);
                text_add(&line, " ");
        }
        if (severity == DIAG_WARNING)
                text_add(&line, "warning: ");
        /* Messages quote what was written, which may hold anything, line ends included. */
        text_add_printable(&line, text_str(&said), said.len);
        return said.failed ? NULL : text_take(&line);
}

static void diag_add(struct diag *d, enum diag_severity severity, const struct origin *at,
                     const char *format, va_list args) __attribute__((format(printf, 4, 0)));
static void diag_add(struct diag *d, enum diag_severity severity, const struct origin *at,
                     const char *format, va_list args)
{
        char *line = diag_reserve(d) ? compose(severity, at, format, args) : NULL;
        if (line == NULL)
                d->lost++;
        else
                d->messages[d->n++] = (struct message){ severity, line };
}

void diag_error(struct diag *d, const struct origin *at, const char *format, ...)
{
        va_list args;
        va_start(args, format);
        d->errors++;
        diag_add(d, DIAG_ERROR, at, format, args);
        va_end(args);
}

void diag_warning(struct diag *d, const struct origin *at, const char *format, ...)
{
        va_list args;
        va_start(args, format);
        diag_add(d, DIAG_WARNING, at, format, args);
        va_end(args);
}

size_t diag_errors(const struct diag *d)
{
        return d->errors;
}

void diag_each(const struct diag *d, diag_line_fn *fn, void *arg)
{
        for (size_t i = 0; i < d->n; i++)
                fn(d->messages[i].severity, d->messages[i].line, arg);
        if (d->lost > 0) {
                char line[96];
                snprintf(line, sizeof line, "memory is short: %zu more messages are missing here",
                         d->lost);
                fn(DIAG_ERROR, line, arg);
        }
}

static void print_line(enum diag_severity severity, const char *line, void *arg)
{
        (void)severity;
        fprintf(arg, "%s\n", line);
}

void diag_print(const struct diag *d, FILE *to)
{
        diag_each(d, print_line, to);
}
