/* SPDX-License-Identifier: ISC */
#include "config/files.h"

#include "config/rows.h"

struct each {
        config_file_fn *fn;
        void *arg;
};

static void value_files(const struct each *e, const struct kind *k, const void *value)
{
        if (k->storage == STORE_TEXTS) {
                const struct string_list *list = value;
                for (size_t i = 0; i < list->n; i++)
                        e->fn(list->items[i], e->arg);
        } else if (*(char *const *)value != NULL) {
                e->fn(*(char *const *)value, e->arg);
        }
}

static void table_files(const struct each *e, const struct table *t, const char *object)
{
        for (size_t i = 0; i < t->n_rows; i++)
                if (t->rows[i].kind->path)
                        value_files(e, t->rows[i].kind, object + t->rows[i].value);
        for (size_t i = 0; i < t->n_blocks; i++) {
                const struct block *b = &t->blocks[i];
                if (b->use == BLOCK_ONE && (!b->is_switch || *(const bool *)(object + b->present)))
                        table_files(e, b->table, object + b->offset);
        }
}

void config_each_file(const struct config *c, config_file_fn *fn, void *arg)
{
        const struct each e = { fn, arg };
        for (size_t i = 0; i < c->n_services; i++)
                table_files(&e, &config_service_table, (const char *)c->services[i]);
}
