/* SPDX-License-Identifier: ISC */
/* Names that are no directive where they stand: what was meant, and where it belongs. */
#ifndef CONFIG_UNKNOWN_H
#define CONFIG_UNKNOWN_H

#include <stdbool.h>

#include "base/diag.h"
#include "config/rows.h"

/* A group being read. */
struct scope {
        const struct table *table;
        void *object;    /* its struct */
        char label[192]; /* what messages call it: `service "ssh"`, `log`; "" at the top level */
};

/* The label of a group inside another (NULL: the top level): `listen-tls of service "web"`. */
void scope_label(struct scope *inside, const char *name, const struct scope *outer);

/* Say that name stands in scope and is no directive there. If it was a slip of the pen, the
 * directive meant counts as given, so that nobody is told that it is missing. */
void unknown_name(struct diag *diag, const struct origin *at, const struct scope *scope,
                  const char *name, bool is_group);

/* Say that name, among the groups of b (services), is no group. */
void unknown_not_named(struct diag *diag, const struct origin *at, const struct block *b,
                       const char *name);

#endif
