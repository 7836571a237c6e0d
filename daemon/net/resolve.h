/* SPDX-License-Identifier: ISC */
/* Names to addresses without blocking (c-ares), remembered for as long as their TTL says.
 * One resolver a worker; everything on the worker's thread. */
#ifndef NET_RESOLVE_H
#define NET_RESOLVE_H

#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"

struct event_base;
struct resolver;
struct resolve_query;

/* What a name stands for, in the order to try (RFC 6724 as c-ares sorts it). */
struct addrset {
        size_t n;
        struct sockaddress addresses[];
};
void addrset_free(struct addrset *set);

/* Exactly one of set (owned by the callee; at least one address) and error (borrowed text, such as
 * "no such name") is not NULL. May run before resolve_start returns (a literal, a remembered name).
 */
typedef void resolve_done_fn(struct addrset *set, const char *error, void *arg);

struct resolver *resolver_new(struct event_base *base); /* NULL with errno set */
void resolver_free(struct resolver *r); /* queries under way end silently and are gone */

/* Look host up (a name or a literal) and give every address port (host order). Returns the query,
 * which lives until done runs or resolve_cancel(); NULL when done has run already. */
struct resolve_query *resolve_start(struct resolver *r, const char *host, uint16_t port,
                                    resolve_done_fn *done, void *arg);
/* done will not run. NULL is fine. */
void resolve_cancel(struct resolve_query *q);

#endif
