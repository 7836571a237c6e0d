/* SPDX-License-Identifier: ISC */
#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

#include "base/log_fd.h"
#include "base/log_journal.h"
#include "base/own.h"
#include "base/text.h"

enum log_target { TO_STDERR, TO_FILE, TO_SYSLOG, TO_JOURNAL };

/* The log is the process's, as its standard error is. */
static struct {
        atomic_int target; /* enum log_target */
        atomic_int level;  /* enum log_level */
        struct log_fd err, file;
        char *path; /* of file; the thread's alone that opens and reopens */
} the_log = {
        .target = TO_STDERR,
        .level = LOG_LEVEL_INFO,
        .err = { .fd = STDERR_FILENO },
        .file = { .fd = -1 },
};

static const char *cannot(const char *format, ...) __attribute__((format(printf, 1, 2)));
static const char *cannot(const char *format, ...)
{
        static _Thread_local char text[PATH_MAX + 256];
        va_list args;
        va_start(args, format);
        vsnprintf(text, sizeof text, format, args);
        va_end(args);
        return text;
}

/* Put path behind the log's file descriptor. A pipe without a reader is an error, not a wait. */
static const char *open_file(const char *path)
{
        OWN_FD int fd =
                open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0640);
        if (fd < 0)
                return cannot("%s: %s", path, strerror(errno));
        int now = atomic_load(&the_log.file.fd);
        if (now < 0)
                atomic_store(&the_log.file.fd, TAKE_FD(fd));
        else if (dup3(fd, now, O_CLOEXEC) < 0)
                return cannot("%s: %s", path, strerror(errno));
        return NULL;
}

static const char *use_file(const char *path)
{
        if (strchr(path, '/') == NULL)
                return cannot("\"%s\" is none of auto, stderr, syslog, journal and no path: a file "
                              "in this directory is ./%s",
                              path, path);
        OWN_FREE char *copy = strdup(path);
        if (copy == NULL)
                return "memory is short";
        const char *wrong = open_file(path);
        if (wrong != NULL)
                return wrong;
        free(the_log.path);
        the_log.path = TAKE(copy);
        atomic_store(&the_log.target, TO_FILE);
        return NULL;
}

/* Let the file go. Its number stays taken, by standard error, since a thread may be about to write.
 */
static void leave_file(void)
{
        int fd = atomic_load(&the_log.file.fd);
        if (fd >= 0)
                dup3(STDERR_FILENO, fd, O_CLOEXEC);
        free(TAKE(the_log.path));
}

static const char *use_stderr(void)
{
        atomic_store(&the_log.err.priorities, log_journal_reads_stderr());
        atomic_store(&the_log.target, TO_STDERR);
        leave_file();
        return NULL;
}

static const char *use_journal(void)
{
        const char *why = log_journal_unavailable();
        if (why != NULL)
                return why;
        atomic_store(&the_log.target, TO_JOURNAL);
        leave_file();
        return NULL;
}

static const char *use_syslog(void)
{
        if (access("/dev/log", W_OK) < 0)
                return cannot("syslog: /dev/log: %s", strerror(errno));
        openlog("spliced", LOG_PID | LOG_NDELAY, LOG_DAEMON);
        atomic_store(&the_log.target, TO_SYSLOG);
        leave_file();
        return NULL;
}

static const char *use_auto(void)
{
        if (log_journal_reads_stderr() && use_journal() == NULL)
                return NULL;
        return use_stderr();
}

const char *log_open(const char *target, enum log_level level)
{
        static const struct {
                const char *name;
                const char *(*use)(void);
        } targets[] = {
                { "auto", use_auto },
                { "stderr", use_stderr },
                { "syslog", use_syslog },
                { "journal", use_journal },
        };
        const char *(*use)(void) = NULL;
        for (size_t i = 0; i < COUNTOF(targets); i++)
                if (strcmp(target, targets[i].name) == 0)
                        use = targets[i].use;
        const char *wrong = use != NULL ? use() : use_file(target);
        if (wrong == NULL)
                log_set_level(level);
        return wrong;
}

const char *log_reopen(void)
{
        return the_log.path != NULL ? open_file(the_log.path) : NULL;
}

void log_close(void)
{
        int fd = atomic_exchange(&the_log.file.fd, -1);
        atomic_store(&the_log.target, TO_STDERR);
        own_close(&fd);
        closelog();
        free(TAKE(the_log.path));
}

bool log_wants_fields(void)
{
        return atomic_load(&the_log.target) == TO_JOURNAL;
}

void log_set_level(enum log_level level)
{
        atomic_store_explicit(&the_log.level, (int)level, memory_order_relaxed);
}

void log_be_patient(void)
{
        atomic_store(&the_log.file.patient, true);
        atomic_store(&the_log.err.patient, true);
}

bool log_enabled(enum log_level level)
{
        return (int)level <= atomic_load_explicit(&the_log.level, memory_order_relaxed);
}

int log_priority(enum log_level level)
{
        return (int)level + LOG_ERR;
}

static void write_message(enum log_level level, const char *text)
{
        switch ((enum log_target)atomic_load(&the_log.target)) {
        case TO_FILE:
                log_fd_message(&the_log.file, level, text);
                return;
        case TO_SYSLOG:
                syslog(log_priority(level), "%s", text);
                return;
        case TO_JOURNAL:
                if (log_journal_send(level, text, NULL, 0))
                        return;
                break;
        case TO_STDERR:
                break;
        }
        log_fd_message(&the_log.err, level, text);
}

void log_line(enum log_level level, const char *format, ...)
{
        if (!log_enabled(level))
                return;
        int saved = errno;
        OWN(text_fini) struct text said = { 0 }, line = { 0 };
        va_list args;
        va_start(args, format);
        text_addv(&said, format, args);
        va_end(args);
        /* What a message quotes may come from a peer: it must not look like a line of its own. */
        text_add_printable(&line, text_str(&said), said.len);
        /* Where memory is short the message matters more than its details. */
        write_message(level, said.failed || line.failed ? format : text_str(&line));
        errno = saved;
}

void log_record(enum log_level level, const char *line, const char *message,
                const struct log_field *fields, size_t n)
{
        if (!log_enabled(level))
                return;
        int saved = errno;
        switch ((enum log_target)atomic_load(&the_log.target)) {
        case TO_FILE:
                log_fd_raw(&the_log.file, line);
                break;
        case TO_SYSLOG:
                syslog(log_priority(level), "%s", line);
                break;
        case TO_JOURNAL:
                if (log_journal_send(level, message, fields, n))
                        break;
                __attribute__((fallthrough));
        case TO_STDERR:
                log_fd_raw(&the_log.err, line);
                break;
        }
        errno = saved;
}
