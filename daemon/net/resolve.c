/* SPDX-License-Identifier: ISC */
#include "net/resolve.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include <event2/event.h>

#include "base/clock.h"
#include "base/own.h"
#include "net/addrset.h"
#include "net/ares_loop.h"
#include "net/resolve_cache.h"
#include "net/resolve_internal.h"

enum {
        TTL_MIN_S = 1,
        TTL_MAX_S = 3600,
        TTL_HOSTS_FILE_S = 5, /* a file has no TTL */
        TTL_ERROR_S = 1,      /* enough to spare the name server a storm, too short to be noticed */
};

static const char *const out_of_memory = "out of memory";

/* Someone who waits: in the waiters of a name, then, with its answer, in ready. */
struct resolve_query {
        struct resolve_queries *in;
        TAILQ_ENTRY(resolve_query) link;
        uint16_t port;
        resolve_done_fn *done;
        void *arg;
        struct addrset *set;
        const char *error;
};

struct resolver {
        struct ares_loop *loop;
        struct resolve_cache cache;
        struct resolve_queries ready;
        struct event *deliver;
};

static const char *error_text(int status)
{
        switch (status) {
        case ARES_ENOTFOUND:
        case ARES_ENONAME:
                return "no such name";
        case ARES_ENODATA:
                return "the name has no address";
        case ARES_EBADNAME:
                return "not a possible name";
        case ARES_ETIMEOUT:
                return "the name server did not answer in time";
        case ARES_ECONNREFUSED: /* old c-ares says so, too, when every server failed or refused */
                return "no name server could answer";
        case ARES_ESERVFAIL:
                return "the name server failed";
        case ARES_EREFUSED:
                return "the name server refused to answer";
        case ARES_ENOTIMP:
        case ARES_EFORMERR:
                return "the name server did not understand the question";
        case ARES_EBADRESP:
                return "the name server's answer makes no sense";
        case ARES_ENOMEM:
                return out_of_memory;
        default:
                return ares_strerror(status);
        }
}

/* An answer holds as long as every record it was made of, the aliases on the way included. */
static int smallest_ttl(const struct ares_addrinfo *ai)
{
        int ttl = TTL_MAX_S;
        for (const struct ares_addrinfo_node *node = ai->nodes; node; node = node->ai_next) {
                if (node->ai_ttl < ttl)
                        ttl = node->ai_ttl;
        }
        for (const struct ares_addrinfo_cname *c = ai->cnames; c; c = c->next) {
                if (c->ttl < ttl)
                        ttl = c->ttl;
        }
        return ttl;
}

/* How long to remember an answer, in seconds. The hosts file answers at once and without a TTL. */
static int lifetime(const struct known *k, const struct ares_addrinfo *ai)
{
        if (k->set == NULL)
                return k->error == out_of_memory ? 0 : TTL_ERROR_S;
        int ttl = smallest_ttl(ai);
        if (ttl <= 0 && k->state == KNOWN_ASKING)
                return TTL_HOSTS_FILE_S;
        return ttl < TTL_MIN_S ? TTL_MIN_S : ttl;
}

static void take_answer(struct known *k, int status, const struct ares_addrinfo *ai)
{
        addrset_free(TAKE(k->set));
        k->error = NULL;
        if (status == ARES_SUCCESS)
                k->set = addrset_from_answer(ai, &status);
        if (k->set == NULL)
                k->error = error_text(status);
        k->expires_ms = clock_ms() + lifetime(k, ai) * (int64_t)1000;
        k->state = KNOWN_ANSWERED;
        resolve_cache_touch(&k->resolver->cache, k);
}

static void move_query(struct resolve_query *q, struct resolve_queries *to)
{
        if (q->in != NULL)
                TAILQ_REMOVE(q->in, q, link);
        TAILQ_INSERT_TAIL(to, q, link);
        q->in = to;
}

/* Whoever waits is told from the loop, one by one: they may do as they please, freeing the resolver
 * included, and c-ares does not like to be called, let alone destroyed, from inside its own
 * callbacks. */
static void wake_waiters(struct resolver *r, struct known *k)
{
        while (!TAILQ_EMPTY(&k->waiters)) {
                struct resolve_query *q = TAILQ_FIRST(&k->waiters);
                q->set = k->set != NULL ? addrset_copy(k->set, q->port) : NULL;
                q->error = q->set != NULL ? NULL : k->error != NULL ? k->error : out_of_memory;
                move_query(q, &r->ready);
        }
        if (!TAILQ_EMPTY(&r->ready))
                event_active(r->deliver, EV_TIMEOUT, 1);
}

static void on_answer(void *arg, int status, int timeouts, struct ares_addrinfo *ai)
{
        struct known *k = arg;
        (void)timeouts;
        if (status != ARES_EDESTRUCTION) {
                take_answer(k, status, ai);
                wake_waiters(k->resolver, k);
        }
        if (ai != NULL)
                ares_freeaddrinfo(ai);
}

static void query_free(struct resolve_query *q)
{
        TAILQ_REMOVE(q->in, q, link);
        addrset_free(q->set);
        free(q);
}

static void deliver_one(evutil_socket_t fd, short what, void *arg)
{
        (void)fd;
        (void)what;
        struct resolver *r = arg;
        struct resolve_query *q = TAILQ_FIRST(&r->ready);
        if (q == NULL)
                return; /* cancelled meanwhile */
        struct resolve_query told = *q;
        q->set = NULL;
        query_free(q);
        if (!TAILQ_EMPTY(&r->ready))
                event_active(r->deliver, EV_TIMEOUT, 1);
        told.done(told.set, told.error, told.arg);
}

static struct resolver *make(struct event_base *base, const struct ares_options *options,
                             int optmask, const char *servers)
{
        struct resolver *r = calloc(1, sizeof *r);
        if (r == NULL)
                return NULL;
        resolve_cache_init(&r->cache);
        TAILQ_INIT(&r->ready);
        if ((r->deliver = evtimer_new(base, deliver_one, r)) == NULL ||
            (r->loop = ares_loop_new(base, options, optmask, servers)) == NULL) {
                int saved = r->deliver == NULL ? ENOMEM : errno;
                resolver_free(r);
                errno = saved;
                return NULL;
        }
        return r;
}

struct resolver *resolver_new(struct event_base *base)
{
        return make(base, &(struct ares_options){ 0 }, 0, NULL);
}

struct resolver *resolver_new_with_server(struct event_base *base, const char *server,
                                          uint16_t port, int timeout_ms, int tries)
{
        char servers[64];
        snprintf(servers, sizeof servers, "%s:%u", server, port);
        const struct ares_options options = { .flags = ARES_FLAG_NOSEARCH,
                                              .timeout = timeout_ms,
                                              .tries = tries };
        return make(base, &options, ARES_OPT_FLAGS | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES, servers);
}

static void drop_queries(struct resolve_queries *list)
{
        while (!TAILQ_EMPTY(list))
                query_free(TAILQ_FIRST(list));
}

void resolver_free(struct resolver *r)
{
        if (r == NULL)
                return;
        ares_loop_free(r->loop); /* its last callbacks still look at the names */
        struct known *k;
        TAILQ_FOREACH (k, &r->cache.by_age, age)
                drop_queries(&k->waiters);
        drop_queries(&r->ready);
        resolve_cache_fini(&r->cache);
        if (r->deliver != NULL)
                event_free(r->deliver);
        free(r);
}

/* Ask for a name that is not being asked for. What needs no name server is answered at once. */
static void ask(struct resolver *r, struct known *k)
{
        k->state = KNOWN_ASKING;
        ares_loop_lookup(r->loop, k->host, on_answer, k);
        if (k->state == KNOWN_ASKING)
                k->state = KNOWN_WAITING;
}

/* Hand out a copy of a set at once, or else the error. Always returns NULL, for resolve_start(). */
static struct resolve_query *answer_now(const struct addrset *set, const char *error, uint16_t port,
                                        resolve_done_fn *done, void *arg)
{
        struct addrset *copy = set != NULL ? addrset_copy(set, port) : NULL;
        done(copy, copy != NULL ? NULL : error != NULL ? error : out_of_memory, arg);
        return NULL;
}

static struct resolve_query *wait_for(struct known *k, uint16_t port, resolve_done_fn *done,
                                      void *arg)
{
        struct resolve_query *q = calloc(1, sizeof *q);
        if (q == NULL)
                return answer_now(NULL, out_of_memory, port, done, arg);
        q->port = port;
        q->done = done;
        q->arg = arg;
        move_query(q, &k->waiters);
        return q;
}

struct resolve_query *resolve_start(struct resolver *r, const char *host, uint16_t port,
                                    resolve_done_fn *done, void *arg)
{
        OWN_FREE struct addrset *literal = addrset_literal(host);
        if (literal != NULL)
                return answer_now(literal, NULL, port, done, arg);
        struct known *k = resolve_cache_find(&r->cache, host);
        if (k == NULL && (k = resolve_cache_add(&r->cache, host)) == NULL)
                return answer_now(NULL, out_of_memory, port, done, arg);
        k->resolver = r;
        if (k->state == KNOWN_ANSWERED && clock_ms() >= k->expires_ms)
                ask(r, k);
        if (k->state == KNOWN_ANSWERED)
                return answer_now(k->set, k->error, port, done, arg);
        return wait_for(k, port, done, arg);
}

void resolve_cancel(struct resolve_query *q)
{
        if (q != NULL)
                query_free(q);
}
