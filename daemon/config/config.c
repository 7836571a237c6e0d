/* SPDX-License-Identifier: ISC */
#include "config/config.h"

#include <stdlib.h>

#include "base/own.h"
#include "config/check.h"
#include "config/list.h"
#include "config/read.h"
#include "config/rows.h"
#include "config/source.h"

static void service_free(struct config_service *s)
{
        table_fini(&config_service_table, s);
        free(s->name);
        free(s);
}

struct config *config_ref(struct config *c)
{
        ref_get(&c->ref);
        return c;
}

void config_free(struct config *c)
{
        if (c == NULL || !ref_put(&c->ref))
                return;
        for (size_t i = 0; i < c->n_services; i++)
                service_free(c->services[i]);
        free(c->services);
        table_fini(&config_service_table, &c->defaults);
        table_fini(&config_global_table, c);
        string_list_fini(&c->files);
        free(c);
}

static struct config *config_new(struct diag *diag)
{
        struct config *c = calloc(1, sizeof *c);
        if (c == NULL) {
                diag_error(diag, NULL, "memory is short");
                return NULL;
        }
        ref_init(&c->ref);
        table_init(&config_global_table, c);
        table_init(&config_service_table, &c->defaults);
        return c;
}

/* What the sources say, completed and checked. */
static void read_all(struct config *c, const struct sources *sources, struct diag *diag)
{
        bool whole = diag_errors(diag) == 0;
        for (size_t i = 0; i < sources->n; i++) {
                if (sources->items[i].tree != NULL)
                        whole = read_source(c, &sources->items[i], diag) && whole;
        }
        read_complete(c, whole, diag);
        check_config(c, diag);
}

/* Exactly one of path and text is given. */
static struct config *config_read(const char *path, const char *text, const char *name,
                                  struct diag *diag)
{
        size_t before = diag_errors(diag);
        struct config *c = config_new(diag);
        if (c == NULL)
                return NULL;
        OWN(sources_fini) struct sources sources = { .files = &c->files, .diag = diag };
        if (path != NULL)
                sources_read_path(&sources, path);
        else
                sources_read_text(&sources, text, name);
        read_all(c, &sources, diag);
        if (diag_errors(diag) == before)
                return c;
        config_free(c);
        return NULL;
}

struct config *config_read_path(const char *path, struct diag *diag)
{
        return config_read(path, NULL, NULL, diag);
}

struct config *config_read_text(const char *text, const char *name, struct diag *diag)
{
        return config_read(NULL, text, name, diag);
}
