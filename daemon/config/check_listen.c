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
        /* What the address says, found out once: there may be thousands on one port. */
        bool literal, any_v4, any_v6;
        struct sockaddress where; /* literal */
};

static struct listener listener_of(const struct config_service *s, size_t i)
{
        const struct addr *a = &s->listen.items[i];
        struct listener l = { .service = s, .addr = a, .at = &s->listen.at[i] };
        l.any_v4 = l.any_v6 = a->any;
        l.literal = !a->any && addr_literal(a, &l.where);
        if (l.literal && l.where.sa.sa_family == AF_INET)
                l.any_v4 = l.where.in.sin_addr.s_addr == htonl(INADDR_ANY);
        else if (l.literal && l.where.sa.sa_family == AF_INET6)
                l.any_v6 = IN6_IS_ADDR_UNSPECIFIED(&l.where.in6.sin6_addr);
        return l;
}

/* A wildcard takes its port from every address of its family. A name may stand for addresses of
 * both. */
static bool covers(const struct listener *wild, const struct listener *other)
{
        if (!other->literal)
                return wild->any_v4 || wild->any_v6;
        return other->where.sa.sa_family == AF_INET ? wild->any_v4 : wild->any_v6;
}

static bool overlap(const struct listener *a, const struct listener *b)
{
        if (a->addr->kind != b->addr->kind)
                return false;
        if (a->addr->kind != ADDR_HOST)
                return strcmp(a->addr->host, b->addr->host) == 0;
        if (a->addr->port != b->addr->port || a->addr->port == 0)
                return false;
        if (covers(a, b) || covers(b, a))
                return true;
        if (a->literal && b->literal)
                return sockaddress_equal(&a->where, &b->where);
        return strcasecmp(a->addr->host, b->addr->host) == 0;
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
                        if (!overlap(&l[i], &l[j]))
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
                        all[n++] = listener_of(s, j);
        }
        qsort(all, n, sizeof *all, by_port);
        check_sorted(all, n, diag);
}
