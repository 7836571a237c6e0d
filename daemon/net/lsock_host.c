/* SPDX-License-Identifier: ISC */
/* Listening on TCP: an address, a name, or every address of this machine. */
#include "net/lsock_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/own.h"
#include "net/lsock_set.h"

/* Port 0 for several addresses: how often to look for a port that is free on all of them. */
#define PORT_TRIES 32

/* What an address stands for. */
struct endpoints {
        struct sockaddress *items; /* owned */
        size_t n;
        bool from_name;
};

static void endpoints_fini(struct endpoints *e)
{
        free(e->items);
}

static bool add_endpoint(struct lsock_request *r, struct endpoints *e,
                         const struct sockaddress *address)
{
        for (size_t i = 0; i < e->n; i++)
                if (sockaddress_equal(&e->items[i], address))
                        return true;
        struct sockaddress *grown = reallocarray(e->items, e->n + 1, sizeof *grown);
        if (grown == NULL)
                return lsock_wrong(r, "memory is short");
        e->items = grown;
        e->items[e->n++] = *address;
        return true;
}

static struct sockaddress v4_any(uint16_t port)
{
        return (struct sockaddress){ .len = sizeof(struct sockaddr_in),
                                     .in = { .sin_family = AF_INET, .sin_port = htons(port) } };
}

static struct sockaddress v6_any(uint16_t port)
{
        return (struct sockaddress){ .len = sizeof(struct sockaddr_in6),
                                     .in6 = { .sin6_family = AF_INET6, .sin6_port = htons(port) } };
}

static void free_info(struct addrinfo **info)
{
        if (*info != NULL)
                freeaddrinfo(*info);
}

static bool resolve(struct lsock_request *r, struct endpoints *e)
{
        const struct addrinfo hints = { .ai_socktype = SOCK_STREAM };
        OWN(free_info) struct addrinfo *info = NULL;
        const char *zone = strchr(r->addr->host, '%');
        int failed = getaddrinfo(r->addr->host, NULL, &hints, &info);
        if (failed != 0 && zone != NULL)
                return lsock_wrong(r, "this machine has no interface \"%s\"", zone + 1);
        if (failed != 0)
                return lsock_wrong(r, "the name \"%s\" has no address: %s", r->addr->host,
                                   failed == EAI_SYSTEM ? strerror(errno) : gai_strerror(failed));
        e->from_name = true;
        for (const struct addrinfo *i = info; i != NULL; i = i->ai_next) {
                struct sockaddress a = { .len = i->ai_addrlen };
                if (i->ai_family != AF_INET && i->ai_family != AF_INET6)
                        continue;
                memcpy(&a.storage, i->ai_addr, i->ai_addrlen);
                sockaddress_set_port(&a, r->addr->port);
                if (!add_endpoint(r, e, &a))
                        return false;
        }
        return e->n > 0 || lsock_wrong(r, "the name \"%s\" has no address", r->addr->host);
}

static bool find_endpoints(struct lsock_request *r, struct endpoints *e)
{
        struct sockaddress literal;
        if (r->addr->any) {
                struct sockaddress v4 = v4_any(r->addr->port), v6 = v6_any(r->addr->port);
                return add_endpoint(r, e, &v4) && add_endpoint(r, e, &v6);
        }
        if (addr_literal(r->addr, &literal))
                return add_endpoint(r, e, &literal);
        return resolve(r, e);
}

static bool setsockopt_on(int fd, int level, int option)
{
        const int on = 1;
        return setsockopt(fd, level, option, &on, sizeof on) == 0;
}

/* Returns 0 and a bound socket in *fd, or errno. beside: where others of ours listen. */
static int bind_one(const struct sockaddress *a, bool beside, int *fd)
{
        OWN_FD int s = socket(a->sa.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        if (s < 0 || !setsockopt_on(s, SOL_SOCKET, SO_REUSEADDR))
                return errno;
        if (beside && !setsockopt_on(s, SOL_SOCKET, SO_REUSEPORT))
                return errno;
        /* IPv4 has its own socket. */
        if (a->sa.sa_family == AF_INET6 && !setsockopt_on(s, IPPROTO_IPV6, IPV6_V6ONLY))
                return errno;
        if (bind(s, &a->sa, a->len) < 0)
                return errno;
        *fd = TAKE_FD(s);
        return 0;
}

/* The same with a port that the kernel chooses. It is then asked for by its number, since the
 * kernel takes a port that was not back as soon as its socket does not listen (see net/lsock_gate).
 */
static int bind_any(const struct sockaddress *a, bool beside, int *fd)
{
        OWN_FD int chosen = -1;
        struct sockaddress at = { .len = sizeof at.storage };
        int error = bind_one(a, beside, &chosen);
        if (error != 0)
                return error;
        if (getsockname(chosen, &at.sa, &at.len) < 0)
                return errno;
        return bind_one(&at, beside, fd);
}

/* Returns 0 and a listening socket in *fd, or errno. */
static int open_one(const struct sockaddress *a, const struct lsock_settings *settings, bool beside,
                    int *fd)
{
        OWN_FD int s = -1;
        int error = sockaddress_port(a) != 0 ? bind_one(a, beside, &s) : bind_any(a, beside, &s);
        if (error == 0)
                error = lsock_set_inherited(s, a, settings);
        if (error == 0)
                error = lsock_listen(s, settings);
        if (error == 0)
                *fd = TAKE_FD(s);
        return error;
}

/* The first port that needs no privilege; 1024 where the kernel does not tell. */
static unsigned unprivileged_from(void)
{
        unsigned first = 1024;
        FILE *f = fopen("/proc/sys/net/ipv4/ip_unprivileged_port_start", "re");
        if (f == NULL)
                return first;
        if (fscanf(f, "%u", &first) != 1)
                first = 1024;
        fclose(f);
        return first;
}

static bool explain(struct lsock_request *r, const struct sockaddress *a, int error)
{
        char text[SOCKADDRESS_TEXT_MAX], which[SOCKADDRESS_TEXT_MAX + 8] = "";
        sockaddress_text(a, text);
        /* Where one address in the configuration stands for several, say which it is. */
        if (strcmp(text, r->addr->text) != 0)
                snprintf(which, sizeof which, "%s: ", text);
        if (error == EADDRINUSE)
                return lsock_wrong(r,
                                   "%s%s: another program or service listens there (\"ss -ltnp "
                                   "sport = :%u\" shows which)",
                                   which, strerror(error), sockaddress_port(a));
        if (error == EADDRNOTAVAIL)
                return lsock_wrong(r,
                                   "%s%s: no interface of this machine has it (\"ip address\" "
                                   "shows those they have)",
                                   which, strerror(error));
        if (error == EACCES && sockaddress_port(a) < unprivileged_from())
                return lsock_wrong(r, "%s%s: ports below %u need CAP_NET_BIND_SERVICE", which,
                                   strerror(error), unprivileged_from());
        if (error == EAFNOSUPPORT)
                return lsock_wrong(r, "%sthis kernel has no %s", which,
                                   a->sa.sa_family == AF_INET ? "IPv4" : "IPv6");
        if (error == EINVAL && a->sa.sa_family == AF_INET6 &&
            IN6_IS_ADDR_LINKLOCAL(&a->in6.sin6_addr))
                return lsock_wrong(r, "%sa link-local address needs its interface: [%s%%eth0]:%u",
                                   which, r->addr->host, sockaddress_port(a));
        return lsock_wrong(r, "%s%s", which, strerror(error));
}

/* Of several addresses those of a protocol that is switched off here can be done without. */
static bool can_do_without(const struct endpoints *e, const struct sockaddress *a, int error)
{
        return e->n > 1 &&
               (error == EAFNOSUPPORT || (error == EADDRNOTAVAIL && a->sa.sa_family == AF_INET6));
}

/* The first socket listens without SO_REUSEPORT: where anybody else does, with it or without, the
 * kernel refuses. Only then it makes room for the others. Returns 0 or errno. */
static int open_siblings(struct lsock *l, const struct lsock_settings *settings)
{
        if (settings->workers <= 1 || settings->tries)
                return 0;
        if (!setsockopt_on(l->fds[0], SOL_SOCKET, SO_REUSEPORT))
                return errno;
        while (l->n_fds < settings->workers) {
                OWN_FD int fd = -1;
                int error = open_one(&l->address, settings, true, &fd);
                if (error != 0)
                        return error;
                if (!lsock_add(l, &fd))
                        return ENOMEM;
        }
        return 0;
}

/* One that listens already is kept as it is. Returns false when there is none. */
static bool keep_endpoint(struct lsock_request *r, const struct sockaddress *a, int *error)
{
        struct lsock *l = lsock_set_take(r->settings->running, a, r->settings->service);
        *error = l == NULL || lsock_append(r, l) ? 0 : ENOMEM;
        return l != NULL;
}

static int bind_endpoint(struct lsock_request *r, const struct sockaddress *a)
{
        OWN_FD int fd = -1;
        int error = open_one(a, r->settings, false, &fd);
        if (error != 0)
                return error;
        struct lsock *l = lsock_append_new(r, &fd);
        if (l == NULL)
                return ENOMEM;
        if (sockaddress_port(a) == 0 && r->settings->service != NULL) {
                l->any_port_of = strdup(r->settings->service);
                if (l->any_port_of == NULL)
                        return ENOMEM;
        }
        error = lsock_learn_address(l);
        return error != 0 ? error : open_siblings(l, r->settings);
}

/* Open one, on *port unless that is 0; *port is then the one it got. Returns 0 or errno. */
static int open_endpoint(struct lsock_request *r, const struct sockaddress *endpoint,
                         uint16_t *port)
{
        struct sockaddress a = *endpoint;
        int error;
        sockaddress_set_port(&a, *port);
        if (!keep_endpoint(r, &a, &error))
                error = bind_endpoint(r, &a);
        if (error == 0)
                *port = sockaddress_port(&r->socks[r->n - 1]->address);
        return error;
}

enum opened { OPENED, PORT_TAKEN, NOT_OPENED };

/* Open all endpoints; with port 0 all on the port that the first one gets. */
static enum opened open_endpoints(struct lsock_request *r, const struct endpoints *e)
{
        uint16_t port = r->addr->port;
        char text[SOCKADDRESS_TEXT_MAX];
        int error = 0;
        for (size_t i = 0; i < e->n; i++) {
                int this = open_endpoint(r, &e->items[i], &port);
                if (this == 0)
                        continue;
                if (this == EADDRINUSE && r->addr->port == 0 && r->n > 0)
                        return PORT_TAKEN;
                error = this;
                if (!can_do_without(e, &e->items[i], error)) {
                        explain(r, &e->items[i], error);
                        return NOT_OPENED;
                }
                if (e->from_name)
                        diag_warning(r->diag, r->at, "listen %s: without %s: %s", r->addr->text,
                                     sockaddress_text(&e->items[i], text), strerror(error));
        }
        if (r->n > 0)
                return OPENED;
        explain(r, &e->items[0], error);
        return NOT_OPENED;
}

static void close_all(struct lsock_request *r)
{
        while (r->n > 0)
                lsock_unref(r->socks[--r->n]);
}

bool lsock_open_host(struct lsock_request *r)
{
        OWN(endpoints_fini) struct endpoints e = { 0 };
        if (!find_endpoints(r, &e))
                return false;
        for (int tries = 0; tries < PORT_TRIES; tries++) {
                enum opened result = open_endpoints(r, &e);
                if (result != PORT_TAKEN)
                        return result == OPENED;
                close_all(r);
        }
        return lsock_wrong(r, "no port is free on all of its addresses");
}
