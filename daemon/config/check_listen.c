/* SPDX-License-Identifier: ISC */
/* No two listeners on one address: what the kernel would refuse is said here, with both places. */
#include "config/check.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/own.h"

struct listener {
        const struct config_service *service;
        const struct addr *addr;
        const struct origin *at;
};

static bool is_any(const struct addr *a, int family)
{
        struct sockaddress s;
        if (a->any)
                return true;
        if (!addr_literal(a, &s) || s.sa.sa_family != family)
                return false;
        return family == AF_INET ? s.in.sin_addr.s_addr == htonl(INADDR_ANY)
                                 : IN6_IS_ADDR_UNSPECIFIED(&s.in6.sin6_addr);
}

/* A wildcard takes its port from every address of its family. A name may stand for addresses of
 * both. */
static bool covers(const struct addr *wild, const struct addr *other)
{
        struct sockaddress s;
        if (!addr_literal(other, &s) && !other->any)
                return is_any(wild, AF_INET) || is_any(wild, AF_INET6);
        if (other->any)
                return is_any(wild, AF_INET) || is_any(wild, AF_INET6);
        return is_any(wild, s.sa.sa_family);
}

static bool overlap(const struct addr *a, const struct addr *b)
{
        struct sockaddress x, y;
        if (a->kind != b->kind)
                return false;
        if (a->kind != ADDR_HOST)
                return strcmp(a->host, b->host) == 0;
        if (a->port != b->port || a->port == 0)
                return false;
        if (covers(a, b) || covers(b, a))
                return true;
        if (addr_literal(a, &x) && addr_literal(b, &y))
                return sockaddress_equal(&x, &y);
        return strcasecmp(a->host, b->host) == 0;
}

/* Neighbours when sorted, if they overlap: same kind, same port or same name. */
static int by_port(const void *left, const void *right)
{
        const struct listener *a = left, *b = right;
        if (a->addr->kind != b->addr->kind)
                return a->addr->kind < b->addr->kind ? -1 : 1;
        if (a->addr->kind != ADDR_HOST && strcmp(a->addr->host, b->addr->host) != 0)
                return strcmp(a->addr->host, b->addr->host);
        if (a->addr->port != b->addr->port)
                return a->addr->port < b->addr->port ? -1 : 1;
        return 0;
}

static void say_overlap(const struct listener *a, const struct listener *b, struct diag *diag)
{
        diag_error(diag, a->at,
                   "listen \"%s\" in service \"%s\": \"%s\" of service \"%s\" (%s:%u) %s",
                   a->addr->text, a->service->name, b->addr->text, b->service->name, b->at->file,
                   b->at->line,
                   strcmp(a->addr->text, b->addr->text) == 0 ? "is the same address"
                                                             : "takes this address as well");
}

/* Each against those of its port; say each listener's first clash only. */
static void check_sorted(const struct listener *l, size_t n, struct diag *diag)
{
        for (size_t i = 1; i < n; i++) {
                for (size_t j = i; j-- > 0 && by_port(&l[i], &l[j]) == 0;) {
                        if (!overlap(l[i].addr, l[j].addr))
                                continue;
                        say_overlap(&l[i], &l[j], diag);
                        break;
                }
        }
}

static size_t count_listeners(const struct config *c)
{
        size_t n = 0;
        for (size_t i = 0; i < c->n_services; i++)
                n += c->services[i]->listen.n;
        return n;
}

void check_listen(const struct config *c, struct diag *diag)
{
        size_t n = 0;
        OWN_FREE struct listener *all = calloc(count_listeners(c) + 1, sizeof *all);
        if (all == NULL) {
                diag_error(diag, NULL, "memory is short");
                return;
        }
        for (size_t i = 0; i < c->n_services; i++) {
                const struct config_service *s = c->services[i];
                for (size_t j = 0; j < s->listen.n; j++)
                        all[n++] = (struct listener){ s, &s->listen.items[j], &s->listen.at[j] };
        }
        qsort(all, n, sizeof *all, by_port);
        check_sorted(all, n, diag);
}
