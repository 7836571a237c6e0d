/* SPDX-License-Identifier: ISC */
/* The tables of directives, at run time.
 *
 * A directive is one row in config/directives/<table>.def:
 *
 *   D(member, KIND, default, range, takes effect, "help")
 *
 *   member        its name with _ for -; the struct member, and <member>_at where it was set
 *   KIND          in kind.c: type, notation, what a message says it expects
 *   default       as text in the directive's own notation; UNSET: none; REQUIRED: has to be given
 *   range         RANGE("lo", "hi") in the directive's own notation, both included; ANY
 *   takes effect  ON_START, ON_RELOAD (at once), ON_NEW_CONNECTIONS (after a reload)
 *   help          whole sentences, for the manual
 */
#ifndef CONFIG_ROWS_H
#define CONFIG_ROWS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/diag.h"
#include "config/kind.h"

enum effect { ON_START, ON_RELOAD, ON_NEW_CONNECTIONS };

struct row {
        const char *member; /* "connect_timeout" */
        const struct kind *kind;
        const char *preset; /* the default; NULL: none */
        bool required;
        const char *lo, *hi; /* NULL: any */
        enum effect effect;
        const char *help;
        size_t value, at; /* offsets in the table's struct */
};

/* A group that may stand inside another. */
enum block_use {
        BLOCK_ONE,      /* name: {…} */
        BLOCK_NAMED,    /* name: { NAME: {…} … } */
        BLOCK_DEFAULTS, /* name: {…}, values for every BLOCK_NAMED of the same table */
        BLOCK_FILES,    /* name = "pattern": not a group, but read before all others */
};

struct table;
struct block {
        const char *name;
        enum block_use use;
        const struct table *table;
        size_t offset;      /* BLOCK_ONE: of its struct in the one around it */
        bool has_head;      /* that struct has `present` and `at` … */
        size_t present, at; /* … at these offsets in the struct around it */
        bool is_switch;     /* that it is there has a meaning of its own: TLS is on */
};

struct table {
        const char *name;  /* "service", "listen-tls", … */
        const char *place; /* where its directives belong, in words: "in a service" */
        const struct row *rows;
        size_t n_rows;
        const struct block *blocks;
        size_t n_blocks;
};

/* All tables; the global one first. */
extern const struct table *const config_tables[];
extern const size_t config_n_tables;

extern const struct table config_global_table, config_service_table;

/* A row's name as it is written: "connect-timeout". Returns buf. */
#define ROW_NAME_MAX 48
const char *row_name(const struct row *r, char buf[static ROW_NAME_MAX]);

/* The row or block of that name; NULL: none. */
const struct row *table_row(const struct table *t, const char *name);
const struct block *table_block(const struct table *t, const char *name);

static inline void *row_value(const struct row *r, void *object)
{
        return (char *)object + r->value;
}
static inline struct origin *row_at(const struct row *r, void *object)
{
        return (struct origin *)(void *)((char *)object + r->at);
}
static inline void *block_object(const struct block *b, void *object)
{
        return (char *)object + b->offset;
}

/* Over a struct of that table, its BLOCK_ONE blocks included: make every value empty; release every
 * value; give every value not set (no origin) the one of from; then the default of its row. The
 * last two return false when memory is short. */
void table_init(const struct table *t, void *object);
void table_fini(const struct table *t, void *object);
bool table_inherit(const struct table *t, void *object, const void *from);
bool table_preset(const struct table *t, void *object);

#endif
