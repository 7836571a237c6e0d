/* SPDX-License-Identifier: ISC */
/* seccomp, the kernel's way for a process to give up calls of the kernel. */
#ifndef CONTROL_SECCOMP_H
#define CONTROL_SECCOMP_H

#include <stdbool.h>

struct event_base;

/* From now on this thread, and those it will start, can make the calls in seccomp_calls.def. For
 * good. Another one ends the process with SIGSYS (strict); or it fails, and is told where a watch
 * is. Needs no_new_privs. Returns NULL, or what is missing (static text): then nothing is confined.
 */
const char *seccomp_enter(bool strict);

/* Logs, from the loop, which calls were refused, each once. NULL when memory is short. At most one
 * at a time. */
struct seccomp_watch;
struct seccomp_watch *seccomp_watch_new(struct event_base *base);
void seccomp_watch_free(struct seccomp_watch *w); /* NULL is fine */

#endif
