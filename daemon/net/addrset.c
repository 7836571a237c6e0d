/* SPDX-License-Identifier: ISC */
#include "net/addrset.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <ares.h>

void addrset_free(struct addrset *set)
{
        free(set);
}

struct addrset *addrset_new(size_t n)
{
        struct addrset *set = calloc(1, sizeof *set + n * sizeof set->addresses[0]);
        if (set != NULL)
                set->n = n;
        return set;
}

static void set_address(struct sockaddress *a, const struct sockaddr *sa, socklen_t len)
{
        a->len = len;
        memcpy(&a->storage, sa, len);
}

struct addrset *addrset_copy(const struct addrset *from, uint16_t port)
{
        struct addrset *set = addrset_new(from->n);
        if (set == NULL)
                return NULL;
        memcpy(set->addresses, from->addresses, from->n * sizeof from->addresses[0]);
        for (size_t i = 0; i < set->n; i++)
                sockaddress_set_port(&set->addresses[i], port);
        return set;
}

/* What most connections ask for; getaddrinfo() takes longer. */
static struct addrset *literal_v4(const char *host)
{
        struct sockaddr_in in = { .sin_family = AF_INET };
        if (inet_pton(AF_INET, host, &in.sin_addr) != 1)
                return NULL;
        struct addrset *set = addrset_new(1);
        if (set != NULL)
                set_address(&set->addresses[0], (const struct sockaddr *)&in, sizeof in);
        return set;
}

/* getaddrinfo() reads a literal as everyone else does, the scope in fe80::1%eth0 included. */
struct addrset *addrset_literal(const char *host)
{
        struct addrset *v4 = literal_v4(host);
        if (v4 != NULL)
                return v4;
        const struct addrinfo hints = { .ai_flags = AI_NUMERICHOST, .ai_socktype = SOCK_STREAM };
        struct addrinfo *ai = NULL;
        if (getaddrinfo(host, NULL, &hints, &ai) != 0)
                return NULL;
        struct addrset *set = addrset_new(1);
        if (set != NULL)
                set_address(&set->addresses[0], ai->ai_addr, ai->ai_addrlen);
        freeaddrinfo(ai);
        return set;
}

static bool usable(const struct ares_addrinfo_node *node)
{
        return node->ai_family == AF_INET || node->ai_family == AF_INET6;
}

struct addrset *addrset_from_answer(const struct ares_addrinfo *answer, int *status)
{
        size_t n = 0;
        for (const struct ares_addrinfo_node *node = answer->nodes; node; node = node->ai_next)
                n += usable(node);
        struct addrset *set = n > 0 ? addrset_new(n) : NULL;
        if (set == NULL) {
                *status = n > 0 ? ARES_ENOMEM : ARES_ENODATA;
                return NULL;
        }
        struct sockaddress *next = set->addresses;
        for (const struct ares_addrinfo_node *node = answer->nodes; node; node = node->ai_next) {
                if (usable(node))
                        set_address(next++, node->ai_addr, node->ai_addrlen);
        }
        return set;
}
