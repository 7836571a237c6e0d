/* SPDX-License-Identifier: ISC */
#include "base/clock.h"

#include <time.h>

static int64_t now_us(clockid_t clock)
{
        struct timespec t;
        clock_gettime(clock, &t);
        return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

int64_t clock_us(void)
{
        return now_us(CLOCK_MONOTONIC);
}

int64_t clock_ms(void)
{
        return clock_us() / 1000;
}

int64_t clock_wall_us(void)
{
        return now_us(CLOCK_REALTIME);
}

int32_t clock_brief_ms(int64_t us)
{
        int64_t ms = us / 1000;
        return ms < INT32_MAX ? (int32_t)ms : INT32_MAX;
}

struct timeval clock_timeval(int64_t ms)
{
        if (ms < 0)
                ms = 0;
        return (struct timeval){ .tv_sec = ms / 1000, .tv_usec = (ms % 1000) * 1000 };
}

/* A number of so many digits, and what comes after it. By hand: every line of the log has a time.
 */
static char *put_padded(char *p, int n, int digits, char after)
{
        p[digits] = after;
        for (int i = digits; i-- > 0; n /= 10)
                p[i] = (char)('0' + n % 10);
        return p + digits + 1;
}

const char *clock_wall_text(int64_t wall_us, char buf[static CLOCK_TEXT_MAX])
{
        time_t seconds = (time_t)(wall_us / 1000000);
        struct tm tm;
        gmtime_r(&seconds, &tm);
        char *p = put_padded(buf, tm.tm_year + 1900, 4, '-');
        p = put_padded(p, tm.tm_mon + 1, 2, '-');
        p = put_padded(p, tm.tm_mday, 2, 'T');
        p = put_padded(p, tm.tm_hour, 2, ':');
        p = put_padded(p, tm.tm_min, 2, ':');
        p = put_padded(p, tm.tm_sec, 2, '.');
        *put_padded(p, (int)(wall_us / 1000 % 1000), 3, 'Z') = '\0';
        return buf;
}
