/* SPDX-License-Identifier: ISC */
#include "tls/sni.h"

#include <string.h>

enum { HOST_NAME = 0, LIST_HEAD = 2, ENTRY_HEAD = 3 };

static size_t two_octets(const uint8_t *p)
{
        return (size_t)p[0] << 8 | p[1];
}

bool sni_parse(const uint8_t *p, size_t n, char name[static SNI_MAX + 1])
{
        if (n < LIST_HEAD + ENTRY_HEAD || two_octets(p) != n - LIST_HEAD)
                return false;
        p += LIST_HEAD;
        n -= LIST_HEAD;
        size_t len = two_octets(p + 1);
        if (p[0] != HOST_NAME || len != n - ENTRY_HEAD || len == 0 || len > SNI_MAX)
                return false;
        p += ENTRY_HEAD;
        if (memchr(p, '\0', len) != NULL)
                return false;
        memcpy(name, p, len);
        name[len] = '\0';
        return true;
}
