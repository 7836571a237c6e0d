/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "base/log_journal.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

#ifdef HAVE_SYSTEMD
#define SD_JOURNAL_SUPPRESS_LOCATION
#include <systemd/sd-journal.h>
#endif

#include "base/own.h"
#include "base/text.h"

bool log_journal_reads_stderr(void)
{
        const char *stream = getenv("JOURNAL_STREAM");
        uintmax_t dev, ino;
        struct stat st;
        if (stream == NULL || sscanf(stream, "%" SCNuMAX ":%" SCNuMAX, &dev, &ino) != 2)
                return false;
        return fstat(STDERR_FILENO, &st) == 0 && st.st_dev == dev && st.st_ino == ino;
}

#ifdef HAVE_SYSTEMD

const char *log_journal_unavailable(void)
{
        /* sd_journal_sendv(3) returns success when nobody listens: ask beforehand. */
        static const struct sockaddr_un journal = { .sun_family = AF_UNIX,
                                                    .sun_path = "/run/systemd/journal/socket" };
        OWN_FD int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        if (fd < 0)
                return "no socket to reach the journal with: descriptors or memory are short";
        if (connect(fd, (const struct sockaddr *)&journal, sizeof journal) < 0)
                return "no journal listens on /run/systemd/journal/socket";
        return NULL;
}

bool log_journal_send(enum log_level level, const char *message, const struct log_field *fields,
                      size_t n)
{
        OWN(text_fini) struct text all = { 0 };
        OWN_FREE struct iovec *iov = calloc(n + 3, sizeof *iov);
        if (iov == NULL)
                return false;
        /* First the lengths, one after the other in one buffer; it may move while it grows. */
        size_t start = 0;
        for (size_t i = 0; i < n + 3; i++) {
                if (i == 0)
                        text_addf(&all, "MESSAGE=%s", message);
                else if (i == 1)
                        text_addf(&all, "PRIORITY=%d", log_priority(level));
                else if (i == 2)
                        text_add(&all, "SYSLOG_IDENTIFIER=spliced");
                else
                        text_addf(&all, "%s=%s", fields[i - 3].name, fields[i - 3].value);
                iov[i].iov_len = all.len - start;
                start = all.len;
        }
        if (all.failed)
                return false;
        char *p = all.s;
        for (size_t i = 0; i < n + 3; p += iov[i++].iov_len)
                iov[i].iov_base = p;
        return sd_journal_sendv(iov, (int)(n + 3)) >= 0;
}

#else

const char *log_journal_unavailable(void)
{
        return "this spliced was built without libsystemd";
}

bool log_journal_send(enum log_level level, const char *message, const struct log_field *fields,
                      size_t n)
{
        (void)level, (void)message, (void)fields, (void)n;
        return false;
}

#endif
