/* SPDX-License-Identifier: ISC */
/* What the tests of direct streams stand on: two connections in a loop, whose octets are a pattern.
 */
#ifndef TESTS_NET_DIRECT_FIXTURE_H
#define TESTS_NET_DIRECT_FIXTURE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/clock.h"
#include "net/io.h"
#include "net/stream_direct.h"

struct sockaddress;

enum {
        MUCH = 8 * 1024 * 1024 + 3, /* octets: more than the kernel holds for one connection */
        ONE_TURN = 1024 * 1024,     /* octets that a stream may take in one turn of the loop */
        CHUNK = 64 * 1024,
        SOCKET_BUFFER = 512 * 1024, /* more than a pipe holds, less than MUCH */
};

/* Our end of a connection, and the peer's. */
struct leg {
        struct stream *s;
        int peer;
        size_t sent, got; /* octets of the pattern, by and at the peer */
        size_t received;  /* octets of the pattern, by us */
        int told;
        bool idle; /* does not receive */
};

struct world {
        int domain;
        int descriptors; /* open ones before */
        struct event_base *base;
        struct io_ceiling ceiling;
        struct io *io;
        struct leg a, b;
        size_t moved; /* from a to b */
};

/* MUCH octets. */
const unsigned char *direct_pattern(void);

/* *state: the address family; the world afterwards. */
int direct_set_up(void **state);
/* As many descriptors as before, and nothing held in memory. */
int direct_tear_down(void **state);
/* One turn of the loop, or several. */
void direct_turn(struct world *w);
void direct_turns(struct world *w, int n);
/* A listening TCP socket, at *a. */
int direct_listen_on_loopback(struct sockaddress *a);
void direct_open_leg(struct world *w, struct leg *leg);
/* The listener in both slots of a leg: counts, and drains unless it is idle. */
void direct_on_change(void *arg);
/* Take what there is; it is the pattern, from where we were. */
void direct_drain(struct leg *leg);
/* The peer sends the pattern's next octets, as many as go, up to octet number `most`. */
void direct_feed(struct leg *leg, size_t most);
/* The peer takes what there is. Returns false at the end; a reset is noted in errno. */
bool direct_take(struct leg *leg);
void direct_end_peer(struct leg *leg);
/* A Unix socket resets when it is closed with something unread. */
void direct_prepare_reset(struct world *w, struct leg *leg);
void direct_reset_peer(struct leg *leg);

#define UNTIL_DOING(condition, also)                                            \
        do {                                                                    \
                int64_t deadline_ = clock_ms() + 20000;                         \
                while (!(condition)) {                                          \
                        if (clock_ms() > deadline_)                             \
                                fail_msg("waited in vain for: %s", #condition); \
                        also;                                                   \
                        direct_turn(w);                                         \
                }                                                               \
        } while (0)
#define UNTIL(condition) UNTIL_DOING(condition, (void)0)

/* Tables of tests, over TCP, Unix sockets, or both. */
extern const int direct_tcp, direct_local;
#define TEST_ON(fn, domain)                                                                 \
        {                                                                                   \
                .name = #fn " (" #domain ")", .test_func = fn, .setup_func = direct_set_up, \
                .teardown_func = direct_tear_down,                                          \
                .initial_state = (void *)(size_t)&direct_##domain,                          \
        }
#define TCP(fn)   TEST_ON(fn, tcp)
#define LOCAL(fn) TEST_ON(fn, local)
#define BOTH(fn)  TCP(fn), LOCAL(fn)

#endif
