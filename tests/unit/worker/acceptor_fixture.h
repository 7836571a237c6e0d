/* SPDX-License-Identifier: ISC */
/* An acceptor on real sockets, with clients. */
#ifndef TESTS_WORKER_ACCEPTOR_FIXTURE_H
#define TESTS_WORKER_ACCEPTOR_FIXTURE_H

#include "../snapshot/made.h"
#include "worker/acceptor.h"
#include "worker/budget.h"

enum { MANY = 200 };

/* What an acceptor has handed over, and what is done with it. */
struct fixture {
        struct event_base *base;
        struct snapshot *snapshot;
        struct acceptor *acceptor;
        struct budget budget;
        bool take; /* keep the descriptors; otherwise they are left to the acceptor */
        int fds[MANY];
        size_t n;
        struct service *service; /* of the last one */
        const struct lsock *sock;
        struct sockaddress client;
};

/* An accepted_fn; arg is the fixture. */
void on_accepted(struct service *service, const struct lsock *sock,
                 const struct sockaddress *client, int *fd, void *arg);

/* For the first of so many workers. */
void open_fixture_of(struct fixture *f, int workers);
void open_fixture(struct fixture *f);
void close_accepted(struct fixture *f);
void close_fixture(struct fixture *f);
/* Of a service whose connections take one descriptor, and of one where they take two. */
const struct lsock *first_socket(const struct fixture *f);
const struct lsock *forwarding_socket(const struct fixture *f);
int connect_to(const struct lsock *sock);
void connect_all(const struct lsock *sock, int *fds, size_t n);
void close_all(int *fds, size_t n);
/* Run the loop until n have been handed over, or ms have passed; returns how often it turned. */
unsigned turns(struct fixture *f, size_t n, int64_t ms);
void until_accepted(struct fixture *f, size_t n);

#endif
