/* SPDX-License-Identifier: ISC */
/* A process beside the daemon that stays outside of the sandbox, to start one program there when it
 * is asked to. All that the daemon can say is when, and give it a descriptor. */
#ifndef CONTROL_LAUNCHER_H
#define CONTROL_LAUNCHER_H

#include <stdbool.h>
#include <sys/types.h>

struct launcher;

/* What starts the program, in a process made for it, with signals as a program expects them and no
 * descriptors but the standard ones and fd, which has to be passed on (it is close-on-exec). When
 * it returns that process ends. */
typedef void launcher_run_fn(int fd, void *arg);

/* The rights the process is to have: what comes before `run` for good, such as becoming another
 * user. False: it ends. */
typedef bool launcher_prepare_fn(void *arg);

/* Before threads are started and before keys are in memory, which it would have too. NULL, with
 * errno: no process could be made. arg is borrowed, as it is at this moment. */
struct launcher *launcher_new(launcher_prepare_fn *prepare, launcher_run_fn *run, void *arg);

/* Start it; fd stays the caller's. Returns its process, or -1 with errno. */
pid_t launcher_start(struct launcher *l, int fd);

/* The process beside ends too, what it has started does not. NULL is fine. */
void launcher_free(struct launcher *l);

#endif
