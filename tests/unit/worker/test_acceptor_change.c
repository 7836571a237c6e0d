/* SPDX-License-Identifier: ISC */
/* An acceptor that goes on with another snapshot. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>
#include <event2/event.h>

#include "acceptor_fixture.h"
#include "base/own.h"
#include "net/lsock_gate.h"

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

/* Those who wait use the budget up; the pause finds every address still there. */
static void a_change_that_comes_to_a_pause(void **state)
{
        (void)state;
        struct fixture f;
        open_fixture(&f);
        const struct service *a = f.snapshot->services[0];
        OWN_FD int first = connect_to(a->socks[0]), second = connect_to(a->socks[1]);
        atomic_store(&f.budget.left, 2);
        struct snapshot *next = successor(&f, "services: { c: { listen = \"127.0.0.1:0\"\n"
                                              "connect = \"echo\" } }");
        assert_true(acceptor_change(f.acceptor, next));
        assert_int_equal(f.n, 2);
        close_accepted(&f);
        f.service = NULL;
        become(&f, next);
        OWN_FD int comes = connect_to(first_socket(&f));
        until_accepted(&f, 1);
        assert_ptr_equal(f.service, snapshot_service(f.snapshot, "c"));
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

static void gates_are_obeyed(void **state)
{
        (void)state;
        struct fixture f;
        open_fixture(&f);
        struct service *s = f.snapshot->services[0];
        struct lsock *gated = s->socks[0];
        OWN_FD int waits = connect_to(gated);
        lsock_close_gate(gated);
        lsock_begin_emptying(gated);
        acceptor_look_at_gates(f.acceptor);
        assert_int_equal(f.n, 1); /* at once */
        assert_true(lsock_end_emptying(gated));
        OWN_FD int elsewhere = connect_to(s->socks[1]);
        until_accepted(&f, 2);
        assert_true(turns(&f, 3, 100) < 10); /* a socket that does not listen keeps no loop busy */
        assert_int_equal(lsock_open_gate(gated, &s->settings), 0);
        acceptor_look_at_gates(f.acceptor);
        OWN_FD int comes = connect_to(gated);
        until_accepted(&f, 3);
        close_fixture(&f);
}

/* A pause that ends, a change, and the end of it all: none opens what is shut. */
static void a_gate_that_is_shut_stays_shut(void **state)
{
        (void)state;
        struct fixture f;
        open_fixture(&f);
        struct lsock *gated = f.snapshot->services[0]->socks[0];
        lsock_close_gate(gated);
        lsock_begin_emptying(gated);
        acceptor_look_at_gates(f.acceptor);
        assert_true(lsock_end_emptying(gated));
        assert_int_equal(acceptor_relief(f.acceptor), 0);
        OWN_FD int client = connect_to(forwarding_socket(&f));
        until_accepted(&f, 1); /* the pause is over */
        assert_true(turns(&f, 2, 100) < 10);
        close_accepted(&f);
        f.service = NULL;
        become(&f, successor(&f, "services: { a: { listen = [\"127.0.0.1:0\", \"127.0.0.1:0\"]\n"
                                 "connect = \"echo\" } }"));
        assert_true(turns(&f, 1, 100) < 10);
        acceptor_stop(f.acceptor);
        assert_int_equal(f.n, 0);
        close_fixture(&f);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(it_changes_to_another_snapshot),
                cmocka_unit_test(a_change_in_a_pause_does_not_end_it),
                cmocka_unit_test(a_change_that_comes_to_a_pause),
                cmocka_unit_test(after_the_end_a_change_begins_nothing),
                cmocka_unit_test(gates_are_obeyed),
                cmocka_unit_test(a_gate_that_is_shut_stays_shut),
        };
        return cmocka_run_group_tests_name("worker/acceptor_change", tests, NULL, NULL);
}
