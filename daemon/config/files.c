/* SPDX-License-Identifier: ISC */
#include "config/files.h"

#include "config/rows.h"

struct each {
        config_file_at_fn *fn;
        void *arg;
};

static void value_files(const struct each *e, const struct row *r, const char *object)
{
        char name[ROW_NAME_MAX];
        const void *value = object + r->value;
        row_name(r, name);
        if (r->kind->storage == STORE_TEXTS) {
                const struct string_list *list = value;
                for (size_t i = 0; i < list->n; i++)
                        e->fn(list->items[i], name, &list->at[i], e->arg);
        } else if (*(char *const *)value != NULL) {
                e->fn(*(char *const *)value, name,
                      (const struct origin *)(const void *)(object + r->at), e->arg);
        }
}

static void table_files(const struct each *e, const struct table *t, const char *object)
{
        for (size_t i = 0; i < t->n_rows; i++)
                if (t->rows[i].kind->path)
                        value_files(e, &t->rows[i], object);
        for (size_t i = 0; i < t->n_blocks; i++) {
                const struct block *b = &t->blocks[i];
                if (b->use == BLOCK_ONE && (!b->is_switch || *(const bool *)(object + b->present)))
                        table_files(e, b->table, object + b->offset);
        }
}

void config_each_file_at(const struct config *c, config_file_at_fn *fn, void *arg)
{
        const struct each e = { fn, arg };
        for (size_t i = 0; i < c->n_services; i++)
                table_files(&e, &config_service_table, (const char *)c->services[i]);
}

struct plain {
        config_file_fn *fn;
        void *arg;
};

static void without_origin(const char *path, const char *directive, const struct origin *at,
                           void *arg)
{
        (void)directive;
        (void)at;
        const struct plain *p = arg;
        p->fn(path, p->arg);
}

void config_each_file(const struct config *c, config_file_fn *fn, void *arg)
{
        struct plain p = { fn, arg };
        config_each_file_at(c, without_origin, &p);
}
