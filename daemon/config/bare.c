/* SPDX-License-Identifier: ISC */
#include "config/bare.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const char decimal[] = "0123456789";

size_t bare_length(const char *p)
{
        size_t n = 0;
        while (p[n] != '\0' && !isspace((unsigned char)p[n]) &&
               strchr("\"{}[](),;#=", p[n]) == NULL && strncmp(p + n, "//", 2) != 0 &&
               strncmp(p + n, "/*", 2) != 0)
                n++;
        return n;
}

static bool is_sign(char c)
{
        return c == '+' || c == '-';
}

static bool is_hex(const char *p, size_t n)
{
        return n > 2 && p[0] == '0' && (p[1] == 'x' || p[1] == 'X');
}

static bool is_integer(const char *p, size_t n)
{
        size_t i = is_hex(p, n) ? 2 : is_sign(*p);
        size_t digits = strspn(p + i, is_hex(p, n) ? "0123456789abcdefABCDEF" : decimal);
        size_t rest = n - i - digits;
        return digits > 0 && rest <= 2 && strncmp(p + i + digits, "LL", rest) == 0;
}

static bool fits_int(const char *p, size_t n)
{
        errno = 0;
        long long value = strtoll(p, NULL, is_hex(p, n) ? 16 : 10);
        return errno == 0 && value >= INT_MIN && value <= INT_MAX;
}

/* Digits with a point somewhere, perhaps an exponent after them. */
static bool is_fraction(const char *p, size_t n)
{
        const char *end = p + n;
        p += is_sign(*p);
        size_t digits = strspn(p, decimal);
        p += digits;
        if (*p++ != '.')
                return false;
        digits += strspn(p, decimal);
        p += strspn(p, decimal);
        if (*p == 'e' || *p == 'E') {
                p += 1 + is_sign(p[1]);
                if (!isdigit((unsigned char)*p))
                        return false;
                p += strspn(p, decimal);
        }
        return digits > 0 && p == end;
}

static bool is_word(const char *p, size_t n, const char *word)
{
        return strlen(word) == n && strncasecmp(p, word, n) == 0;
}

enum bare bare_kind(const char *p, size_t n)
{
        if (is_integer(p, n))
                return fits_int(p, n) ? BARE_NUMBER : BARE_TOO_LARGE;
        if (is_fraction(p, n))
                return BARE_FRACTION;
        return is_word(p, n, "true") || is_word(p, n, "false") ? BARE_TRUTH : BARE_TEXT;
}
