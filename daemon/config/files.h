/* SPDX-License-Identifier: ISC */
/* The files that a configuration names: certificates, keys, authorities. */
#ifndef CONFIG_FILES_H
#define CONFIG_FILES_H

#include "config/config.h"

/* Every path that a service has in effect, some of them perhaps more than once; borrowed from c. */
typedef void config_file_fn(const char *path, void *arg);
void config_each_file(const struct config *c, config_file_fn *fn, void *arg);

/* The same with the directive's name and where its value was set, borrowed for the call. */
typedef void config_file_at_fn(const char *path, const char *directive, const struct origin *at,
                               void *arg);
void config_each_file_at(const struct config *c, config_file_at_fn *fn, void *arg);

#endif
