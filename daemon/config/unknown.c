/* SPDX-License-Identifier: ISC */
#include "config/unknown.h"

#include <assert.h>
#include <stdio.h>

#include "base/own.h"
#include "base/text.h"

void scope_label(struct scope *inside, const char *name, const struct scope *outer)
{
        if (outer == NULL || outer->label[0] == '\0')
                snprintf(inside->label, sizeof inside->label, "%s", name);
        else
                snprintf(inside->label, sizeof inside->label, "%s of %.140s", name, outer->label);
}

#define ROWS_MAX 64

/* What a name in this table can be: its rows, then its blocks. */
struct names {
        const struct table *table;
        char rows[ROWS_MAX]
                 [ROW_NAME_MAX]; /* all stay: the nearest is pointed at while others come */
};

static const char *nth_name(size_t i, void *arg)
{
        struct names *names = arg;
        const struct table *t = names->table;
        assert(t->n_rows <= ROWS_MAX);
        if (i < t->n_rows)
                return row_name(&t->rows[i], names->rows[i]);
        i -= t->n_rows;
        return i < t->n_blocks ? t->blocks[i].name : NULL;
}

/* "in a service or in log: {…}": every table that has a directive or group of this name. */
static bool add_places(const char *name, struct text *out)
{
        size_t n = 0;
        for (size_t i = 0; i < config_n_tables; i++) {
                const struct table *t = config_tables[i];
                if (table_row(t, name) == NULL && table_block(t, name) == NULL)
                        continue;
                text_addf(out, "%s%s", n++ > 0 ? " or " : "", t->place);
        }
        return n > 0;
}

void unknown_name(struct diag *diag, const struct origin *at, const struct scope *scope,
                  const char *name, bool is_group)
{
        OWN(text_fini) struct text where = { 0 };
        const char *what = is_group ? "group" : "directive";
        bool top = scope->label[0] == '\0';
        const char *in = top ? "" : " in ";
        if (add_places(name, &where)) {
                diag_error(diag, at, "\"%s\" does not belong %s%s but %s", name,
                           top ? "at the top level" : "in ", scope->label, text_str(&where));
                return;
        }
        struct names names;
        names.table = scope->table;
        const char *near = text_nearest(name, nth_name, &names);
        if (near == NULL) {
                diag_error(diag, at, "unknown %s \"%s\"%s%s", what, name, in, scope->label);
                return;
        }
        diag_error(diag, at, "unknown %s \"%s\"%s%s: did you mean \"%s\"?", what, name, in,
                   scope->label, near);
        const struct row *meant = table_row(scope->table, near);
        if (meant != NULL && row_at(meant, scope->object)->file == NULL)
                *row_at(meant, scope->object) = *at;
}

void unknown_not_named(struct diag *diag, const struct origin *at, const struct block *b,
                       const char *name)
{
        if (table_row(b->table, name) != NULL || table_block(b->table, name) != NULL)
                diag_error(diag, at,
                           "\"%s\" does not belong in %s but %s: %s: { NAME: { %s = … } }", name,
                           b->name, b->table->place, b->name, name);
        else
                diag_error(diag, at, "\"%s\" in %s is a group: %s: { … }", name, b->name, name);
}
