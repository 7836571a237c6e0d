/* SPDX-License-Identifier: ISC */
/* Giving up the rights that start-up needed. */
#ifndef CONTROL_PRIVILEGES_H
#define CONTROL_PRIVILEGES_H

#include <stdbool.h>

#include "base/diag.h"
#include "config/config.h"

/* As many descriptors as the hard limit allows; failing that, what there is. */
void privileges_raise_descriptors(void);

/* Whether the configured user and group exist; false when not, each told in diag. */
bool privileges_check(const struct config *conf, struct diag *diag);

/* Become the configured user and group for good, with that user's supplementary groups; nothing
 * when neither is configured. Mistakes go to diag; false then: do not go on. */
bool privileges_drop(const struct config *conf, struct diag *diag);

/* Give up every capability that nothing here needs, for good where no_new_privs is set. */
void privileges_drop_capabilities(void);

#endif
