/* SPDX-License-Identifier: ISC */
/* What the command line gave: where the configuration is, which is read at the start and again for
 * each reload. */
#ifndef CONTROL_GIVEN_H
#define CONTROL_GIVEN_H

#include <stdbool.h>

#include "base/diag.h"
#include "config/config.h"

/* Strings are borrowed from the command line. */
struct given {
        const char *file; /* NULL when text is given */
        const char *text;
        bool verbose; /* log everything, whatever the configuration says */
};

/* Mistakes go to diag; NULL when there was one. */
struct config *given_read(const struct given *given, struct diag *diag);

/* Log as the configuration says. False: where that cannot be, which diag says; the log goes on as
 * before. */
bool given_open_log(const struct given *given, const struct config *conf, struct diag *diag);

#endif
