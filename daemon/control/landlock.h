/* SPDX-License-Identifier: ISC */
/* Landlock, the kernel's way for a process to give up files. */
#ifndef CONTROL_LANDLOCK_H
#define CONTROL_LANDLOCK_H

#include "control/sandbox_paths.h"
#include "control/sandbox_ports.h"

/* Which version of it the kernel has; 0: none. */
int landlock_version(void);

/* The first one that confines ports. */
enum { LANDLOCK_WITH_PORTS = 4 };

/* From now on this thread, and those it will start, can do with files what is in paths and nothing
 * else; with TCP ports what is in ports, where the version knows them (NULL: whatever they like);
 * nor trace, nor (from version 6 on) signal, processes that are not so confined. For good. Needs
 * no_new_privs. Returns 0, or an errno: then nothing is confined. */
int landlock_enter(const struct sandbox_paths *paths, const struct sandbox_ports *ports);

#endif
