/* SPDX-License-Identifier: ISC */
/* The files that a configuration names: certificates, keys, authorities. */
#ifndef CONFIG_FILES_H
#define CONFIG_FILES_H

#include "config/config.h"

/* Every path that a service has in effect, some of them perhaps more than once; borrowed from c. */
typedef void config_file_fn(const char *path, void *arg);
void config_each_file(const struct config *c, config_file_fn *fn, void *arg);

#endif
