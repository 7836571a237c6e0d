/* SPDX-License-Identifier: ISC */
/* Landlock, the kernel's way for a process to give up files. */
#ifndef CONTROL_LANDLOCK_H
#define CONTROL_LANDLOCK_H

#include "control/sandbox_paths.h"

/* Which version of it the kernel has; 0: none. */
int landlock_version(void);

/* From now on this thread, and those it will start, can do with files what is in paths and nothing
 * else; nor trace, nor (from version 6 on) signal, processes that are not so confined. For good.
 * Needs no_new_privs. Returns 0, or an errno: then nothing is confined. */
int landlock_enter(const struct sandbox_paths *paths);

#endif
