/* SPDX-License-Identifier: ISC */
/* What the tests of net/ stand on: a loop, a name server in it, and a resolver that asks it alone.
 */
#ifndef TESTS_NET_FIXTURE_H
#define TESTS_NET_FIXTURE_H

#include <stdbool.h>
#include <stddef.h>

#include "dns_server.h"

struct io;
struct resolver;

struct net_fixture {
        struct event_base *base;
        struct io *io;
        struct dns_server *dns;
        struct resolver *resolver;
};

/* The resolver gives up on a silent server after 2 × 100 ms. */
void net_fixture_init(struct net_fixture *f, const struct dns_row *rows, size_t n);
void net_fixture_fini(struct net_fixture *f);

/* Run the loop until *flag; the test fails if that takes longer than any test should. */
void net_run_until(struct event_base *base, const bool *flag);
/* Run until nothing is ready. */
void net_run_ready(struct event_base *base);

#endif
