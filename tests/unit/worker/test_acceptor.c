/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>

#include <cmocka.h>
#include <event2/event.h>

#include "../child.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/own.h"
#include "acceptor_fixture.h"

/* --- as long as there are descriptors --------------------------------------------------------- */

static void whoever_connects_is_handed_over(void **state)
{
        (void)state;
        struct fixture f;
        open_fixture(&f);
        for (size_t i = 0; i < f.snapshot->n_services; i++) {
                struct service *service = f.snapshot->services[i];
                for (size_t j = 0; j < service->n_socks; j++) {
                        OWN_FD int client = connect_to(service->socks[j]);
                        struct sockaddress from = { .len = sizeof from.storage };
                        assert_int_equal(getsockname(client, &from.sa, &from.len), 0);
                        until_accepted(&f, f.n + 1);
                        assert_ptr_equal(f.service, service);
                        assert_ptr_equal(f.sock, service->socks[j]);
                        assert_true(sockaddress_equal(&f.client, &from));
                        int fd = f.fds[f.n - 1];
                        assert_true(fcntl(fd, F_GETFL) & O_NONBLOCK);
                        assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
                }
        }
        close_fixture(&f);
}

static void whoever_is_not_taken_is_reset(void **state)
{
        (void)state;
        struct fixture f;
        open_fixture(&f);
        f.take = false;
        OWN_FD int client = connect_to(first_socket(&f));
        size_t before = open_descriptors();
        until_accepted(&f, 1);
        char octet;
        assert_int_equal(recv(client, &octet, 1, 0), -1);
        assert_int_equal(errno, ECONNRESET);
        assert_int_equal(open_descriptors(), before);
        close_fixture(&f);
}

/* A crowd at the door must not keep those inside from being served. */
static void a_crowd_is_let_in_by_and_by(void **state)
{
        (void)state;
        struct fixture f;
        int clients[MANY];
        open_fixture(&f);
        connect_all(first_socket(&f), clients, MANY);
        while (f.n < MANY) {
                size_t before = f.n;
                acceptor_turn(f.acceptor);
                event_base_loop(f.base, EVLOOP_ONCE);
                assert_in_range(f.n - before, 1, 64);
        }
        close_all(clients, MANY);
        close_fixture(&f);
}

/* --- the end ---------------------------------------------------------------------------------- */

static void stopping_takes_what_waits_and_nothing_after(void **state)
{
        (void)state;
        struct fixture f;
        int clients[MANY];
        open_fixture(&f);
        connect_all(first_socket(&f), clients, MANY / 2);
        connect_all(forwarding_socket(&f), clients + MANY / 2, MANY / 4);
        acceptor_stop(f.acceptor);
        assert_int_equal(f.n, MANY / 2 + MANY / 4);
        OWN_FD int late = connect_to(first_socket(&f));
        acceptor_stop(f.acceptor);
        event_base_loop(f.base, EVLOOP_NONBLOCK);
        assert_int_equal(f.n, MANY / 2 + MANY / 4);
        close_all(clients, MANY / 2 + MANY / 4);
        close_fixture(&f);
}

/* Of several workers each has its own queue; who stops leaves none behind, wherever it waits. */
static void stopping_takes_what_waits_in_every_queue(void **state)
{
        (void)state;
        struct fixture f;
        int clients[MANY / 2];
        open_fixture_of(&f, 3);
        assert_int_equal(first_socket(&f)->n_fds, 3);
        connect_all(first_socket(&f), clients, COUNTOF(clients));
        turns(&f, COUNTOF(clients), 100); /* its own are not all of them */
        assert_in_range(f.n, 1, COUNTOF(clients) - 1);
        acceptor_stop(f.acceptor);
        assert_int_equal(f.n, COUNTOF(clients));
        close_all(clients, COUNTOF(clients));
        close_fixture(&f);
}

static void stopping_in_a_pause_takes_what_waits_as_well(void **state)
{
        (void)state;
        struct fixture f;
        int clients[20];
        open_fixture(&f);
        connect_all(first_socket(&f), clients, COUNTOF(clients));
        assert_int_equal(acceptor_relief(f.acceptor), 0);
        acceptor_stop(f.acceptor);
        assert_int_equal(f.n, COUNTOF(clients));
        turns(&f, SIZE_MAX, 250);
        OWN_FD int late = connect_to(first_socket(&f));
        event_base_loop(f.base, EVLOOP_NONBLOCK);
        assert_int_equal(f.n, COUNTOF(clients));
        close_all(clients, COUNTOF(clients));
        close_fixture(&f);
}

/* --- the reserve ------------------------------------------------------------------------------ */

static void the_reserve_is_given_once_and_comes_back(void **state)
{
        (void)state;
        struct fixture f;
        open_fixture(&f);
        size_t before = open_descriptors();
        for (int round = 0; round < 2; round++) {
                assert_int_equal(acceptor_relief(f.acceptor), 0);
                assert_int_equal(open_descriptors(), before - 1);
                assert_int_equal(acceptor_relief(f.acceptor), -1);
                assert_int_equal(open_descriptors(), before - 1);
                /* Nobody is let in until it is back, who comes meanwhile waits. */
                OWN_FD int client = connect_to(first_socket(&f));
                event_base_loop(f.base, EVLOOP_NONBLOCK);
                assert_int_equal(f.n, 0);
                until_accepted(&f, 1);
                close_accepted(&f);
                own_close(&client);
                assert_int_equal(open_descriptors(), before);
        }
        close_fixture(&f);
}

/* --- without descriptors ---------------------------------------------------------------------- */

static int spare[1024];
static size_t n_spare;

/* Take all descriptors there are but n. */
static void leave_descriptors(size_t n)
{
        struct rlimit limit;
        assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
        limit.rlim_cur = 256;
        assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
        while ((spare[n_spare] = open("/dev/null", O_RDONLY | O_CLOEXEC)) >= 0)
                n_spare++;
        assert_int_equal(errno, EMFILE);
        while (n-- > 0)
                own_close(&spare[--n_spare]);
}

static void give_back(size_t n)
{
        while (n-- > 0)
                own_close(&spare[--n_spare]);
}

/* The log, of which the text is wanted. */
static int log_to_file(void)
{
        char path[] = "/tmp/spliced-acceptor-XXXXXX";
        int fd = mkstemp(path);
        assert_true(fd >= 0);
        assert_null(log_open(path, LOG_LEVEL_DEBUG));
        unlink(path);
        return fd;
}

static void assert_warned_once(int log)
{
        static const char warning[] = "accepting pauses: Too many open files";
        char text[4096];
        ssize_t n = pread(log, text, sizeof text - 1, 0);
        assert_true(n >= 0);
        text[n] = '\0';
        const char *first = strstr(text, warning);
        assert_non_null(first);
        assert_null(strstr(first + 1, warning));
}

static int64_t cpu_ms(void)
{
        struct timespec now;
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
        return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

enum { COME = 20, FIT = 5 };

/* Twenty have come where there is place for five: the others wait until some have gone, nobody is
 * turned away, and waiting costs nothing. */
static void wait_and_serve(struct fixture *f, int *clients)
{
        until_accepted(f, FIT);
        int64_t began = cpu_ms();
        assert_in_range(turns(f, SIZE_MAX, 550), 2, 30);
        assert_in_range(cpu_ms() - began, 0, 200);
        assert_int_equal(f->n, FIT);
        for (size_t served = 0; served < COME;) {
                turns(f, 1, 60000);
                for (size_t i = 0; i < f->n; i++)
                        assert_int_equal(send(f->fds[i], "x", 1, MSG_NOSIGNAL), 1);
                assert_in_range(f->n, 1, FIT);
                served += f->n;
                close_accepted(f);
        }
        for (size_t i = 0; i < COME; i++) {
                char octet;
                assert_int_equal(recv(clients[i], &octet, 1, 0), 1);
        }
}

/* The limit is one of the process: the budget knows nothing of it. */
static void at_the_limit(const void *arg)
{
        (void)arg;
        struct fixture f;
        int clients[COME], log = log_to_file();
        open_fixture(&f);
        connect_all(first_socket(&f), clients, COME);
        leave_descriptors(FIT);
        wait_and_serve(&f, clients);
        assert_warned_once(log);
        close_fixture(&f);
        log_close();
}

static void at_the_limit_it_waits_without_spinning_and_serves_all(void **state)
{
        (void)state;
        if (under_valgrind())
                skip();
        else
                assert_int_equal(in_child(at_the_limit, NULL), 0);
}

static void on_a_spent_budget_it_waits_without_spinning_and_serves_all(void **state)
{
        (void)state;
        struct fixture f;
        int clients[COME];
        OWN_FD int log = log_to_file();
        open_fixture(&f);
        atomic_store(&f.budget.left, FIT);
        connect_all(first_socket(&f), clients, COME);
        wait_and_serve(&f, clients);
        assert_warned_once(log);
        close_all(clients, COME);
        close_fixture(&f);
        log_close();
}

/* Nobody is let in who could then not be connected with his upstream. */
static void who_needs_two_descriptors_waits_for_two(void **state)
{
        (void)state;
        struct fixture f;
        open_fixture(&f);
        OWN_FD int log = log_to_file();
        OWN_FD int client = connect_to(forwarding_socket(&f));
        atomic_store(&f.budget.left, 1);
        assert_in_range(turns(&f, 1, 250), 1, 20);
        assert_int_equal(f.n, 0);
        budget_give(&f.budget, 1);
        until_accepted(&f, 1);
        assert_int_equal(atomic_load(&f.budget.left), 0);
        close_fixture(&f);
        log_close();
}

/* Somebody has the reserve and there is no other descriptor: it waits until there is. */
static void without_reserve(const void *arg)
{
        (void)arg;
        struct fixture f;
        log_to_file();
        open_fixture(&f);
        atomic_store(&f.budget.left, 1000);
        OWN_FD int client = connect_to(first_socket(&f));
        leave_descriptors(0);
        assert_int_equal(acceptor_relief(f.acceptor), 0);
        OWN_FD int upstream = open("/dev/null", O_RDONLY | O_CLOEXEC);
        assert_true(upstream >= 0);
        assert_in_range(turns(&f, 1, 350), 1, 20);
        assert_int_equal(f.n, 0);
        assert_int_equal(acceptor_relief(f.acceptor), -1);
        give_back(2); /* one for the reserve, one for who waits */
        until_accepted(&f, 1);
        assert_int_equal(acceptor_relief(f.acceptor), 0);
        close_fixture(&f);
        log_close();
}

static void without_its_reserve_it_lets_nobody_in(void **state)
{
        (void)state;
        assert_int_equal(in_child(without_reserve, NULL), 0);
}

static void stop_at_the_limit(const void *arg)
{
        (void)arg;
        struct fixture f;
        int clients[8];
        log_to_file();
        open_fixture(&f);
        connect_all(first_socket(&f), clients, COUNTOF(clients));
        leave_descriptors(3);
        acceptor_stop(f.acceptor);
        assert_int_equal(f.n, 3);
        close_accepted(&f);
        assert_in_range(turns(&f, 1, 250), 0, 10);
        assert_int_equal(f.n, 0);
        close_fixture(&f);
        log_close();
}

static void stopping_at_the_limit_takes_what_it_can_and_ends(void **state)
{
        (void)state;
        assert_int_equal(in_child(stop_at_the_limit, NULL), 0);
}

static void stopping_takes_no_more_than_the_budget(void **state)
{
        (void)state;
        struct fixture f;
        int clients[8];
        open_fixture(&f);
        connect_all(forwarding_socket(&f), clients, COUNTOF(clients));
        atomic_store(&f.budget.left, 7);
        acceptor_stop(f.acceptor);
        assert_int_equal(f.n, 3);
        close_accepted(&f);
        assert_in_range(turns(&f, 1, 250), 0, 10);
        assert_int_equal(f.n, 0);
        close_all(clients, COUNTOF(clients));
        close_fixture(&f);
}

static void begin_at_the_limit(const void *arg)
{
        (void)arg;
        struct fixture f;
        open_fixture(&f);
        leave_descriptors(0);
        errno = 0;
        assert_null(acceptor_new(f.base, f.snapshot, 0, &f.budget, on_accepted, &f));
        assert_int_equal(errno, EMFILE);
        close_fixture(&f);
}

static void without_a_reserve_there_is_no_acceptor(void **state)
{
        (void)state;
        assert_int_equal(in_child(begin_at_the_limit, NULL), 0);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(whoever_connects_is_handed_over),
                cmocka_unit_test(whoever_is_not_taken_is_reset),
                cmocka_unit_test(a_crowd_is_let_in_by_and_by),
                cmocka_unit_test(stopping_takes_what_waits_and_nothing_after),
                cmocka_unit_test(stopping_takes_what_waits_in_every_queue),
                cmocka_unit_test(stopping_in_a_pause_takes_what_waits_as_well),
                cmocka_unit_test(the_reserve_is_given_once_and_comes_back),
                cmocka_unit_test(at_the_limit_it_waits_without_spinning_and_serves_all),
                cmocka_unit_test(on_a_spent_budget_it_waits_without_spinning_and_serves_all),
                cmocka_unit_test(who_needs_two_descriptors_waits_for_two),
                cmocka_unit_test(without_its_reserve_it_lets_nobody_in),
                cmocka_unit_test(stopping_at_the_limit_takes_what_it_can_and_ends),
                cmocka_unit_test(stopping_takes_no_more_than_the_budget),
                cmocka_unit_test(without_a_reserve_there_is_no_acceptor),
        };
        return cmocka_run_group_tests_name("worker/acceptor", tests, NULL, NULL);
}
