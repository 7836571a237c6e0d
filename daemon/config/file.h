/* SPDX-License-Identifier: ISC */
/* A configuration file's octets. */
#ifndef CONFIG_FILE_H
#define CONFIG_FILE_H

#include <sys/stat.h>

#include "base/diag.h"

/* Larger is no configuration (octets). */
#define CONFIG_FILE_MAX (16 * 1024 * 1024)

/* Read a file (or a pipe) to its end. Returns its text, which ends in a line end and holds no NUL,
 * owned by the caller, and what it is in *st; or NULL after saying why: at the place that names the
 * file (from; NULL: the command line does), or in the file. */
char *config_file_read(const char *path, const struct origin *from, struct stat *st,
                       struct diag *diag);

#endif
