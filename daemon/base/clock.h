/* SPDX-License-Identifier: ISC */
/* Time in milliseconds. */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stddef.h>
#include <stdint.h>
#include <sys/time.h>

/* Monotonic time (CLOCK_MONOTONIC), for measuring; starts anywhere. Milliseconds, microseconds. */
int64_t clock_ms(void);
int64_t clock_us(void);

/* Time of day, microseconds since 1970 (CLOCK_REALTIME). */
int64_t clock_wall_us(void);

/* A duration in microseconds as milliseconds, for what is kept by the thousand: INT32_MAX, 24 days,
 * at most. */
int32_t clock_brief_ms(int64_t us);

/* A duration in milliseconds as a timeval; negative counts as 0. */
struct timeval clock_timeval(int64_t ms);

/* Write a time of day as RFC 3339 with milliseconds in UTC: 2026-01-31T23:59:59.123Z. */
#define CLOCK_TEXT_MAX 32
const char *clock_wall_text(int64_t wall_us, char buf[static CLOCK_TEXT_MAX]);

#endif
