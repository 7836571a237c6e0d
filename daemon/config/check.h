/* SPDX-License-Identifier: ISC */
/* The rules between directives. */
#ifndef CONFIG_CHECK_H
#define CONFIG_CHECK_H

#include "base/diag.h"
#include "config/config.h"

/* Mistakes go to diag. Takes configurations with mistakes in single values too: what could not be
 * read is empty. */
void check_config(const struct config *c, struct diag *diag);

/* In check_listen.c: no two listeners on one address. */
void check_listen(const struct config *c, struct diag *diag);

#endif
