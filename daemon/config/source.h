/* SPDX-License-Identifier: ISC */
/* The texts a configuration is made of: the first one and everything it includes. */
#ifndef CONFIG_SOURCE_H
#define CONFIG_SOURCE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/diag.h"
#include "config/kinds.h"
#include "config/tree.h"

struct source {
        const char *file;  /* as messages name it; borrowed from the list of files */
        char *dir;         /* absolute: what its relative paths are relative to */
        struct tree *tree; /* NULL: it could not be read, which has been said */
        dev_t dev;         /* which file it is, whatever its name; 0 and 0: a text */
        ino_t ino;
        bool open; /* its includes are being read */
};

struct sources {
        struct source *items; /* in the order read: a file before what it includes */
        size_t n;
        struct string_list *files; /* gets every name and the place that includes it; borrowed */
        struct diag *diag;         /* borrowed */
};

/* Read a file, or a text, and all that is included. Start with files and diag set, the rest 0.
 * Mistakes go to diag; what could be read is there all the same. */
void sources_read_path(struct sources *s, const char *path);
void sources_read_text(struct sources *s, const char *text, const char *name);
void sources_fini(struct sources *s);

#endif
