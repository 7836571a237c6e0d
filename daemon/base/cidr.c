/* SPDX-License-Identifier: ISC */
#include "base/cidr.h"

#include <arpa/inet.h>
#include <stddef.h>
#include <string.h>

enum { V4_BITS = 32, V6_BITS = 128 };

static const uint8_t v4_prefix[12] = { [10] = 0xff, [11] = 0xff };

/* The number after the slash; false: it is none, or too large. */
static bool read_bits(const char *s, unsigned most, unsigned *out)
{
        unsigned n = 0;
        if (*s == '\0')
                return false;
        for (; *s != '\0'; s++) {
                if (*s < '0' || *s > '9' || n > most)
                        return false;
                n = n * 10 + (unsigned)(*s - '0');
        }
        *out = n;
        return n <= most;
}

const char *cidr_parse(const char *s, struct cidr *out)
{
        static const char wrong[] =
                "is not an address or a range of addresses such as \"10.0.0.5\", \"10.0.0.0/8\", "
                "\"2001:db8::/32\"";
        char address[INET6_ADDRSTRLEN];
        size_t n = strcspn(s, "/");
        *out = (struct cidr){ .bits = V6_BITS };
        if (n >= sizeof address)
                return wrong;
        memcpy(address, s, n);
        address[n] = '\0';
        unsigned before = 0;
        if (inet_pton(AF_INET, address, out->octets + sizeof v4_prefix) == 1) {
                memcpy(out->octets, v4_prefix, sizeof v4_prefix);
                before = V6_BITS - V4_BITS;
        } else if (inet_pton(AF_INET6, address, out->octets) != 1) {
                return wrong;
        }
        if (s[n] == '/' && !read_bits(s + n + 1, V6_BITS - before, &out->bits))
                return wrong;
        if (s[n] == '/')
                out->bits += before;
        return NULL;
}

bool cidr_has(const struct cidr *c, const struct sockaddress *a)
{
        uint8_t octets[16];
        if (a->len == 0 || (a->sa.sa_family != AF_INET && a->sa.sa_family != AF_INET6))
                return false;
        if (a->sa.sa_family == AF_INET) {
                memcpy(octets, v4_prefix, sizeof v4_prefix);
                memcpy(octets + sizeof v4_prefix, &a->in.sin_addr, sizeof a->in.sin_addr);
        } else {
                memcpy(octets, &a->in6.sin6_addr, sizeof octets);
        }
        unsigned whole = c->bits / 8, rest = c->bits % 8;
        if (memcmp(octets, c->octets, whole) != 0)
                return false;
        return rest == 0 || ((octets[whole] ^ c->octets[whole]) >> (8 - rest)) == 0;
}
