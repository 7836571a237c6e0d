/* SPDX-License-Identifier: ISC */
/* Workers on their own threads, with clients from ours. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <poll.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "../conn/records.h"
#include "../snapshot/made.h"
#include "base/clock.h"
#include "base/own.h"
#include "worker/budget.h"
#include "worker/crew.h"
#include "worker/worker.h"

enum { PLENTY = 1000 }; /* descriptors */

enum { MOST = 2 };

struct fixture {
        size_t descriptors;
        struct snapshot *snapshot;
        struct budget budget;
        struct crew *crew;
        struct worker *workers[MOST];
        struct worker *worker; /* the first */
        atomic_int quiet, idle;
};

static void on_report(enum worker_report what, void *data, void *arg)
{
        (void)data;
        struct fixture *f = arg;
        if (what == WORKER_QUIET)
                atomic_fetch_add(&f->quiet, 1);
        else
                atomic_fetch_add(&f->idle, 1);
}

static void open_crew(struct fixture *f, size_t n, const char *settings)
{
        records_open();
        *f = (struct fixture){ .descriptors = open_descriptors() };
        f->snapshot = must_make("workers = %zu\n"
                                "services: { a: { listen = \"127.0.0.1:0\"; %s } }",
                                n, settings);
        atomic_init(&f->budget.left, PLENTY);
        f->crew = crew_new(n);
        for (size_t i = 0; i < n; i++) {
                struct worker_place place = { &f->budget, f->crew, i };
                f->workers[i] = worker_new(f->snapshot, &place, on_report, f);
                assert_non_null(f->workers[i]);
        }
        f->worker = f->workers[0];
}

static void open_fixture(struct fixture *f, const char *settings)
{
        open_crew(f, 1, settings);
}

static void close_fixture(struct fixture *f)
{
        for (size_t i = 0; i < MOST; i++)
                worker_free(f->workers[i]);
        crew_free(f->crew);
        assert_int_equal(f->budget.left, PLENTY);
        snapshot_unref(f->snapshot);
        assert_int_equal(open_descriptors(), f->descriptors);
        records_close();
}

#define UNTIL(condition)                                           \
        do {                                                       \
                for (int64_t began_ = clock_ms(); !(condition);) { \
                        if (clock_ms() - began_ > 60000)           \
                                fail_msg("never: %s", #condition); \
                        poll(NULL, 0, 1);                          \
                }                                                  \
        } while (0)

static int connect_to(const struct fixture *f)
{
        const struct sockaddress *a = &f->snapshot->services[0]->socks[0]->address;
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        assert_int_equal(connect(fd, &a->sa, a->len), 0);
        return fd;
}

/* 1: an octet came; 0: FIN; -1: RST. */
static int hear(int fd)
{
        char octet;
        ssize_t n = recv(fd, &octet, 1, 0);
        if (n < 0)
                assert_int_equal(errno, ECONNRESET);
        return (int)n;
}

static void echoes(int fd)
{
        assert_int_equal(send(fd, "x", 1, MSG_NOSIGNAL), 1);
        assert_int_equal(hear(fd), 1);
}

static void ends_well(int fd)
{
        shutdown(fd, SHUT_WR);
        assert_int_equal(hear(fd), 0);
}

static void assert_recorded(const char *reason)
{
        json_t *record = records_one();
        assert_string_equal(string_member(record, "reason"), reason);
        json_decref(record);
}

static void it_serves_from_the_first_moment(void **state)
{
        (void)state;
        struct fixture f;
        open_fixture(&f, "connect = \"echo\"");
        OWN_FD int one = connect_to(&f), other = connect_to(&f);
        echoes(one);
        echoes(other);
        echoes(one);
        ends_well(one);
        echoes(other);
        ends_well(other);
        own_close(&one);
        own_close(&other);
        UNTIL(tally_live(&f.snapshot->counts->tally) == 0);
        assert_int_equal(f.quiet + f.idle, 0);
        close_fixture(&f);
}

static void draining_waits_for_the_last_connection(void **state)
{
        (void)state;
        struct fixture f;
        open_fixture(&f, "connect = \"echo\"");
        OWN_FD int client = connect_to(&f);
        echoes(client);
        OWN_FD int waiting = connect_to(&f); /* accepted, or in the queue: served */
        worker_drain(f.worker);
        UNTIL(f.quiet == 1);
        OWN_FD int late = connect_to(&f); /* nobody accepts it any more */
        echoes(client);
        echoes(waiting);
        ends_well(client);
        assert_int_equal(f.idle, 0);
        ends_well(waiting);
        UNTIL(f.idle == 1);
        struct pollfd heard = { .fd = late, .events = POLLIN };
        assert_int_equal(poll(&heard, 1, 0), 0);
        assert_int_equal(f.quiet, 1);
        own_close(&client);
        own_close(&waiting);
        own_close(&late);
        close_fixture(&f);
}

static void draining_with_nothing_to_wait_for_is_over_at_once(void **state)
{
        (void)state;
        struct fixture f;
        open_fixture(&f, "connect = \"echo\"");
        worker_drain(f.worker);
        UNTIL(f.idle == 1);
        assert_int_equal(f.quiet, 1);
        close_fixture(&f);
}

static void cutting_resets_every_connection_for_the_reason_given(void **state)
{
        (void)state;
        struct fixture f;
        open_fixture(&f, "connect = \"echo\"");
        OWN_FD int client = connect_to(&f);
        echoes(client);
        worker_cut(f.worker, REASON_DRAINED);
        assert_int_equal(hear(client), -1);
        assert_recorded("drained");
        /* It is no end of the worker. */
        OWN_FD int next = connect_to(&f);
        echoes(next);
        worker_drain(f.worker);
        UNTIL(f.quiet == 1);
        worker_cut(f.worker, REASON_SHUTDOWN);
        UNTIL(f.idle == 1);
        assert_int_equal(hear(next), -1);
        assert_recorded("shutdown");
        own_close(&client);
        own_close(&next);
        close_fixture(&f);
}

static void freeing_it_ends_what_is_left(void **state)
{
        (void)state;
        struct fixture f;
        open_fixture(&f, "connect = \"echo\"");
        OWN_FD int client = connect_to(&f);
        echoes(client);
        worker_free(TAKE(f.workers[0]));
        assert_int_equal(hear(client), -1);
        assert_recorded("shutdown");
        assert_int_equal(tally_live(&f.snapshot->counts->tally), 0);
        own_close(&client);
        close_fixture(&f);
}

/* The limit of the service, and that of all together: whichever is reached first. */
static void one_too_many_is_refused_until_another_leaves(void **state)
{
        (void)state;
        static const char *const limits[] = {
                "connect = \"echo\"; max-connections = 1",
                "connect = \"echo\" } }; max-connections = 1; defaults: { listen-socket: { ",
        };
        for (size_t i = 0; i < COUNTOF(limits); i++) {
                struct fixture f;
                open_fixture(&f, limits[i]);
                OWN_FD int first = connect_to(&f);
                echoes(first);
                OWN_FD int second = connect_to(&f);
                assert_int_equal(hear(second), -1);
                assert_recorded("limit");
                echoes(first);
                assert_int_equal(tally_live(&f.snapshot->counts->tally), 1);
                assert_int_equal(tally_live(&f.snapshot->services[0]->counts->tally), 1);
                ends_well(first);
                UNTIL(tally_live(&f.snapshot->counts->tally) == 0);
                OWN_FD int third = connect_to(&f);
                echoes(third);
                own_close(&first);
                own_close(&second);
                own_close(&third);
                close_fixture(&f);
        }
}

/* --- several ---------------------------------------------------------------------------------- */

static void all_are_heard(int *fds, size_t n)
{
        for (size_t i = 0; i < n; i++)
                echoes(fds[i]);
}

/* Cut what the first worker has, and count who has noticed. */
static size_t cut_first(struct fixture *f, int *fds, size_t n)
{
        size_t cut = 0;
        worker_cut(f->workers[0], REASON_DRAINED);
        worker_drain(f->workers[0]);
        UNTIL(f->idle == 1);
        for (size_t i = 0; i < n; i++) {
                struct pollfd heard = { .fd = fds[i], .events = POLLIN };
                if (poll(&heard, 1, 0) == 1) {
                        assert_int_equal(hear(fds[i]), -1);
                        cut++;
                }
        }
        return cut;
}

static void few_connections_are_spread_evenly(void **state)
{
        (void)state;
        for (size_t n = 2; n <= 8; n += 2) {
                for (int round = 0; round < 4; round++) {
                        struct fixture f;
                        int fds[8];
                        open_crew(&f, 2, "connect = \"echo\"");
                        for (size_t i = 0; i < n; i++) {
                                fds[i] = connect_to(&f);
                                echoes(fds[i]);
                        }
                        all_are_heard(fds, n);
                        assert_int_equal(cut_first(&f, fds, n), n / 2);
                        for (size_t i = 0; i < n; i++)
                                own_close(&fds[i]);
                        close_fixture(&f);
                }
        }
}

/* Whoever was connected when the drain began is served, though he may be in a queue, or on his way
 * from one worker to the other. */
static void draining_loses_nobody_on_the_way(void **state)
{
        (void)state;
        for (int round = 0; round < 20; round++) {
                struct fixture f;
                int fds[40];
                open_crew(&f, 2, "connect = \"echo\"");
                for (size_t i = 0; i < COUNTOF(fds); i++)
                        fds[i] = connect_to(&f);
                worker_drain(f.workers[round % 2]);
                worker_drain(f.workers[1 - round % 2]);
                all_are_heard(fds, COUNTOF(fds));
                assert_in_range(f.idle, 0, 1); /* one of them may have had them all */
                for (size_t i = 0; i < COUNTOF(fds); i++) {
                        ends_well(fds[i]);
                        own_close(&fds[i]);
                }
                UNTIL(f.idle == 2);
                assert_int_equal(f.quiet, 2);
                close_fixture(&f);
        }
}

/* Who has gone is handed nothing: the other one serves alone. */
static void who_has_drained_is_handed_nothing(void **state)
{
        (void)state;
        struct fixture f;
        int fds[6];
        open_crew(&f, 2, "connect = \"echo\"");
        worker_drain(f.workers[1]);
        UNTIL(f.idle == 1);
        size_t served = 0;
        for (size_t i = 0; i < COUNTOF(fds); i++) {
                fds[i] = connect_to(&f);
                struct pollfd heard = { .fd = fds[i], .events = POLLIN };
                assert_int_equal(send(fds[i], "x", 1, MSG_NOSIGNAL), 1);
                /* Half of them wait in a queue that is nobody's any more. */
                served += poll(&heard, 1, 200) == 1;
        }
        assert_true(tally_live(&f.snapshot->counts->tally) == (int64_t)served);
        worker_drain(f.workers[0]);
        UNTIL(f.quiet == 2);
        for (size_t i = 0; i < COUNTOF(fds); i++)
                assert_int_equal(hear(fds[i]), 1);
        for (size_t i = 0; i < COUNTOF(fds); i++) {
                ends_well(fds[i]);
                own_close(&fds[i]);
        }
        UNTIL(f.idle == 2);
        close_fixture(&f);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(it_serves_from_the_first_moment),
                cmocka_unit_test(draining_waits_for_the_last_connection),
                cmocka_unit_test(draining_with_nothing_to_wait_for_is_over_at_once),
                cmocka_unit_test(cutting_resets_every_connection_for_the_reason_given),
                cmocka_unit_test(freeing_it_ends_what_is_left),
                cmocka_unit_test(one_too_many_is_refused_until_another_leaves),
                cmocka_unit_test(few_connections_are_spread_evenly),
                cmocka_unit_test(draining_loses_nobody_on_the_way),
                cmocka_unit_test(who_has_drained_is_handed_nothing),
        };
        return cmocka_run_group_tests_name("worker/worker", tests, NULL, NULL);
}
