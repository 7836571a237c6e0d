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
#include "../snapshot/made.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/own.h"
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

static void on_accepted(struct service *service, const struct lsock *sock,
                        const struct sockaddress *client, int *fd, void *arg)
{
        struct fixture *f = arg;
        assert_true(f->n < MANY);
        f->service = service;
        f->sock = sock;
        f->client = *client;
        if (f->take)
                budget_take(&f->budget, service_descriptors(service));
        f->fds[f->n++] = f->take ? TAKE_FD(*fd) : -1;
}

/* For the first of so many workers. */
static void open_fixture_of(struct fixture *f, int workers)
{
        *f = (struct fixture){ .take = true };
        f->base = event_base_new();
        f->snapshot = must_make("workers = %d\n"
                                "services: {\n"
                                "a: { listen = [\"127.0.0.1:0\", \"127.0.0.1:0\"]\n"
                                "     connect = \"echo\" }\n"
                                "b: { listen = \"127.0.0.1:0\"; connect = \"127.0.0.1:1\" } }",
                                workers);
        atomic_init(&f->budget.left, 2 * MANY);
        f->acceptor = acceptor_new(f->base, f->snapshot, 0, &f->budget, on_accepted, f);
        assert_non_null(f->acceptor);
}

static void open_fixture(struct fixture *f)
{
        open_fixture_of(f, 1);
}

static void close_accepted(struct fixture *f)
{
        for (size_t i = 0; i < f->n; i++)
                own_close(&f->fds[i]);
        if (f->take && f->service != NULL)
                budget_give(&f->budget, (int)f->n * service_descriptors(f->service));
        f->n = 0;
}

static void close_fixture(struct fixture *f)
{
        close_accepted(f);
        acceptor_free(f->acceptor);
        snapshot_unref(f->snapshot);
        event_base_free(f->base);
}

/* Of a service whose connections take one descriptor, and of one where they take two. */
static const struct lsock *first_socket(const struct fixture *f)
{
        return f->snapshot->services[0]->socks[0];
}

static const struct lsock *forwarding_socket(const struct fixture *f)
{
        return f->snapshot->services[1]->socks[0];
}

static int connect_to(const struct lsock *sock)
{
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        assert_true(fd >= 0);
        assert_int_equal(connect(fd, &sock->address.sa, sock->address.len), 0);
        return fd;
}

static void connect_all(const struct lsock *sock, int *fds, size_t n)
{
        for (size_t i = 0; i < n; i++)
                fds[i] = connect_to(sock);
}

static void close_all(int *fds, size_t n)
{
        for (size_t i = 0; i < n; i++)
                own_close(&fds[i]);
}

static void wake(evutil_socket_t fd, short what, void *arg)
{
        (void)fd;
        (void)what;
        (void)arg;
}

/* Run the loop until n have been handed over, or ms have passed; returns how often it turned. */
static unsigned turns(struct fixture *f, size_t n, int64_t ms)
{
        unsigned count = 0;
        int64_t end = clock_ms() + ms;
        struct event *alarm = evtimer_new(f->base, wake, NULL);
        struct timeval in = clock_timeval(ms);
        evtimer_add(alarm, &in);
        for (; f->n < n && clock_ms() < end; count++) {
                acceptor_turn(f->acceptor);
                event_base_loop(f->base, EVLOOP_ONCE);
        }
        event_free(alarm);
        return count;
}

static void until_accepted(struct fixture *f, size_t n)
{
        turns(f, n, 60000);
        assert_int_equal(f->n, n);
}

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

/* --- another snapshot ------------------------------------------------------------------------- */

/* In the place of the fixture's. */
static struct snapshot *successor(const struct fixture *f, const char *text)
{
        struct made m = make_after(f->snapshot, text);
        assert_non_null(m.snapshot);
        free(m.said);
        return m.snapshot;
}

static void become(struct fixture *f, struct snapshot *next)
{
        assert_true(acceptor_change(f->acceptor, next));
        snapshot_close_sockets(f->snapshot, next);
        snapshot_unref(f->snapshot);
        f->snapshot = next;
}

/* b stays and is another service object now, a goes with one who waits, c comes. */
static void it_changes_to_another_snapshot(void **state)
{
        (void)state;
        struct fixture f;
        open_fixture(&f);
        struct service *a = f.snapshot->services[0];
        const struct lsock *left = first_socket(&f);
        OWN_FD int waits_there = connect_to(left), waits_here = connect_to(forwarding_socket(&f));
        struct snapshot *next = successor(
                &f, "services: { b: { listen = \"127.0.0.1:0\"; connect = \"127.0.0.1:1\" }\n"
                    "c: { listen = \"127.0.0.1:0\"; connect = \"echo\" } }");
        assert_true(acceptor_change(f.acceptor, next));
        assert_int_equal(f.n, 1); /* at once, since nobody else is going to */
        assert_ptr_equal(f.service, a);
        assert_ptr_equal(f.sock, left);
        until_accepted(&f, 2);
        assert_ptr_equal(f.service, snapshot_service(next, "b"));
        become(&f, next);
        OWN_FD int comes = connect_to(snapshot_service(next, "c")->socks[0]);
        until_accepted(&f, 3);
        assert_ptr_equal(f.service, snapshot_service(next, "c"));
        close_fixture(&f);
}

static void a_change_in_a_pause_does_not_end_it(void **state)
{
        (void)state;
        struct fixture f;
        open_fixture(&f);
        assert_int_equal(acceptor_relief(f.acceptor), 0);
        become(&f, successor(&f, "services: { c: { listen = \"127.0.0.1:0\"\n"
                                 "connect = \"echo\" } }"));
        OWN_FD int client = connect_to(first_socket(&f));
        acceptor_turn(f.acceptor);
        event_base_loop(f.base, EVLOOP_NONBLOCK);
        assert_int_equal(f.n, 0);
        until_accepted(&f, 1);
        close_fixture(&f);
}

static void after_the_end_a_change_begins_nothing(void **state)
{
        (void)state;
        struct fixture f;
        open_fixture(&f);
        acceptor_stop(f.acceptor);
        become(&f, successor(&f, "services: { c: { listen = \"127.0.0.1:0\"\n"
                                 "connect = \"echo\" } }"));
        OWN_FD int client = connect_to(first_socket(&f));
        turns(&f, 1, 200);
        assert_int_equal(f.n, 0);
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
                cmocka_unit_test(it_changes_to_another_snapshot),
                cmocka_unit_test(a_change_in_a_pause_does_not_end_it),
                cmocka_unit_test(after_the_end_a_change_begins_nothing),
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
