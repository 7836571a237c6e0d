/* SPDX-License-Identifier: ISC */
/* Gates of listening sockets: who waits is not lost, nobody else gets in, and all can be undone. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "base/own.h"
#include "lsock_fixture.h"
#include "net/lsock_gate.h"

static const struct lsock_settings two_workers = { .workers = 2 };

/* Returns errno; EINPROGRESS: nobody answers for now. */
static int try(const struct lsock *l, int *fd)
{
        *fd = socket(l->address.sa.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        return connect(*fd, &l->address.sa, l->address.len) == 0 ? 0 : errno;
}

static bool becomes_connected(int fd)
{
        int error = -1;
        socklen_t len = sizeof error;
        struct pollfd p = { .fd = fd, .events = POLLOUT };
        poll(&p, 1, 5000);
        return getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) == 0 && error == 0 &&
               (p.revents & POLLHUP) == 0;
}

static bool is_refused(const struct lsock *l)
{
        OWN_FD int fd = -1;
        int error = try(l, &fd);
        if (error == EINPROGRESS)
                return !becomes_connected(fd);
        return error == ECONNREFUSED;
}

static size_t accept_all(const struct lsock *l)
{
        size_t n = 0;
        for (size_t i = 0; i < l->n_fds; i++) {
                int fd;
                while ((fd = accept(l->fds[i], NULL, NULL)) >= 0) {
                        own_close(&fd);
                        n++;
                }
        }
        return n;
}

/* What is accepted can be read from: there is no end where nobody has ended. */
static void assert_talks(const struct lsock *l)
{
        struct pollfd ready[] = { { .fd = l->fds[0], .events = POLLIN },
                                  { .fd = l->fds[l->n_fds - 1], .events = POLLIN } };
        char c;
        OWN_FD int client = dial(&l->address);
        assert_true(client >= 0);
        assert_true(poll(ready, COUNTOF(ready), 5000) > 0);
        OWN_FD int server = accept(ready[ready[0].revents == 0].fd, NULL, NULL);
        assert_true(server >= 0);
        assert_int_equal(recv(server, &c, 1, MSG_DONTWAIT), -1);
        assert_int_equal(errno, EAGAIN);
}

static void tcp_refuses_after_its_queue_is_empty(void **state)
{
        (void)state;
        OPENED o = open_with("127.0.0.1:0", &two_workers);
        struct lsock *l = o.socks[0];
        struct sockaddress at = l->address;
        OWN_FD int first = -1, second = -1, late = -1, again = -1;
        assert_int_equal(lsock_gate(l), LSOCK_OPEN);
        try(l, &first);
        try(l, &second);
        assert_true(becomes_connected(first) && becomes_connected(second));
        lsock_close_gate(l);
        assert_int_equal(lsock_gate(l), LSOCK_CLOSING);
        assert_true(lsock_is_open(l));
        assert_int_equal(try(l, &late), EINPROGRESS); /* not answered */
        lsock_begin_emptying(l);
        assert_false(lsock_is_open(l));
        assert_false(lsock_end_emptying(l)); /* two wait */
        assert_int_equal(lsock_gate(l), LSOCK_EMPTYING);
        assert_int_equal(accept_all(l), 2);
        assert_true(lsock_end_emptying(l));
        assert_int_equal(lsock_gate(l), LSOCK_REFUSING);
        assert_true(is_refused(l));
        assert_int_equal(lsock_open_gate(l, &two_workers), 0);
        assert_int_equal(lsock_gate(l), LSOCK_OPEN);
        try(l, &again);
        assert_true(becomes_connected(again));
        assert_true(accept_all(l) >= 1); /* late may have tried once more */
        at.len = sizeof at.storage;
        assert_int_equal(getsockname(l->fds[0], &at.sa, &at.len), 0);
        assert_true(sockaddress_equal(&at, &l->address)); /* although any port was asked for */
}

static void each_step_can_be_undone(void **state)
{
        (void)state;
        for (int steps = 0; steps <= 3; steps++) {
                OPENED o = open_with("127.0.0.1:0", &two_workers);
                struct lsock *l = o.socks[0];
                OWN_FD int client = -1;
                if (steps >= 1)
                        lsock_close_gate(l);
                if (steps >= 2)
                        lsock_begin_emptying(l);
                if (steps >= 3)
                        assert_true(lsock_end_emptying(l));
                assert_int_equal(lsock_open_gate(l, &two_workers), 0);
                try(l, &client);
                assert_true(becomes_connected(client));
                assert_int_equal(accept_all(l), 1);
        }
}

static void a_port_that_was_taken_meanwhile(void **state)
{
        (void)state;
        const int on = 1;
        OPENED o = open_with("127.0.0.1:0", &two_workers);
        struct lsock *l = o.socks[0];
        lsock_close_gate(l);
        lsock_begin_emptying(l);
        assert_true(lsock_end_emptying(l));
        OWN_FD int other = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        assert_int_equal(setsockopt(other, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on), 0);
        assert_int_equal(bind(other, &l->address.sa, l->address.len), 0);
        assert_int_equal(listen(other, 1), 0);
        assert_int_equal(lsock_open_gate(l, &two_workers), EADDRINUSE);
        assert_int_equal(lsock_gate(l), LSOCK_REFUSING);
        own_close(&other);
        assert_int_equal(lsock_open_gate(l, &two_workers), 0);
        for (size_t i = 0; i < 20; i++) /* now on the one socket, now on the other */
                assert_talks(l);
}

static void a_reload_does_not_open_it(void **state)
{
        (void)state;
        OPENED o = open_with("127.0.0.1:0", &two_workers);
        struct lsock *l = o.socks[0];
        lsock_close_gate(l);
        lsock_begin_emptying(l);
        assert_true(lsock_end_emptying(l));
        assert_int_equal(lsock_retune(l, &two_workers), 0);
        assert_true(is_refused(l));
}

static void a_unix_socket_lets_them_wait(void **state)
{
        (void)state;
        OPENED o = open_with("unix:@spliced-test-gate", &two_workers);
        struct lsock *l = o.socks[0];
        OWN_FD int first = -1, late = -1;
        assert_int_equal(try(l, &first), 0);
        lsock_close_gate(l);
        assert_int_equal(lsock_gate(l), LSOCK_EMPTYING);
        assert_int_equal(accept_all(l), 1);
        assert_true(lsock_end_emptying(l));
        assert_int_equal(lsock_gate(l), LSOCK_WAITING);
        assert_int_equal(try(l, &late), 0);
        assert_int_equal(lsock_open_gate(l, &two_workers), 0);
        assert_int_equal(accept_all(l), 1);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(tcp_refuses_after_its_queue_is_empty),
                cmocka_unit_test(each_step_can_be_undone),
                cmocka_unit_test(a_port_that_was_taken_meanwhile),
                cmocka_unit_test(a_reload_does_not_open_it),
                cmocka_unit_test(a_unix_socket_lets_them_wait),
        };
        return cmocka_run_group_tests_name("net/lsock_gate", tests, NULL, NULL);
}
