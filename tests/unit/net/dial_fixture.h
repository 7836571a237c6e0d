/* SPDX-License-Identifier: ISC */
/* Places to dial, good and bad, and what becomes of a dial. */
#ifndef TESTS_DIAL_FIXTURE_H
#define TESTS_DIAL_FIXTURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "net/dial.h"

/* Sockets on 127.0.0.1, at a port the kernel gave: one that listens; one that is bound only, so
 * that its port refuses and stays ours; one whose backlog is full, so that nobody ever answers. */
int tcp_listener(int backlog);
int tcp_refusing(void);
int tcp_black_hole(void);
uint16_t tcp_port(int fd);

/* A listening Unix socket in a directory of its own. */
struct unix_place {
        char dir[64], path[96];
        int listener;
        int fillers[64];
        size_t n_fillers;
};
void unix_place_init(struct unix_place *p, int backlog);
void unix_place_fill(struct unix_place *p); /* until connect(2) says EAGAIN */
void unix_place_fini(struct unix_place *p);

/* Addresses to dial, as people write them. */
struct targets {
        const struct addr **list;
        struct addr **owned; /* the same */
        size_t n;
};
void targets_add(struct targets *t, const char *format, ...) __attribute__((format(printf, 2, 3)));
void targets_fini(struct targets *t);

struct outcome {
        bool done;
        struct dial_result result;
};
dial_done_fn outcome_set; /* arg: the struct outcome */
void outcome_fini(struct outcome *o);

/* What was tried: how often, the nth of them (from 0), and where that went. */
size_t attempts_count(const struct dial_attempt *first);
const struct dial_attempt *attempt_at(const struct dial_attempt *first, size_t n);
struct sockaddress attempt_address(const struct dial_attempt *a);

#endif
