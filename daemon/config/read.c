/* SPDX-License-Identifier: ISC */
#include "config/read.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/rows.h"
#include "config/unknown.h"

struct reader {
        struct config *c;
        const struct source *source;
        struct diag *diag;
        bool whole; /* no mistake hides a group */
};

static struct origin origin_of(const struct reader *r, const struct node *n)
{
        return (struct origin){ r->source->file, node_line(n) };
}

/* One directive's value on its way, for messages. */
struct directive {
        const struct reader *reader;
        const struct row *row;
        const struct scope *scope;
};

static void wrong_value(const struct node *n, const char *what, void *arg)
{
        const struct directive *d = arg;
        struct origin at = origin_of(d->reader, n);
        char name[ROW_NAME_MAX];
        diag_error(d->reader->diag, &at, "%s%s%s%s", row_name(d->row, name),
                   d->scope->label[0] != '\0' ? " in " : "", d->scope->label, what);
}

static bool is_empty_list(const struct row *row, const struct node *n)
{
        return kind_is_list(row->kind) && node_type(n) == NODE_LIST && node_count(n) == 0;
}

static void read_row(struct reader *r, const struct scope *scope, const struct row *row,
                     const struct node *n)
{
        struct origin at = origin_of(r, n);
        struct origin *set = row_at(row, scope->object);
        if (set->file != NULL) {
                diag_error(r->diag, &at, "%s is given twice%s%s: it stands at %s:%u already",
                           node_name(n), scope->label[0] != '\0' ? " in " : "", scope->label,
                           set->file, set->line);
                return;
        }
        *set = at;
        struct directive d = { r, row, scope };
        struct value_reader how = { r->source->file, r->source->dir, wrong_value, &d };
        if (row->required && is_empty_list(row, n))
                wrong_value(n, " needs at least one value", &d);
        value_read(row->kind, &how, n, row->lo, row->hi, row_value(row, scope->object));
}

static void read_group(struct reader *r, const struct scope *scope, const struct node *group);

static bool is_group(struct reader *r, const struct scope *scope, const struct node *n,
                     const char *shape)
{
        struct origin at = origin_of(r, n);
        if (node_type(n) == NODE_GROUP)
                return true;
        r->whole = false;
        diag_error(r->diag, &at, "%s%s%s is a group: %s: { %s }", node_name(n),
                   scope->label[0] != '\0' ? " in " : "", scope->label, node_name(n), shape);
        return false;
}

/* name: {…}, once or, from several files, in parts. */
static void read_one_block(struct reader *r, const struct scope *scope, const struct block *b,
                           const struct node *n)
{
        struct scope inside = { .table = b->table, .object = block_object(b, scope->object) };
        scope_label(&inside, b->name, scope);
        if (!is_group(r, scope, n, "…"))
                return;
        if (b->has_head) {
                *(bool *)((char *)scope->object + b->present) = true;
                *(struct origin *)(void *)((char *)scope->object + b->at) = origin_of(r, n);
        }
        read_group(r, &inside, n);
}

static struct config_service *find_service(const struct config *c, const char *name)
{
        for (size_t i = 0; i < c->n_services; i++) {
                if (strcmp(c->services[i]->name, name) == 0)
                        return c->services[i];
        }
        return NULL;
}

static struct config_service *add_service(struct config *c, const char *name,
                                          const struct origin *at)
{
        struct config_service **grown =
                reallocarray(c->services, c->n_services + 1, sizeof(struct config_service *));
        if (grown == NULL)
                return NULL;
        c->services = grown;
        struct config_service *new = calloc(1, sizeof *new);
        if (new == NULL || (new->name = strdup(name)) == NULL) {
                free(new);
                return NULL;
        }
        table_init(&config_service_table, new);
        new->at = *at;
        c->services[c->n_services++] = new;
        return new;
}

static void read_service(struct reader *r, const struct block *b, const struct node *n)
{
        struct origin at = origin_of(r, n);
        struct scope scope = { .table = b->table };
        char name[128];
        snprintf(name, sizeof name, "%s \"%.100s\"", b->table->name, node_name(n));
        scope_label(&scope, name, NULL);
        if (node_type(n) != NODE_GROUP) {
                r->whole = false;
                unknown_not_named(r->diag, &at, b, node_name(n));
                return;
        }
        const struct config_service *other = find_service(r->c, node_name(n));
        if (other != NULL) {
                diag_error(r->diag, &at, "%s is given twice: it stands at %s:%u already", name,
                           other->at.file, other->at.line);
                return;
        }
        scope.object = add_service(r->c, node_name(n), &at);
        if (scope.object == NULL)
                diag_error(r->diag, &at, "%s: memory is short", name);
        else
                read_group(r, &scope, n);
}

static void read_block(struct reader *r, const struct scope *scope, const struct block *b,
                       const struct node *n)
{
        struct scope defaults = { .table = b->table, .object = &r->c->defaults };
        switch (b->use) {
        case BLOCK_ONE:
                read_one_block(r, scope, b, n);
                break;
        case BLOCK_NAMED:
                if (!is_group(r, scope, n, "NAME: { … }"))
                        break;
                if (r->c->services_at.file == NULL)
                        r->c->services_at = origin_of(r, n);
                for (size_t i = 0; i < node_count(n); i++)
                        read_service(r, b, node_at(n, i));
                break;
        case BLOCK_DEFAULTS:
                scope_label(&defaults, b->name, scope);
                if (is_group(r, scope, n, "…"))
                        read_group(r, &defaults, n);
                break;
        case BLOCK_FILES: /* read before all else */
                break;
        }
}

static void read_group(struct reader *r, const struct scope *scope, const struct node *group)
{
        for (size_t i = 0; i < node_count(group); i++) {
                const struct node *n = node_at(group, i);
                const struct row *row = table_row(scope->table, node_name(n));
                const struct block *block = table_block(scope->table, node_name(n));
                struct origin at = origin_of(r, n);
                if (row != NULL)
                        read_row(r, scope, row, n);
                else if (block != NULL)
                        read_block(r, scope, block, n);
                else {
                        bool is_group = node_type(n) == NODE_GROUP;
                        unknown_name(r->diag, &at, scope, node_name(n), is_group);
                        r->whole = r->whole && !is_group;
                }
        }
}

bool read_source(struct config *c, const struct source *source, struct diag *diag)
{
        struct reader r = { c, source, diag, true };
        struct scope top = { .table = &config_global_table, .object = c };
        read_group(&r, &top, tree_root(source->tree));
        return r.whole;
}

/* Rows of a table that have to be given and are not. */
static void check_required(const struct table *t, void *object, const struct origin *at,
                           const char *label, struct diag *diag)
{
        char name[ROW_NAME_MAX];
        for (size_t i = 0; i < t->n_rows; i++) {
                const struct row *row = &t->rows[i];
                if (row->required && row_at(row, object)->file == NULL)
                        diag_error(diag, at, "%s has no %s", label, row_name(row, name));
        }
}

static void complete_service(struct config *c, struct config_service *s, struct diag *diag)
{
        const struct table *t = &config_service_table;
        struct scope scope = { .table = t, .object = s };
        snprintf(scope.label, sizeof scope.label, "%s \"%.100s\"", t->name, s->name);
        if (!table_inherit(t, s, &c->defaults) || !table_preset(t, s))
                diag_error(diag, &s->at, "%s: memory is short", scope.label);
        check_required(t, s, &s->at, scope.label, diag);
        for (size_t i = 0; i < t->n_blocks; i++) {
                const struct block *b = &t->blocks[i];
                const char *head = (const char *)s;
                struct scope inside = { 0 };
                scope_label(&inside, b->name, &scope);
                if (*(const bool *)(head + b->present))
                        check_required(b->table, block_object(b, s),
                                       (const struct origin *)(const void *)(head + b->at),
                                       inside.label, diag);
        }
}

void read_complete(struct config *c, bool whole, struct diag *diag)
{
        const struct origin first = { .file = c->files.n > 0 ? c->files.items[0] : NULL };
        const struct origin *at = c->services_at.file != NULL ? &c->services_at : &first;
        if (c->n_services == 0 && whole)
                diag_error(
                        diag, at,
                        "no services: nothing to do (services: { NAME: { listen = …; connect = … "
                        "} })");
        for (size_t i = 0; i < c->n_services; i++)
                complete_service(c, c->services[i], diag);
        if (!table_preset(&config_global_table, c))
                diag_error(diag, NULL, "memory is short");
}
