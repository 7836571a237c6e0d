/* SPDX-License-Identifier: ISC */
/* The systemd journal: messages with fields. */
#ifndef BASE_LOG_JOURNAL_H
#define BASE_LOG_JOURNAL_H

#include <stdbool.h>
#include <stddef.h>

#include "base/log.h"

/* Whether standard error goes to the journal (JOURNAL_STREAM, systemd.exec(5)). */
bool log_journal_reads_stderr(void);
/* NULL: the journal takes messages; else why not (a constant). */
const char *log_journal_unavailable(void);
/* Returns false when it could not be sent. */
bool log_journal_send(enum log_level level, const char *message, const struct log_field *fields,
                      size_t n);

#endif
