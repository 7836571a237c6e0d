/* SPDX-License-Identifier: ISC */
#include "base/log_fd.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/uio.h>

#include "base/clock.h"
#include "base/own.h"

/* How long a line that has begun may wait for a full pipe before the loop matters more; and any
 * line, when the loop matters little. */
#define PATIENCE_MS      250
#define LONG_PATIENCE_MS 2000

static struct iovec piece(const char *s)
{
        return (struct iovec){ .iov_base = (void *)(uintptr_t)s, .iov_len = strlen(s) };
}

/* Take n octets off the front; false when nothing is left. */
static bool advance(struct iovec **iov, int *count, size_t n)
{
        while (*count > 0 && n >= (*iov)->iov_len) {
                n -= (*iov)->iov_len;
                ++*iov;
                --*count;
        }
        if (*count == 0)
                return false;
        (*iov)->iov_base = (char *)(*iov)->iov_base + n;
        (*iov)->iov_len -= n;
        return true;
}

static int patience_ms(const struct log_fd *f, bool begun)
{
        if (atomic_load(&f->patient))
                return LONG_PATIENCE_MS;
        return begun ? PATIENCE_MS : 0;
}

/* One writev(2), and more only if the kernel took a part. Returns 0 or errno; *begun says whether
 * something was written. */
static int write_whole(struct log_fd *f, struct iovec *iov, int count, bool *begun)
{
        int fd = atomic_load(&f->fd);
        *begun = false;
        for (;;) {
                ssize_t n = writev(fd, iov, count);
                if (n >= 0) {
                        if (!advance(&iov, &count, (size_t)n))
                                return 0;
                        *begun = *begun || n > 0;
                } else if (errno == EAGAIN && patience_ms(f, *begun) > 0) {
                        struct pollfd room = { .fd = fd, .events = POLLOUT };
                        if (poll(&room, 1, patience_ms(f, *begun)) == 0) {
                                atomic_store(&f->patient, false);
                                return EAGAIN;
                        }
                } else if (errno != EINTR) {
                        return errno;
                }
        }
}

static bool put(struct log_fd *f, struct iovec *iov, int count)
{
        bool begun;
        int error = write_whole(f, iov, count, &begun);
        if (error == 0)
                return true;
        atomic_store(&f->error, error);
        if (begun)
                atomic_store(&f->torn, true);
        return false;
}

/* What comes before the text of a message. */
static const char *head(const struct log_fd *f, enum log_level level, char buf[static 64])
{
        static const char *const names[] = { "error", "warning", "notice", "info", "debug" };
        char now[CLOCK_TEXT_MAX];
        if (atomic_load(&f->priorities))
                snprintf(buf, 64, "<%d>", log_priority(level));
        else
                snprintf(buf, 64, "%s %-8s ", clock_wall_text(clock_wall_us(), now), names[level]);
        return buf;
}

/* Say once, where they would have stood, how many lines are missing. */
static bool own_up(struct log_fd *f)
{
        unsigned long lost = atomic_exchange(&f->lost, 0);
        if (lost == 0)
                return true;
        bool torn = atomic_exchange(&f->torn, false);
        char begin[64], said[128];
        snprintf(said, sizeof said, "%lu line%s could not be written to the log: %s\n", lost,
                 lost == 1 ? "" : "s", strerrordesc_np(atomic_load(&f->error)));
        struct iovec iov[] = { piece(torn ? "\n" : ""), piece(head(f, LOG_LEVEL_WARNING, begin)),
                               piece(said) };
        if (put(f, iov, COUNTOF(iov)))
                return true;
        atomic_fetch_add(&f->lost, lost);
        if (torn)
                atomic_store(&f->torn, true);
        return false;
}

static void write_line(struct log_fd *f, const char *begin, const char *text)
{
        struct iovec iov[] = { piece(begin), piece(text), piece("\n") };
        if (!own_up(f) || !put(f, iov, COUNTOF(iov)))
                atomic_fetch_add(&f->lost, 1);
}

void log_fd_message(struct log_fd *f, enum log_level level, const char *text)
{
        char begin[64];
        write_line(f, head(f, level, begin), text);
}

void log_fd_raw(struct log_fd *f, const char *line)
{
        write_line(f, "", line);
}
