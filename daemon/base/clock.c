/* SPDX-License-Identifier: ISC */
#include "base/clock.h"

#include <stdio.h>
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

const char *clock_wall_text(int64_t wall_us, char buf[static CLOCK_TEXT_MAX])
{
        time_t seconds = (time_t)(wall_us / 1000000);
        struct tm tm;
        gmtime_r(&seconds, &tm);
        size_t n = strftime(buf, CLOCK_TEXT_MAX, "%Y-%m-%dT%H:%M:%S", &tm);
        snprintf(buf + n, CLOCK_TEXT_MAX - n, ".%03dZ", (int)(wall_us / 1000 % 1000));
        return buf;
}
