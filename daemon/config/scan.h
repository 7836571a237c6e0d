/* SPDX-License-Identifier: ISC */
/* A look at a configuration's text before libconfig reads it: every mistake in the language, with
 * its place and what was expected there. libconfig itself says "syntax error" (and loses memory
 * when it does), or lets pass a number too large, a comment or text that never ends, a file cut
 * short. */
#ifndef CONFIG_SCAN_H
#define CONFIG_SCAN_H

#include <stdbool.h>
#include <stddef.h>

#include "base/diag.h"

/* Where each number, truth and text begins, in their order. libconfig gives the last text of an
 * array the line of whatever follows it. */
struct scan_lines {
        unsigned *items;
        size_t n, cap;
};
void scan_lines_fini(struct scan_lines *lines);

/* text ends in a line end and NUL. Mistakes go to diag with file and their line; returns whether
 * there were none. Fills *lines (start with {0}). */
bool scan_text(const char *text, const char *file, struct diag *diag, struct scan_lines *lines);

#endif
