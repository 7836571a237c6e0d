/* SPDX-License-Identifier: ISC */
#include "net/resolve_cache.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "net/resolve.h"

static unsigned char lower(char c)
{
        return (unsigned char)(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
}

/* FNV-1a. */
static size_t bucket_of(const char *host)
{
        uint32_t h = 2166136261u;
        for (; *host != '\0'; host++)
                h = (h ^ lower(*host)) * 16777619u;
        return (h ^ h >> 16) % RESOLVE_CACHE_BUCKETS;
}

void resolve_cache_init(struct resolve_cache *c)
{
        *c = (struct resolve_cache){ 0 };
        TAILQ_INIT(&c->by_age);
        for (size_t i = 0; i < RESOLVE_CACHE_BUCKETS; i++)
                LIST_INIT(&c->buckets[i]);
}

static void known_free(struct known *k)
{
        assert(TAILQ_EMPTY(&k->waiters));
        addrset_free(k->set);
        free(k->host);
        free(k);
}

static void forget(struct resolve_cache *c, struct known *k)
{
        TAILQ_REMOVE(&c->by_age, k, age);
        LIST_REMOVE(k, bucket);
        c->n--;
        known_free(k);
}

void resolve_cache_fini(struct resolve_cache *c)
{
        while (!TAILQ_EMPTY(&c->by_age))
                forget(c, TAILQ_FIRST(&c->by_age));
}

struct known *resolve_cache_find(struct resolve_cache *c, const char *host)
{
        struct known *k;
        LIST_FOREACH (k, &c->buckets[bucket_of(host)], bucket) {
                if (strcasecmp(k->host, host) == 0)
                        return k;
        }
        return NULL;
}

static void forget_oldest(struct resolve_cache *c)
{
        struct known *k;
        TAILQ_FOREACH (k, &c->by_age, age) {
                if (k->state == KNOWN_ANSWERED) {
                        forget(c, k);
                        return;
                }
        }
}

struct known *resolve_cache_add(struct resolve_cache *c, const char *host)
{
        struct known *k = calloc(1, sizeof *k);
        if (k == NULL)
                return NULL;
        TAILQ_INIT(&k->waiters);
        if ((k->host = strdup(host)) == NULL) {
                known_free(k);
                return NULL;
        }
        if (c->n >= RESOLVE_CACHE_MAX)
                forget_oldest(c);
        TAILQ_INSERT_TAIL(&c->by_age, k, age);
        LIST_INSERT_HEAD(&c->buckets[bucket_of(host)], k, bucket);
        c->n++;
        return k;
}

void resolve_cache_touch(struct resolve_cache *c, struct known *k)
{
        TAILQ_REMOVE(&c->by_age, k, age);
        TAILQ_INSERT_TAIL(&c->by_age, k, age);
}
