/* SPDX-License-Identifier: ISC */
/* How one configuration differs from another, in words. Where values come from does not matter. */
#ifndef CONFIG_CHANGES_H
#define CONFIG_CHANGES_H

#include "config/config.h"

struct config_changes {
        size_t added, removed, changed; /* services */
        bool elsewhere;                 /* global directives, log: {…} */
        bool needs_restart;             /* some take effect only then */
        bool failed;                    /* memory is short: not all lines were told */
};

/* One line for each service that was added, removed or changed, and one for what changed at the top
 * level: `service "web": connect, listen-tls.certificate changed`. fn may be NULL. */
typedef void config_change_fn(const char *line, void *arg);
struct config_changes config_changes(const struct config *before, const struct config *after,
                                     config_change_fn *fn, void *arg);

#endif
