/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/socket.h>

#include <cmocka.h>
#include <event2/event.h>

#include "../snapshot/made.h"
#include "base/mailbox.h"
#include "base/own.h"
#include "worker/crew.h"

enum { TAKE_THEM = 7, MEMBERS = 3 };

struct fixture {
        struct event_base *base;
        struct snapshot *snapshot;
        struct crew *crew;
        struct mailbox *mailboxes[MEMBERS];
        unsigned rung;
};

static void on_letter(int what, void *data, void *arg)
{
        struct fixture *f = arg;
        assert_int_equal(what, TAKE_THEM);
        assert_null(data);
        f->rung++;
}

static void open_fixture(struct fixture *f)
{
        *f = (struct fixture){ .base = event_base_new(), .crew = crew_new(MEMBERS) };
        f->snapshot =
                must_make("services: { a: { listen = \"127.0.0.1:0\"; connect = \"echo\" } }");
        for (size_t i = 0; i < MEMBERS; i++)
                f->mailboxes[i] = mailbox_new(f->base, on_letter, f);
}

static void close_fixture(struct fixture *f)
{
        crew_free(f->crew);
        for (size_t i = 0; i < MEMBERS; i++)
                mailbox_free(f->mailboxes[i]);
        snapshot_unref(f->snapshot);
        event_base_free(f->base);
}

static void join(struct fixture *f, size_t number)
{
        crew_join(f->crew, number, f->mailboxes[number], TAKE_THEM);
}

/* One end of a pair is handed, the other is in *peer. */
static struct handed *new_handed(struct fixture *f, int *peer)
{
        int pair[2];
        struct handed *h = calloc(1, sizeof *h);
        assert_non_null(h);
        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
        *h = (struct handed){ .snapshot = snapshot_ref(f->snapshot),
                              .service = f->snapshot->services[0],
                              .fd = pair[0] };
        *peer = pair[1];
        return h;
}

static bool is_closed(int peer)
{
        char octet;
        return recv(peer, &octet, 1, MSG_DONTWAIT) >= 0;
}

/* With how many connections each, who accepts, and who gets it. */
static void the_next_goes_where_it_matters(void **state)
{
        (void)state;
        static const struct {
                int living[MEMBERS];
                size_t accepts, gets;
        } table[] = {
                { { 0, 0, 0 }, 0, 0 },      { { 0, 0, 0 }, 2, 2 },        { { 1, 0, 0 }, 0, 1 },
                { { 1, 1, 0 }, 0, 2 },      { { 1, 1, 0 }, 2, 2 },        { { 1, 1, 1 }, 1, 1 },
                { { 2, 1, 1 }, 0, 1 },      { { 3, 2, 1 }, 1, 2 },        { { 8, 7, 7 }, 0, 0 },
                { { 9, 7, 7 }, 0, 1 },      { { 100, 90, 90 }, 0, 0 },    { { 130, 90, 91 }, 0, 1 },
                { { 1000, 900, 1 }, 1, 2 }, { { 1000, 999, 999 }, 0, 0 },
        };
        for (size_t i = 0; i < COUNTOF(table); i++) {
                struct fixture f;
                open_fixture(&f);
                for (size_t j = 0; j < MEMBERS; j++) {
                        join(&f, j);
                        crew_count(f.crew, j, table[i].living[j]);
                }
                size_t gets = crew_choose(f.crew, table[i].accepts);
                if (gets != table[i].gets)
                        fail_msg("row %zu: %zu gets it", i, gets);
                close_fixture(&f);
        }
}

static void only_who_is_there_is_chosen(void **state)
{
        (void)state;
        struct fixture f;
        open_fixture(&f);
        join(&f, 0);
        crew_count(f.crew, 0, 5);
        assert_int_equal(crew_choose(f.crew, 0), 0);
        join(&f, 2);
        assert_int_equal(crew_choose(f.crew, 0), 2);
        crew_leave(f.crew, 2);
        assert_int_equal(crew_choose(f.crew, 0), 0);
        close_fixture(&f);
}

static void what_is_handed_counts_at_once_and_rings_once(void **state)
{
        (void)state;
        struct fixture f;
        struct handed *h[2];
        int peers[2];
        open_fixture(&f);
        join(&f, 0);
        join(&f, 1);
        crew_count(f.crew, 0, 1);
        assert_null(crew_take(f.crew, 1));
        for (size_t i = 0; i < 2; i++) {
                h[i] = new_handed(&f, &peers[i]);
                assert_int_equal(crew_choose(f.crew, 0), i == 0 ? 1 : 0);
                assert_true(crew_hand(f.crew, 1, h[i]));
        }
        assert_int_equal(crew_choose(f.crew, 1), 0); /* it has two by now, the other one */
        event_base_loop(f.base, EVLOOP_NONBLOCK);
        assert_int_equal(f.rung, 1);
        for (size_t i = 0; i < 2; i++) {
                assert_ptr_equal(crew_take(f.crew, 1), h[i]);
                assert_false(is_closed(peers[i]));
                handed_free(h[i]);
                assert_true(is_closed(peers[i]));
                own_close(&peers[i]);
        }
        assert_null(crew_take(f.crew, 1));
        close_fixture(&f);
}

static void who_leaves_takes_what_came_before_and_gets_nothing_after(void **state)
{
        (void)state;
        struct fixture f;
        int peers[2];
        open_fixture(&f);
        join(&f, 1);
        struct handed *before = new_handed(&f, &peers[0]), *after = new_handed(&f, &peers[1]);
        assert_true(crew_hand(f.crew, 1, before));
        crew_leave(f.crew, 1);
        assert_false(crew_hand(f.crew, 1, after));
        assert_ptr_equal(crew_take(f.crew, 1), before);
        assert_null(crew_take(f.crew, 1));
        assert_false(crew_hand(f.crew, 0, after)); /* has never been there */
        handed_free(before);
        handed_free(after);
        handed_free(NULL);
        own_close(&peers[0]);
        own_close(&peers[1]);
        close_fixture(&f);
}

static void what_nobody_took_is_closed_in_the_end(void **state)
{
        (void)state;
        struct fixture f;
        int peer;
        open_fixture(&f);
        join(&f, 1);
        assert_true(crew_hand(f.crew, 1, new_handed(&f, &peer)));
        crew_leave(f.crew, 1);
        close_fixture(&f);
        assert_true(is_closed(peer));
        own_close(&peer);
        crew_free(NULL);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(the_next_goes_where_it_matters),
                cmocka_unit_test(only_who_is_there_is_chosen),
                cmocka_unit_test(what_is_handed_counts_at_once_and_rings_once),
                cmocka_unit_test(who_leaves_takes_what_came_before_and_gets_nothing_after),
                cmocka_unit_test(what_nobody_took_is_closed_in_the_end),
        };
        return cmocka_run_group_tests_name("worker/crew", tests, NULL, NULL);
}
