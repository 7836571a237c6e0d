/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "worker/batch.h"

/* A listener: so many wait; calls of accept(2), and those that found nobody. */
struct door {
        struct batch batch;
        unsigned waiting, calls, in_vain;
        bool was_ready;
};

static void door_init(struct door *d)
{
        *d = (struct door){ 0 };
        batch_init(&d->batch);
}

/* One turn of the loop. Returns how many came in. */
static unsigned turn(struct door *d)
{
        if (d->waiting == 0) {
                d->was_ready = false;
                return 0;
        }
        unsigned most = batch_begin(&d->batch, d->was_ready), n = 0;
        d->was_ready = true;
        for (; n < most && d->waiting > 0; n++, d->waiting--)
                d->calls++;
        if (n == most) {
                batch_filled(&d->batch);
                return n;
        }
        d->calls++;
        d->in_vain++;
        batch_emptied(&d->batch, n);
        return n;
}

static void who_comes_alone_costs_one_call(void **state)
{
        (void)state;
        struct door d;
        door_init(&d);
        for (int i = 0; i < 1000; i++) {
                d.waiting = 1;
                turn(&d);
                turn(&d);
        }
        assert_int_equal(d.calls, 1000);
        assert_int_equal(d.in_vain, 0);
}

static void one_in_every_turn_costs_little_more(void **state)
{
        (void)state;
        struct door d;
        door_init(&d);
        for (int i = 0; i < 1600; i++) {
                d.waiting++;
                assert_int_equal(turn(&d), 1);
        }
        assert_in_range(d.in_vain, 1, 1600 / BATCH_PATIENCE + 5);
}

static void a_crowd_is_let_in_ever_faster_but_never_all_at_once(void **state)
{
        (void)state;
        struct door d;
        door_init(&d);
        unsigned turns = 0, most = 0;
        for (d.waiting = 4096; d.waiting > 0; turns++) {
                unsigned n = turn(&d);
                assert_in_range(n, 1, BATCH_MOST);
                most = n > most ? n : most;
        }
        assert_int_equal(most, BATCH_MOST);
        assert_in_range(turns, 64, 64 + 16);
        assert_true(d.in_vain <= 1);
}

/* After a thousand wrong guesses it learns a little slower, but it learns. */
static void a_crowd_after_a_trickle_is_let_in_fast_too(void **state)
{
        (void)state;
        struct door d;
        door_init(&d);
        for (int i = 0; i < 1000; i++) {
                d.waiting++;
                turn(&d);
        }
        unsigned turns = 0;
        for (d.waiting = 4096; d.waiting > 0; turns++)
                turn(&d);
        assert_in_range(turns, 64, 64 + 2 * BATCH_PATIENCE + 16);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(who_comes_alone_costs_one_call),
                cmocka_unit_test(one_in_every_turn_costs_little_more),
                cmocka_unit_test(a_crowd_is_let_in_ever_faster_but_never_all_at_once),
                cmocka_unit_test(a_crowd_after_a_trickle_is_let_in_fast_too),
        };
        return cmocka_run_group_tests_name("worker/batch", tests, NULL, NULL);
}
