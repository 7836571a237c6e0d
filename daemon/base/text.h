/* SPDX-License-Identifier: ISC */
/* Text that grows, and the notations people write quantities in. */
#ifndef BASE_TEXT_H
#define BASE_TEXT_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A growing string. Start with {0}; `s` is NULL until something was added, then always ends in NUL.
 * Additions that run out of memory set `failed` and are dropped: check once, at the end. */
struct text {
        char *s;
        size_t len, cap;
        bool failed;
};

void text_fini(struct text *t);
void text_add(struct text *t, const char *s);
void text_addn(struct text *t, const char *s, size_t n);
void text_addf(struct text *t, const char *format, ...) __attribute__((format(printf, 2, 3)));
void text_addv(struct text *t, const char *format, va_list args)
        __attribute__((format(printf, 2, 0)));
/* A number in decimal, without the detour of a format. */
void text_add_int(struct text *t, int64_t n);
void text_add_uint(struct text *t, uint64_t n);
/* Make room for n octets more at once: for who knows how long it will be, about. */
void text_expect(struct text *t, size_t n);
/* The string, "" when empty; borrowed, until the next change. */
const char *text_str(const struct text *t);
/* The string itself, owned by the caller (free()); NULL when an addition failed. t is empty after.
 */
char *text_take(struct text *t);

/* Notations. Each returns NULL and fills *out, or says what is wrong (a constant, to be quoted
 * after the value: `"10 apples" is not a duration such as "250ms", "5s", "10m", "1h", "7d"`). */

/* "250ms" "5s" "10m" "1h" "7d" "off" → milliseconds; "off" is 0. A number needs its unit. */
const char *text_to_duration(const char *s, int64_t *out_ms);
/* The same for short ones: "50us" "1ms" … "off" → microseconds. */
const char *text_to_microseconds(const char *s, int64_t *out_us);
/* "64k" "1M" "2G" or a bare number → octets (k = 1024). */
const char *text_to_size(const char *s, int64_t *out_octets);
/* "10M/s" → octets per second. */
const char *text_to_rate(const char *s, int64_t *out_octets_per_second);
/* "10000" "10k" "1M" → a count (k = 1000). */
const char *text_to_count(const char *s, int64_t *out);

/* The shortest notation that reads back as the same value. buf takes TEXT_QUANTITY_MAX. */
#define TEXT_QUANTITY_MAX 32
const char *text_from_duration(int64_t ms, char buf[static TEXT_QUANTITY_MAX]);
const char *text_from_microseconds(int64_t us, char buf[static TEXT_QUANTITY_MAX]);
const char *text_from_size(int64_t octets, char buf[static TEXT_QUANTITY_MAX]);
const char *text_from_rate(int64_t octets_per_second, char buf[static TEXT_QUANTITY_MAX]);

/* The candidate nearest to word by typing mistakes (insert, delete, replace, swap neighbours), or
 * NULL when none is near enough to be meant. candidate(i, arg) returns NULL after the last. */
const char *text_nearest(const char *word, const char *(*candidate)(size_t i, void *arg),
                         void *arg);

/* Replace control characters and bytes that are not UTF-8, for text that came from a peer. */
void text_add_printable(struct text *t, const char *s, size_t n);

#endif
