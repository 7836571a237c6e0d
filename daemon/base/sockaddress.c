/* SPDX-License-Identifier: ISC */
/* Addresses as the kernel gives them. */
#include "base/addr.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

/* By hand: every record has several, and a format costs ten times as much. */
static char *put_number(char *p, unsigned n)
{
        char digits[5]; /* of UINT16_MAX */
        size_t i = sizeof digits;
        do
                digits[--i] = (char)('0' + n % 10);
        while ((n /= 10) > 0);
        return (char *)mempcpy(p, digits + i, sizeof digits - i);
}

static const char *v4_text(struct in_addr host, in_port_t port, char *buf)
{
        const uint8_t *octet = (const uint8_t *)&host;
        char *p = buf;
        for (size_t i = 0; i < sizeof host; i++) {
                p = put_number(p, octet[i]);
                *p++ = i + 1 < sizeof host ? '.' : ':';
        }
        *put_number(p, ntohs(port)) = '\0';
        return buf;
}

static const char *v6_text(const struct sockaddr_in6 *a, char *buf)
{
        struct in_addr v4;
        if (IN6_IS_ADDR_V4MAPPED(&a->sin6_addr)) {
                memcpy(&v4, &a->sin6_addr.s6_addr[12], sizeof v4);
                return v4_text(v4, a->sin6_port, buf);
        }
        char text[INET6_ADDRSTRLEN], zone[IF_NAMESIZE + 1] = "";
        inet_ntop(AF_INET6, &a->sin6_addr, text, sizeof text);
        /* The interface may be gone by now; its number is then all there is to say. */
        if (a->sin6_scope_id != 0 && if_indextoname(a->sin6_scope_id, zone + 1) != NULL)
                zone[0] = '%';
        else if (a->sin6_scope_id != 0)
                snprintf(zone, sizeof zone, "%%%u", a->sin6_scope_id);
        snprintf(buf, SOCKADDRESS_TEXT_MAX, "[%s%s]:%u", text, zone, ntohs(a->sin6_port));
        return buf;
}

/* The path's or name's octets; the kernel may or may not have counted the NUL that ends a path. */
static size_t unix_length(const struct sockaddress *a)
{
        size_t head = offsetof(struct sockaddr_un, sun_path);
        size_t n = a->len > head ? a->len - head : 0;
        if (n > sizeof a->un.sun_path)
                n = sizeof a->un.sun_path;
        return n > 0 && a->un.sun_path[0] != '\0' ? strnlen(a->un.sun_path, n) : n;
}

/* Peers choose their names: they may hold any octet, and they go into the log and its JSON. */
static const char *unix_text(const struct sockaddress *a, char *buf)
{
        size_t n = unix_length(a);
        char *p = stpcpy(buf, "unix:");
        for (size_t i = 0; i < n; i++) {
                char c = a->un.sun_path[i];
                if (i == 0 && c == '\0')
                        *p++ = '@';
                else
                        *p++ = (unsigned char)c < 0x20 || (unsigned char)c >= 0x7f ? '?' : c;
        }
        *p = '\0';
        return buf;
}

const char *sockaddress_text(const struct sockaddress *a, char buf[static SOCKADDRESS_TEXT_MAX])
{
        _Static_assert(SOCKADDRESS_TEXT_MAX > sizeof "unix:" + sizeof a->un.sun_path, "");
        if (a->len == 0)
                return strcpy(buf, "-");
        switch (a->sa.sa_family) {
        case AF_INET:
                return v4_text(a->in.sin_addr, a->in.sin_port, buf);
        case AF_INET6:
                return v6_text(&a->in6, buf);
        case AF_UNIX:
                return unix_text(a, buf);
        default:
                snprintf(buf, SOCKADDRESS_TEXT_MAX, "family %d", a->sa.sa_family);
                return buf;
        }
}

static bool v6_equal(const struct sockaddr_in6 *a, const struct sockaddr_in6 *b)
{
        return a->sin6_port == b->sin6_port && a->sin6_scope_id == b->sin6_scope_id &&
               memcmp(&a->sin6_addr, &b->sin6_addr, sizeof a->sin6_addr) == 0;
}

bool sockaddress_equal(const struct sockaddress *a, const struct sockaddress *b)
{
        if (a->len == 0 || b->len == 0)
                return a->len == b->len;
        if (a->sa.sa_family != b->sa.sa_family)
                return false;
        switch (a->sa.sa_family) {
        case AF_INET:
                return a->in.sin_port == b->in.sin_port &&
                       a->in.sin_addr.s_addr == b->in.sin_addr.s_addr;
        case AF_INET6:
                return v6_equal(&a->in6, &b->in6);
        case AF_UNIX:
                return unix_length(a) == unix_length(b) &&
                       memcmp(a->un.sun_path, b->un.sun_path, unix_length(a)) == 0;
        default:
                return a->len == b->len && memcmp(&a->storage, &b->storage, a->len) == 0;
        }
}

uint16_t sockaddress_port(const struct sockaddress *a)
{
        if (a->sa.sa_family == AF_INET6)
                return ntohs(a->in6.sin6_port);
        return a->sa.sa_family == AF_INET ? ntohs(a->in.sin_port) : 0;
}

void sockaddress_set_port(struct sockaddress *a, uint16_t port)
{
        if (a->sa.sa_family == AF_INET6)
                a->in6.sin6_port = htons(port);
        else if (a->sa.sa_family == AF_INET)
                a->in.sin_port = htons(port);
}

/* What counts in it; an IPv4 address is followed by nothing but padding. */
static size_t significant(const struct sockaddress *a)
{
        if (a->len == sizeof a->in && a->sa.sa_family == AF_INET)
                return offsetof(struct sockaddr_in, sin_zero);
        return a->len;
}

size_t sockaddress_packed_size(const struct sockaddress *a)
{
        return 1 + significant(a);
}

void sockaddress_pack(const struct sockaddress *a, uint8_t *to)
{
        _Static_assert(sizeof a->storage <= UINT8_MAX, "its length is an octet");
        size_t n = significant(a);
        *to = (uint8_t)n;
        memcpy(to + 1, &a->storage, n);
}

const uint8_t *sockaddress_unpack(const uint8_t *from, struct sockaddress *a)
{
        *a = (struct sockaddress){ .len = *from };
        memcpy(&a->storage, from + 1, a->len);
        if (a->len > 0 && a->sa.sa_family == AF_INET)
                a->len = sizeof a->in;
        return from + 1 + *from;
}
