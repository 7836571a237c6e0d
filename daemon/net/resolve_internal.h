/* SPDX-License-Identifier: ISC */
/* What the resolver's tests need beyond its public face. */
#ifndef NET_RESOLVE_INTERNAL_H
#define NET_RESOLVE_INTERNAL_H

#include <stdint.h>

struct event_base;
struct resolver;

/* A resolver that asks one name server alone and gives it up soon: tries times, timeout_ms for the
 * first. Neither search domains nor the rest of /etc/resolv.conf have a say. NULL with errno set.
 */
struct resolver *resolver_new_with_server(struct event_base *base, const char *server,
                                          uint16_t port, int timeout_ms, int tries);

#endif
