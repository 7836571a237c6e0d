/* SPDX-License-Identifier: ISC */
/* The effective configuration, in its own language. */
#include "config/config.h"

#include <stdlib.h>
#include <string.h>

#include "base/own.h"
#include "base/text.h"
#include "config/rows.h"

/* Where comments begin, if the value leaves room. */
#define COMMENT_COLUMN 56

struct dump {
        struct text out;
        unsigned depth;
};

/* A group's values, and the same group in defaults (NULL: defaults are not for it). */
struct dumped {
        const struct table *table;
        const void *object, *defaults;
};

static void add_comment(struct dump *d, size_t line_start, const struct origin *at,
                        bool from_defaults)
{
        size_t width = d->out.len - line_start;
        text_addf(&d->out, "%*s # ", (int)(width < COMMENT_COLUMN ? COMMENT_COLUMN - width : 0),
                  "");
        if (at->file == NULL) {
                text_add(&d->out, "default");
        } else {
                text_add(&d->out, from_defaults ? "defaults at " : "");
                text_add_printable(&d->out, at->file, strlen(at->file));
                if (at->line > 0)
                        text_addf(&d->out, ":%u", at->line);
        }
        text_add(&d->out, "\n");
}

static size_t begin_line(struct dump *d)
{
        size_t start = d->out.len;
        text_addf(&d->out, "%*s", (int)(4 * d->depth), "");
        return start;
}

static void dump_open(struct dump *d, const char *name, const struct origin *at)
{
        size_t start = begin_line(d);
        text_addf(&d->out, "%s: {", name);
        if (at != NULL)
                add_comment(d, start, at, false);
        else
                text_add(&d->out, "\n");
        d->depth++;
}

static void dump_close(struct dump *d)
{
        d->depth--;
        begin_line(d);
        text_add(&d->out, "}\n");
}

static const struct origin *at_in(const struct row *r, const void *object)
{
        return (const struct origin *)(const void *)((const char *)object + r->at);
}

/* Whether a value is the one of defaults: it has its place (and, both being on one line, its text).
 */
static bool is_inherited(const struct row *r, const struct dumped *g, const char *value)
{
        if (g->defaults == NULL)
                return false;
        OWN(text_fini) struct text there = { 0 };
        const struct origin *a = at_in(r, g->object), *b = at_in(r, g->defaults);
        if (a->file == NULL || a->file != b->file || a->line != b->line)
                return false;
        value_print(r->kind, (const char *)g->defaults + r->value, &there);
        return strcmp(text_str(&there), value) == 0;
}

static void dump_row(struct dump *d, const struct row *r, const struct dumped *g)
{
        OWN(text_fini) struct text value = { 0 };
        char name[ROW_NAME_MAX];
        size_t start = begin_line(d);
        if (value_print(r->kind, (const char *)g->object + r->value, &value))
                text_addf(&d->out, "%s = %s;", row_name(r, name), text_str(&value));
        else
                text_addf(&d->out, "# %s is not set", row_name(r, name));
        d->out.failed = d->out.failed || value.failed;
        add_comment(d, start, at_in(r, g->object), is_inherited(r, g, text_str(&value)));
}

static void dump_rows(struct dump *d, const struct dumped *g)
{
        for (size_t i = 0; i < g->table->n_rows; i++)
                dump_row(d, &g->table->rows[i], g);
}

static const void *inside(const void *object, const struct block *b)
{
        return object == NULL ? NULL : (const char *)object + b->offset;
}

static void dump_group(struct dump *d, const struct dumped *g)
{
        dump_rows(d, g);
        for (size_t i = 0; i < g->table->n_blocks; i++) {
                const struct block *b = &g->table->blocks[i];
                const char *head = g->object;
                if (b->use != BLOCK_ONE || (b->is_switch && !*(const bool *)(head + b->present)))
                        continue;
                const struct origin *at =
                        b->has_head ? (const struct origin *)(const void *)(head + b->at) : NULL;
                struct dumped in = { b->table, inside(g->object, b), inside(g->defaults, b) };
                dump_open(d, b->name, at);
                dump_group(d, &in);
                dump_close(d);
        }
}

void config_dump(const struct config *c, FILE *to)
{
        struct dump d = { 0 };
        struct dumped global = { &config_global_table, c, NULL };
        dump_group(&d, &global);
        dump_open(&d, "services", NULL);
        for (size_t i = 0; i < c->n_services; i++) {
                const struct config_service *s = c->services[i];
                struct dumped service = { &config_service_table, s, &c->defaults };
                dump_open(&d, s->name, &s->at);
                dump_group(&d, &service);
                dump_close(&d);
        }
        dump_close(&d);
        if (d.out.failed)
                fputs("# memory is short: this is not all of it\n", to);
        fputs(text_str(&d.out), to);
        text_fini(&d.out);
}
