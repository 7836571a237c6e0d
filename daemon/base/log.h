/* SPDX-License-Identifier: ISC */
/* The log: one line a message, to one target, safe from every thread. */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include <stdbool.h>
#include <stddef.h>

enum log_level {
        LOG_LEVEL_ERROR,
        LOG_LEVEL_WARNING,
        LOG_LEVEL_NOTICE,
        LOG_LEVEL_INFO,
        LOG_LEVEL_DEBUG
};

/* A native field of the journal: NAME=value. Both borrowed for the call. */
struct log_field {
        const char *name, *value;
};

/* Open target ("auto", "stderr", "syslog", "journal" or a file's path). Until the first call
 * messages go to stderr. Returns NULL, or what went wrong (static or thread-local text); the target
 * in use is then kept. */
const char *log_open(const char *target, enum log_level level);
/* Open the file again, under its name (after it was rotated). Returns as log_open does. */
const char *log_reopen(void);
void log_close(void);

void log_set_level(enum log_level level);
/* Lines that end matter more than a loop that turns, when there is not much left to do: from now on
 * a line waits a while for a full pipe, as long as its reader takes anything at all. */
void log_be_patient(void);
bool log_enabled(enum log_level level);
/* The level as syslog(3) counts: 3 (error) to 7 (debug). */
int log_priority(enum log_level level);

/* A message: `2026-01-31T23:59:59.123Z warning  text` in a file or on stderr (under systemd
 * `<4>text`), with its priority in syslog and the journal. errno is kept. */
void log_line(enum log_level level, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* A record: line goes out as it is; the journal gets message and the fields instead. */
void log_record(enum log_level level, const char *line, const char *message,
                const struct log_field *fields, size_t n);

/* Whether the fields go anywhere: without the journal they need not be made. */
bool log_wants_fields(void);

#define log_error(...)   log_line(LOG_LEVEL_ERROR, __VA_ARGS__)
#define log_warning(...) log_line(LOG_LEVEL_WARNING, __VA_ARGS__)
#define log_notice(...)  log_line(LOG_LEVEL_NOTICE, __VA_ARGS__)
#define log_info(...)    log_line(LOG_LEVEL_INFO, __VA_ARGS__)
#define log_debug(...)                                          \
        do {                                                    \
                if (log_enabled(LOG_LEVEL_DEBUG))               \
                        log_line(LOG_LEVEL_DEBUG, __VA_ARGS__); \
        } while (0)

#endif
