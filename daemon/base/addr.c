/* SPDX-License-Identifier: ISC */
#include "base/addr.h"

#include <arpa/inet.h>
#include <assert.h>
#include <ctype.h>
#include <net/if.h>
#include <netdb.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/own.h"
#include "base/text.h"

/* RFC 1035, 2.3.4: 255 octets on the wire are 253 characters. */
#define HOST_MAX 253

static const char memory_is_short[] = "cannot be kept: memory is short";

static bool all_of(const char *s, const char *set)
{
        return s[strspn(s, set)] == '\0';
}

static const char *find_service(const char *name, uint16_t *port)
{
        struct servent entry, *found = NULL;
        char buf[4096];
        if (getservbyname_r(name, "tcp", &entry, buf, sizeof buf, &found) != 0 || found == NULL)
                return "has a port that is neither a number nor the name of a TCP service "
                       "(/etc/services)";
        *port = ntohs((uint16_t)found->s_port);
        return NULL;
}

static const char *parse_port(const char *s, enum addr_use use, uint16_t *port)
{
        if (*s == '\0')
                return "has no port after the colon";
        if (!all_of(s, "0123456789"))
                return find_service(s, port);
        int64_t n;
        if (text_to_count(s, &n) != NULL || n > UINT16_MAX)
                return "has a port out of range: 1 to 65535";
        if (n == 0 && use == ADDR_FOR_CONNECT)
                return "has port 0, to which nobody can connect: 1 to 65535";
        *port = (uint16_t)n;
        return NULL;
}

/* An IPv6 address, perhaps with a zone (RFC 4007: fe80::1%eth0). scope may be NULL: the zone then
 * has to be there but is not looked up. */
static bool parse_v6(const char *host, struct in6_addr *out, uint32_t *scope)
{
        char bare[INET6_ADDRSTRLEN];
        size_t n = strcspn(host, "%");
        if (n >= sizeof bare)
                return false;
        memcpy(bare, host, n);
        bare[n] = '\0';
        if (inet_pton(AF_INET6, bare, out) != 1)
                return false;
        const char *zone = host[n] == '%' ? host + n + 1 : NULL;
        if (zone != NULL && *zone == '\0')
                return false;
        if (scope == NULL || zone == NULL)
                return true;
        int64_t number;
        if (all_of(zone, "0123456789") && text_to_count(zone, &number) == NULL &&
            number <= UINT32_MAX)
                *scope = (uint32_t)number;
        else
                *scope = if_nametoindex(zone);
        return *scope != 0;
}

static const char *check_host(const char *host)
{
        struct in_addr v4;
        if (*host == '\0')
                return "has no host before the colon";
        if (strlen(host) > HOST_MAX)
                return "has a host name of more than 253 characters";
        if (all_of(host, "0123456789.") && inet_pton(AF_INET, host, &v4) != 1)
                return "has a host of digits and dots that is not an IPv4 address";
        for (const char *p = host; *p != '\0'; p++)
                if (!isascii((unsigned char)*p) ||
                    (!isalnum((unsigned char)*p) && strchr("-_.", *p) == NULL))
                        return "has a character in its host that no host name has";
        return NULL;
}

/* HOST:PORT without brackets; colon is where it has its first one. */
static const char *parse_name(const char *s, const char *colon, enum addr_use use, struct addr *out)
{
        if (strncmp(colon, "://", 3) == 0)
                return "is a URL: an address is HOST:PORT, without a scheme";
        if (strchr(colon + 1, ':') != NULL)
                return "has more than one colon: an IPv6 address is written in brackets, as in "
                       "\"[::1]:80\"";
        if ((out->host = strndup(s, (size_t)(colon - s))) == NULL)
                return memory_is_short;
        out->any = strcmp(out->host, "*") == 0;
        if (out->any && use == ADDR_FOR_CONNECT)
                return "stands for every address of this machine, to which nobody can connect";
        const char *wrong = out->any ? NULL : check_host(out->host);
        return wrong != NULL ? wrong : parse_port(colon + 1, use, &out->port);
}

static const char *parse_bracketed(const char *s, enum addr_use use, struct addr *out)
{
        struct in6_addr ignored;
        const char *close = strchr(s, ']');
        if (close == NULL)
                return "has no closing bracket";
        if ((out->host = strndup(s + 1, (size_t)(close - s - 1))) == NULL)
                return memory_is_short;
        if (!parse_v6(out->host, &ignored, NULL))
                return "has no IPv6 address between its brackets";
        if (close[1] == '\0')
                return "has no port: write [ADDRESS]:PORT";
        if (close[1] != ':')
                return "has something else than a colon and a port after the bracket";
        return parse_port(close + 2, use, &out->port);
}

static const char *parse_host(const char *s, enum addr_use use, struct addr *out)
{
        out->kind = ADDR_HOST;
        if (*s == '[')
                return parse_bracketed(s, use, out);
        const char *colon = strchr(s, ':');
        if (colon != NULL)
                return parse_name(s, colon, use, out);
        if (*s == '/')
                return "is a path: write unix:/PATH for a Unix socket";
        return all_of(s, "0123456789") ? "has no host: write HOST:PORT"
                                       : "has no port: write HOST:PORT";
}

static const char *parse_unix(const char *path, struct addr *out)
{
        enum { PATH_OCTETS = sizeof((struct sockaddr_un *)0)->sun_path - 1 };
        _Static_assert(PATH_OCTETS == 107, "the messages below name the limit");
        out->kind = ADDR_UNIX;
        if (*path != '/' && *path != '@')
                return "needs an absolute path (unix:/PATH) or an abstract name (unix:@NAME)";
        if (path[1] == '\0')
                return *path == '@' ? "has no name after the @" : "is a directory, not a socket";
        /* The @ stands for the NUL that an abstract name begins with: the same limit for both. */
        if (strlen(path) > PATH_OCTETS)
                return *path == '@' ? "has too long a name: at most 106 octets after the @"
                                    : "has too long a path: at most 107 octets";
        out->host = strdup(path);
        return out->host != NULL ? NULL : memory_is_short;
}

static const char *parse_systemd(const char *name, enum addr_use use, struct addr *out)
{
        out->kind = ADDR_SYSTEMD;
        if (use == ADDR_FOR_CONNECT)
                return "is a socket that systemd listens on: nobody can connect by its name";
        if (*name == '\0')
                return "has no name: write systemd:NAME, as in FileDescriptorName=NAME";
        /* systemd.socket(5): FileDescriptorName= has neither colons nor control characters. */
        for (const char *p = name; *p != '\0'; p++)
                if (!isascii((unsigned char)*p) || iscntrl((unsigned char)*p) || *p == ':')
                        return "has a character in its name that FileDescriptorName= cannot have";
        if (strlen(name) > 255)
                return "has too long a name: at most 255 characters";
        out->host = strdup(name);
        return out->host != NULL ? NULL : memory_is_short;
}

static bool is_builtin(const char *s)
{
        static const char *const names[] = { "echo", "discard", "chargen", "daytime" };
        for (size_t i = 0; i < COUNTOF(names); i++)
                if (strcmp(s, names[i]) == 0)
                        return true;
        return false;
}

static const char *parse_builtin(const char *name, enum addr_use use, struct addr *out)
{
        out->kind = ADDR_BUILTIN;
        if (use == ADDR_FOR_LISTEN)
                return "is built in as something to connect to: it has no address to listen on";
        out->host = strdup(name);
        return out->host != NULL ? NULL : memory_is_short;
}

static const char *after(const char *s, const char *prefix)
{
        size_t n = strlen(prefix);
        return strncmp(s, prefix, n) == 0 ? s + n : NULL;
}

static const char *parse(const char *s, enum addr_use use, struct addr *out)
{
        const char *rest;
        if (*s == '\0')
                return "is empty: an address is HOST:PORT or unix:/PATH";
        if ((rest = after(s, "unix:")) != NULL)
                return parse_unix(rest, out);
        if ((rest = after(s, "systemd:")) != NULL)
                return parse_systemd(rest, use, out);
        if (after(s, "udp:") != NULL)
                return "cannot be used: udp: addresses are not supported by this version";
        if (is_builtin(s))
                return parse_builtin(s, use, out);
        return parse_host(s, use, out);
}

const char *addr_parse(const char *s, enum addr_use use, struct addr *out)
{
        *out = (struct addr){ 0 };
        const char *wrong = parse(s, use, out);
        if (wrong == NULL && (out->text = strdup(s)) == NULL)
                wrong = memory_is_short;
        if (wrong != NULL)
                addr_fini(out);
        return wrong;
}

void addr_fini(struct addr *a)
{
        free(a->text);
        free(a->host);
        *a = (struct addr){ 0 };
}

static void fill_unix(const char *path, struct sockaddress *out)
{
        size_t n = strlen(path);
        assert(n < sizeof out->un.sun_path);
        out->un.sun_family = AF_UNIX;
        memcpy(out->un.sun_path, path, n);
        if (*path == '@')
                out->un.sun_path[0] = '\0';
        /* A path is counted with its NUL, an abstract name has none. */
        out->len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n + (*path != '@'));
}

bool addr_literal(const struct addr *a, struct sockaddress *out)
{
        *out = (struct sockaddress){ 0 };
        if (a->kind == ADDR_UNIX) {
                fill_unix(a->host, out);
                return true;
        }
        if (a->kind != ADDR_HOST || a->any)
                return false;
        if (inet_pton(AF_INET, a->host, &out->in.sin_addr) == 1) {
                out->in.sin_family = AF_INET;
                out->in.sin_port = htons(a->port);
                out->len = sizeof out->in;
                return true;
        }
        if (!parse_v6(a->host, &out->in6.sin6_addr, &out->in6.sin6_scope_id)) {
                *out = (struct sockaddress){ 0 };
                return false;
        }
        out->in6.sin6_family = AF_INET6;
        out->in6.sin6_port = htons(a->port);
        out->len = sizeof out->in6;
        return true;
}
