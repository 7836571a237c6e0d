/* SPDX-License-Identifier: ISC */
/* What a peer wrote, made fit for a terminal and a line of a log. */
#include "base/text.h"

static bool is_continuation(unsigned char c)
{
        return (c & 0xc0) == 0x80;
}

/* The octets that the character at s takes and its code point; 0 when it is not UTF-8 (RFC 3629:
 * neither overlong, nor a surrogate, nor above U+10FFFF). n > 0. */
static size_t decode(const unsigned char *s, size_t n, uint32_t *point)
{
        static const uint32_t smallest[] = { 0, 0, 0x80, 0x800, 0x10000 };
        size_t len = s[0] < 0x80 ? 1 : s[0] < 0xc0 ? 0 : s[0] < 0xe0 ? 2 : s[0] < 0xf0 ? 3 : 4;
        if (len == 0 || len > n || s[0] > 0xf7)
                return 0;
        *point = len == 1 ? s[0] : s[0] & (0x7fu >> len);
        for (size_t i = 1; i < len; i++) {
                if (!is_continuation(s[i]))
                        return 0;
                *point = *point << 6 | (s[i] & 0x3fu);
        }
        if (*point < smallest[len] || *point > 0x10ffff || (*point >= 0xd800 && *point < 0xe000))
                return 0;
        return len;
}

/* Controls (C0, DEL, C1), line and paragraph separators, and what turns the direction of writing:
 * each can make a reader see a line that was never written. */
static bool is_printable(uint32_t point)
{
        if (point < 0x20 || (point >= 0x7f && point < 0xa0))
                return false;
        return !(point >= 0x2028 && point <= 0x202e) && !(point >= 0x2066 && point <= 0x2069);
}

void text_add_printable(struct text *t, const char *s, size_t n)
{
        const unsigned char *p = (const unsigned char *)s;
        size_t plain = 0; /* where the octets begin that go out as they are */
        for (size_t i = 0; i < n;) {
                uint32_t point = 0;
                size_t len = decode(p + i, n - i, &point);
                if (len > 0 && is_printable(point)) {
                        i += len;
                        continue;
                }
                text_addn(t, s + plain, i - plain);
                for (size_t end = i + (len > 0 ? len : 1); i < end; i++)
                        text_addf(t, "\\x%02x", p[i]);
                plain = i;
        }
        text_addn(t, s + plain, n - plain);
}
