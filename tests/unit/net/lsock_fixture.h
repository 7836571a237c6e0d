/* SPDX-License-Identifier: ISC */
/* Opening listening sockets in tests, and trying whether they serve. */
#ifndef TESTS_LSOCK_FIXTURE_H
#define TESTS_LSOCK_FIXTURE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/own.h"
#include "net/lsock.h"

/* What one lsock_open() gave. */
struct opened {
        bool ok;
        struct lsock **socks;
        size_t n;
        char *said; /* the messages, at x.conf:3 */
};

/* Nothing set: whatever the system does. */
extern const struct lsock_settings usual;

struct opened open_with(const char *text, const struct lsock_settings *settings);
struct opened open_usual(const char *text);
void opened_fini(struct opened *o);
#define OPENED OWN(opened_fini) struct opened

void assert_says(const struct opened *o, const char *part);

/* An int option of a socket. */
int option(int fd, int level, int name);
/* Connect to it; -1 and errno when that fails. */
int dial(const struct sockaddress *a);
/* A connection arrives and is accepted. */
void assert_serves(const struct lsock *l);

/* An empty directory for a test; it must be empty at the end as well, but for `path`. */
struct place {
        char dir[64];
        char address[128]; /* unix:DIR/s */
        const char *path;  /* DIR/s */
};
int make_place(void **state);
int leave_place(void **state);
#define PLACED(name) cmocka_unit_test_setup_teardown(name, make_place, leave_place)

#endif
