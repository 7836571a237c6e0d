/* SPDX-License-Identifier: ISC */
/* The names a resolver knows or is asking for: found by name, the oldest forgotten first. */
#ifndef NET_RESOLVE_CACHE_H
#define NET_RESOLVE_CACHE_H

#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

struct addrset;
struct resolver;
struct resolve_query;

TAILQ_HEAD(resolve_queries, resolve_query);

enum known_state {
        KNOWN_ANSWERED, /* set or error says what, until expires_ms */
        KNOWN_ASKING,   /* being asked for at this very moment: the answer may come at once */
        KNOWN_WAITING,  /* asked for; whoever waits is in waiters */
};

struct known {
        char *host;
        enum known_state state;
        struct addrset *set; /* with port 0; owned */
        const char *error;   /* a constant */
        int64_t expires_ms;  /* clock_ms(); 0: at once */
        struct resolver *resolver;
        struct resolve_queries waiters;
        TAILQ_ENTRY(known) age;
        LIST_ENTRY(known) bucket;
};

#define RESOLVE_CACHE_MAX     1000
#define RESOLVE_CACHE_BUCKETS 256

struct resolve_cache {
        size_t n;
        TAILQ_HEAD(known_by_age, known) by_age; /* the oldest first */
        LIST_HEAD(known_bucket, known) buckets[RESOLVE_CACHE_BUCKETS];
};

void resolve_cache_init(struct resolve_cache *c);
/* Forgets everything; nobody may be waiting any more. */
void resolve_cache_fini(struct resolve_cache *c);

/* Case does not matter (RFC 4343). Returns NULL when the name is not there. */
struct known *resolve_cache_find(struct resolve_cache *c, const char *host);
/* Add a name that is not there, in state KNOWN_ANSWERED and expired. A full cache forgets its
 * oldest answer; one in which every name is being asked for grows. Returns NULL when memory is
 * short. */
struct known *resolve_cache_add(struct resolve_cache *c, const char *host);
/* The name was answered anew: it is the youngest now. */
void resolve_cache_touch(struct resolve_cache *c, struct known *k);

#endif
