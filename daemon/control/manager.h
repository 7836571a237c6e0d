/* SPDX-License-Identifier: ISC */
/* Asking the service manager about this service (org.freedesktop.systemd1(5)). */
#ifndef CONTROL_MANAGER_H
#define CONTROL_MANAGER_H

#include <stdbool.h>

/* Whether we are stopped in order to be started again, and descriptors that are left with the
 * manager will be given to whoever comes. false also where it cannot be asked. Blocks, for a second
 * at most for each of a few questions. */
bool manager_restarts(void);

#endif
