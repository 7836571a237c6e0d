/* SPDX-License-Identifier: ISC */
/* Quantities are refused or written back to the same value; what a peer wrote is made printable;
 * the nearest word is near. The first octet says which to try. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/own.h"
#include "base/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool condition)
{
        if (!condition)
                abort();
}

typedef const char *reader(const char *s, int64_t *out);
typedef const char *writer(int64_t value, char buf[static TEXT_QUANTITY_MAX]);

static void check_quantity(const char *s, reader *read, writer *write)
{
        char buf[TEXT_QUANTITY_MAX];
        int64_t value = -1, again;
        const char *wrong = read(s, &value);
        if (wrong != NULL) {
                must(*wrong != '\0' && value == -1);
                return;
        }
        must(value >= 0);
        if (write == NULL)
                return;
        must(read(write(value, buf), &again) == NULL && again == value);
        /* The shortest notation is not longer than what was written, leading zeros or not. */
        must(strlen(buf) <= strlen(s) || strcmp(buf, "off") == 0);
}

static void check_quantities(const char *s)
{
        check_quantity(s, text_to_duration, text_from_duration);
        check_quantity(s, text_to_size, text_from_size);
        check_quantity(s, text_to_rate, text_from_rate);
        check_quantity(s, text_to_count, NULL);
}

static void check_printable(const char *s, size_t n)
{
        struct text once = { 0 }, twice = { 0 };
        text_add_printable(&once, s, n);
        must(!once.failed && once.len >= n && once.len <= 4 * n);
        for (size_t i = 0; i < once.len; i++)
                must((unsigned char)once.s[i] >= 0x20 && once.s[i] != 0x7f);
        /* What is printable is left as it is. */
        text_add_printable(&twice, text_str(&once), once.len);
        must(strcmp(text_str(&once), text_str(&twice)) == 0);
        text_fini(&once);
        text_fini(&twice);
}

/* Words with NUL between them: the first is sought among the others. */
struct words {
        const char *s, *end;
};

static const char *word(size_t i, void *arg)
{
        const struct words *w = arg;
        const char *p = w->s;
        for (; p < w->end && i > 0; i--)
                p += strlen(p) + 1;
        return p < w->end ? p : NULL;
}

static void check_nearest(const char *s, size_t n)
{
        struct words others = { s + strlen(s) + 1, s + n };
        const char *found = text_nearest(s, word, &others);
        if (found == NULL)
                return;
        size_t sought = strlen(s), len = strlen(found), limit = sought < 6 ? 1 : sought / 3;
        must(found >= others.s && found < others.end && sought > 0 && len > 0);
        must((len > sought ? len - sought : sought - len) <= limit);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        if (size == 0)
                return 0;
        size_t n = size - 1;
        char *s = malloc(n + 1);
        if (s == NULL)
                return 0;
        memcpy(s, data + 1, n);
        s[n] = '\0';
        if (data[0] % 3 == 0)
                check_quantities(s);
        else if (data[0] % 3 == 1)
                check_printable(s, n);
        else
                check_nearest(s, n);
        free(s);
        return 0;
}
