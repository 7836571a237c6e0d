/* SPDX-License-Identifier: ISC */
#include "base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/own.h"

void text_fini(struct text *t)
{
        free(t->s);
        *t = (struct text){ 0 };
}

static bool grow(struct text *t, size_t cap)
{
        char *grown = realloc(t->s, cap);
        if (grown == NULL) {
                t->failed = true;
                return false;
        }
        t->s = grown;
        t->cap = cap;
        t->s[t->len] = '\0';
        return true;
}

/* Make room for n more octets and the NUL after them. */
static bool text_reserve(struct text *t, size_t n)
{
        if (t->failed || n > SIZE_MAX / 2 - t->len - 1) {
                t->failed = true;
                return false;
        }
        size_t need = t->len + n + 1;
        return need <= t->cap || grow(t, need < 64 ? 64 : need + need / 2);
}

void text_expect(struct text *t, size_t n)
{
        if (!t->failed && n < SIZE_MAX / 2 - t->len - 1 && t->cap < t->len + n + 1)
                grow(t, t->len + n + 1);
}

void text_addn(struct text *t, const char *s, size_t n)
{
        if (!text_reserve(t, n))
                return;
        if (n > 0)
                memcpy(t->s + t->len, s, n);
        t->len += n;
        t->s[t->len] = '\0';
}

void text_add(struct text *t, const char *s)
{
        text_addn(t, s, strlen(s));
}

void text_add_uint(struct text *t, uint64_t n)
{
        char digits[20]; /* of UINT64_MAX */
        size_t i = sizeof digits;
        do
                digits[--i] = (char)('0' + n % 10);
        while ((n /= 10) > 0);
        text_addn(t, digits + i, sizeof digits - i);
}

void text_add_int(struct text *t, int64_t n)
{
        if (n < 0)
                text_addn(t, "-", 1);
        text_add_uint(t, n < 0 ? 0 - (uint64_t)n : (uint64_t)n);
}

void text_addv(struct text *t, const char *format, va_list args)
{
        va_list again;
        va_copy(again, args);
        int n = vsnprintf(NULL, 0, format, args);
        if (n < 0)
                t->failed = true;
        else if (text_reserve(t, (size_t)n))
                t->len += (size_t)vsnprintf(t->s + t->len, (size_t)n + 1, format, again);
        va_end(again);
}

void text_addf(struct text *t, const char *format, ...)
{
        va_list args;
        va_start(args, format);
        text_addv(t, format, args);
        va_end(args);
}

const char *text_str(const struct text *t)
{
        return t->s != NULL ? t->s : "";
}

char *text_take(struct text *t)
{
        text_add(t, ""); /* an empty text is a string as well */
        char *s = t->failed ? NULL : TAKE(t->s);
        text_fini(t);
        return s;
}
