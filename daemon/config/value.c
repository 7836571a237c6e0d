/* SPDX-License-Identifier: ISC */
/* The memory of values: made empty, released, copied, printed. */
#include "config/kind.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "config/kinds.h"
#include "config/list.h"

void value_init(const struct kind *k, void *value)
{
        switch (k->storage) {
        case STORE_NUMBER:
                *(int64_t *)value = k->empty;
                break;
        case STORE_WORD:
                *(int *)value = 0;
                break;
        case STORE_TRUTH:
                *(bool *)value = false;
                break;
        case STORE_TEXT:
                *(char **)value = NULL;
                break;
        case STORE_TEXTS:
                *(struct string_list *)value = (struct string_list){ 0 };
                break;
        case STORE_ADDRS:
                *(struct addr_list *)value = (struct addr_list){ 0 };
                break;
        }
}

void value_fini(const struct kind *k, void *value)
{
        if (k->storage == STORE_TEXT)
                free(*(char **)value);
        else if (k->storage == STORE_TEXTS)
                string_list_fini(value);
        else if (k->storage == STORE_ADDRS)
                addr_list_fini(value);
        value_init(k, value);
}

bool value_copy(const struct kind *k, void *to, const void *from)
{
        switch (k->storage) {
        case STORE_NUMBER:
                *(int64_t *)to = *(const int64_t *)from;
                return true;
        case STORE_WORD:
                *(int *)to = *(const int *)from;
                return true;
        case STORE_TRUTH:
                *(bool *)to = *(const bool *)from;
                return true;
        case STORE_TEXT: {
                const char *s = *(char *const *)from;
                *(char **)to = s == NULL ? NULL : strdup(s);
                return s == NULL || *(char **)to != NULL;
        }
        case STORE_TEXTS:
                return string_list_copy(to, from);
        case STORE_ADDRS:
                return addr_list_copy(to, from, k->use);
        }
        return false;
}

/* libconfig's escapes: what is no graphic character goes out as \xHH. Octets above 0x7f are left
 * alone, they are parts of UTF-8 characters. */
void value_quote(const char *s, struct text *out)
{
        text_add(out, "\"");
        for (; *s != '\0'; s++) {
                unsigned char c = (unsigned char)*s;
                if (c == '"' || c == '\\')
                        text_addf(out, "\\%c", c);
                else if (c < 0x20 || c == 0x7f)
                        text_addf(out, "\\x%02X", c);
                else
                        text_addn(out, s, 1);
        }
        text_add(out, "\"");
}

static const char *find_word(const struct word *words, int value)
{
        while (words->word != NULL && words->value != value)
                words++;
        assert(words->word != NULL);
        return words->word;
}

static bool print_number(const struct kind *k, int64_t value, struct text *out)
{
        char buf[TEXT_QUANTITY_MAX];
        if (value == k->empty && k->empty != 0)
                return false;
        const char *written = value == 0 && k->zero != NULL ? k->zero : k->to_text(value, buf);
        /* "256M" is text, 4096 a number. */
        if ((k->takes & NODE_NUMBER) && written[strspn(written, "0123456789")] == '\0')
                text_add(out, written);
        else
                value_quote(written, out);
        return true;
}

static bool print_list(const void *value, size_t n, const char *(*item)(const void *, size_t),
                       struct text *out)
{
        if (n == 0)
                return false;
        text_add(out, "[");
        for (size_t i = 0; i < n; i++) {
                text_add(out, i == 0 ? "" : ", ");
                value_quote(item(value, i), out);
        }
        text_add(out, "]");
        return true;
}

static const char *text_item(const void *value, size_t i)
{
        return ((const struct string_list *)value)->items[i];
}

static const char *addr_item(const void *value, size_t i)
{
        return ((const struct addr_list *)value)->items[i].text;
}

bool value_print(const struct kind *k, const void *value, struct text *out)
{
        switch (k->storage) {
        case STORE_NUMBER:
                return print_number(k, *(const int64_t *)value, out);
        case STORE_WORD:
                value_quote(find_word(k->words, *(const int *)value), out);
                return true;
        case STORE_TRUTH:
                text_add(out, *(const bool *)value ? "true" : "false");
                return true;
        case STORE_TEXT:
                if (*(char *const *)value == NULL)
                        return false;
                value_quote(*(char *const *)value, out);
                return true;
        case STORE_TEXTS:
                return print_list(value, ((const struct string_list *)value)->n, text_item, out);
        case STORE_ADDRS:
                return print_list(value, ((const struct addr_list *)value)->n, addr_item, out);
        }
        return false;
}
