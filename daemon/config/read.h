/* SPDX-License-Identifier: ISC */
/* From trees of settings to a configuration. */
#ifndef CONFIG_READ_H
#define CONFIG_READ_H

#include <stdbool.h>

#include "base/diag.h"
#include "config/config.h"
#include "config/source.h"

/* Read one source into c, whose tables are initialised. Mistakes go to diag. Called for each
 * source; values not given stay empty. Returns false if a mistake hides a group, so that what seems
 * to be missing may be there. */
bool read_source(struct config *c, const struct source *source, struct diag *diag);

/* When all sources are read: what the services take from defaults, what is missing, the defaults of
 * the rows. whole: everything could be read; else no service may only seem to be there. */
void read_complete(struct config *c, bool whole, struct diag *diag);

#endif
