/* SPDX-License-Identifier: ISC */
/* The log's lines in a descriptor: each whole, none mixed with another's, and counted when lost. */
#ifndef BASE_LOG_FD_H
#define BASE_LOG_FD_H

#include <stdatomic.h>
#include <stdbool.h>

#include "base/log.h"

/* Written by any thread. A file behind fd is exchanged by dup3(2) onto the same number, so that
 * writers need no lock: each write(2) goes to the old file or the new one, whole. */
struct log_fd {
        atomic_int fd;
        atomic_bool priorities; /* the journal reads it: `<4>` instead of time and level */
        atomic_ulong lost;      /* lines that could not be written since the last that could */
        atomic_int error;       /* why: errno */
        atomic_bool patient;    /* a line waits for room; until one has waited in vain */
        atomic_bool torn;       /* of the last of them the beginning was written */
};

/* text, with its time and level before it and a line end after it. */
void log_fd_message(struct log_fd *f, enum log_level level, const char *text);
/* line as it is, and a line end. */
void log_fd_raw(struct log_fd *f, const char *line);

#endif
