/* SPDX-License-Identifier: ISC */
/* Addresses: whatever is written is either refused with a reason, or read the same again. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/addr.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool condition)
{
        if (!condition)
                abort();
}

static void check_text(const struct sockaddress *a, char buf[static SOCKADDRESS_TEXT_MAX])
{
        sockaddress_text(a, buf);
        must(strlen(buf) < SOCKADDRESS_TEXT_MAX);
        for (const char *p = buf; *p != '\0'; p++)
                must(*p >= 0x20 && *p < 0x7f);
        must(sockaddress_equal(a, a));
}

/* What is shown can be written, and stands for the same. */
static void check_literal(const struct sockaddress *a, enum addr_use use)
{
        char buf[SOCKADDRESS_TEXT_MAX];
        struct addr again;
        struct sockaddress same;
        check_text(a, buf);
        /* Some octets of a path are not shown as they are; and an IPv4 address inside IPv6 is. */
        if (a->sa.sa_family == AF_UNIX ||
            (a->sa.sa_family == AF_INET6 && IN6_IS_ADDR_V4MAPPED(&a->in6.sin6_addr)))
                return;
        must(addr_parse(buf, use, &again) == NULL);
        must(addr_literal(&again, &same));
        must(sockaddress_equal(a, &same));
        addr_fini(&again);
}

static void check_parse(const char *s, enum addr_use use)
{
        struct addr a;
        struct sockaddress literal;
        const char *wrong = addr_parse(s, use, &a);
        if (wrong != NULL) {
                must(*wrong != '\0' && a.text == NULL && a.host == NULL);
                return;
        }
        must(strcmp(a.text, s) == 0 && a.host != NULL && *a.host != '\0');
        must(use == ADDR_FOR_CONNECT ? !a.any && a.kind != ADDR_SYSTEMD : a.kind != ADDR_BUILTIN);
        must(a.kind != ADDR_HOST || a.port > 0 || use == ADDR_FOR_LISTEN);
        if (addr_literal(&a, &literal))
                check_literal(&literal, use);
        addr_fini(&a);
}

/* As the kernel gives them: any octets, any length. */
static void check_unix(const uint8_t *data, size_t size)
{
        char buf[SOCKADDRESS_TEXT_MAX];
        struct sockaddress a = { .un.sun_family = AF_UNIX };
        size_t n = size < sizeof a.un.sun_path ? size : sizeof a.un.sun_path;
        if (n > 0)
                memcpy(a.un.sun_path, data, n);
        a.len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n);
        check_text(&a, buf);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        char *s = malloc(size + 1);
        if (s == NULL)
                return 0;
        if (size > 0)
                memcpy(s, data, size);
        s[size] = '\0';
        check_parse(s, ADDR_FOR_LISTEN);
        check_parse(s, ADDR_FOR_CONNECT);
        check_unix(data, size);
        free(s);
        return 0;
}
