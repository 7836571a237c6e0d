/* SPDX-License-Identifier: ISC */
/* Calls of the kernel that seccomp refused: how they fail, and who is told. */
#ifndef CONTROL_SECCOMP_REFUSED_H
#define CONTROL_SECCOMP_REFUSED_H

#include <stdbool.h>

/* From now on a call that seccomp traps (SECCOMP_RET_TRAP) fails as if the kernel had said so, in
 * any thread that has not blocked SIGSYS. False: not on this architecture. */
bool seccomp_refused_catch(void);

#endif
