/* SPDX-License-Identifier: ISC */
#include "config/changes.h"

#include <stdlib.h>
#include <string.h>

#include "base/own.h"
#include "base/text.h"
#include "config/rows.h"

struct comparison {
        struct config_changes seen;
        config_change_fn *fn;
        void *arg;
        struct text at_once, later; /* names of directives that changed in the group at hand */
};

static bool same_value(const struct row *r, const void *a, const void *b, bool *failed)
{
        OWN(text_fini) struct text x = { 0 }, y = { 0 };
        bool has_x = value_print(r->kind, (const char *)a + r->value, &x);
        bool has_y = value_print(r->kind, (const char *)b + r->value, &y);
        *failed = *failed || x.failed || y.failed;
        return has_x == has_y && (!has_x || strcmp(text_str(&x), text_str(&y)) == 0);
}

static void note(struct text *list, const char *group, const char *name)
{
        text_addf(list, "%s%s%s%s", list->len > 0 ? ", " : "", group, *group != '\0' ? "." : "",
                  name);
}

static void compare_rows(struct comparison *c, const struct table *t, const char *group,
                         const void *a, const void *b)
{
        char name[ROW_NAME_MAX];
        for (size_t i = 0; i < t->n_rows; i++) {
                const struct row *r = &t->rows[i];
                if (!same_value(r, a, b, &c->seen.failed))
                        note(r->effect == ON_START ? &c->later : &c->at_once, group,
                             row_name(r, name));
        }
}

static bool stands(const struct block *b, const void *object)
{
        return !b->is_switch || *(const bool *)((const char *)object + b->present);
}

/* Groups are one deep. */
static void compare_groups(struct comparison *c, const struct table *t, const void *a,
                           const void *b)
{
        compare_rows(c, t, "", a, b);
        for (size_t i = 0; i < t->n_blocks; i++) {
                const struct block *in = &t->blocks[i];
                if (in->use != BLOCK_ONE)
                        continue;
                if (stands(in, a) && stands(in, b))
                        compare_rows(c, in->table, in->name, (const char *)a + in->offset,
                                     (const char *)b + in->offset);
                else if (stands(in, a) != stands(in, b))
                        note(&c->at_once, "", in->name);
        }
}

static void tell(struct comparison *c, const char *format, ...)
        __attribute__((format(printf, 2, 3)));
static void tell(struct comparison *c, const char *format, ...)
{
        OWN(text_fini) struct text line = { 0 };
        va_list args;
        va_start(args, format);
        text_addv(&line, format, args);
        va_end(args);
        c->seen.failed = c->seen.failed || line.failed;
        if (c->fn != NULL && !line.failed)
                c->fn(text_str(&line), c->arg);
}

/* Returns whether anything had changed. */
static bool tell_directives(struct comparison *c, const char *whose)
{
        bool some = c->at_once.len > 0 || c->later.len > 0;
        if (c->at_once.len > 0)
                tell(c, "%s%s changed", whose, text_str(&c->at_once));
        if (c->later.len > 0)
                tell(c, "%s%s changed, which takes effect after a restart", whose,
                     text_str(&c->later));
        c->seen.needs_restart = c->seen.needs_restart || c->later.len > 0;
        c->seen.failed = c->seen.failed || c->at_once.failed || c->later.failed;
        text_fini(&c->at_once);
        text_fini(&c->later);
        return some;
}

static void compare_services(struct comparison *c, const struct config_service *a,
                             const struct config_service *b)
{
        OWN(text_fini) struct text whose = { 0 };
        text_addf(&whose, "service \"%s\": ", a->name);
        compare_groups(c, &config_service_table, a, b);
        c->seen.changed += tell_directives(c, text_str(&whose));
}

static int by_name(const void *a, const void *b)
{
        const struct config_service *const *x = a, *const *y = b;
        return strcmp((*x)->name, (*y)->name);
}

/* The services in order of their names; to be freed. NULL: memory is short. */
static const struct config_service **sorted(const struct config *c)
{
        const struct config_service **all = calloc(c->n_services + 1, sizeof *all);
        if (all == NULL)
                return NULL;
        for (size_t i = 0; i < c->n_services; i++)
                all[i] = c->services[i];
        qsort(all, c->n_services, sizeof *all, by_name);
        return all;
}

static void merge(struct comparison *c, const struct config_service **a,
                  const struct config_service **b)
{
        while (*a != NULL || *b != NULL) {
                int order = *a == NULL ? 1 : *b == NULL ? -1 : strcmp((*a)->name, (*b)->name);
                if (order == 0) {
                        compare_services(c, *a++, *b++);
                } else if (order < 0) {
                        tell(c, "service \"%s\": removed", (*a++)->name);
                        c->seen.removed++;
                } else {
                        tell(c, "service \"%s\": added", (*b++)->name);
                        c->seen.added++;
                }
        }
}

struct config_changes config_changes(const struct config *before, const struct config *after,
                                     config_change_fn *fn, void *arg)
{
        struct comparison c = { .fn = fn, .arg = arg };
        OWN_FREE const struct config_service **a = sorted(before);
        OWN_FREE const struct config_service **b = sorted(after);
        compare_groups(&c, &config_global_table, before, after);
        c.seen.elsewhere = tell_directives(&c, "");
        if (a != NULL && b != NULL)
                merge(&c, a, b);
        else
                c.seen.failed = true;
        return c.seen;
}
