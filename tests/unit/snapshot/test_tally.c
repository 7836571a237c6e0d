/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <pthread.h>
#include <stdatomic.h>

#include <cmocka.h>

#include "base/own.h"
#include "snapshot/tally.h"

enum { THREADS = 4, ROUNDS = 50000 };

static void without_a_limit_everybody_enters(void **state)
{
        (void)state;
        struct tally t;
        tally_init(&t, 0);
        for (int i = 1; i <= 100000; i++) {
                assert_true(tally_enter(&t));
                assert_int_equal(tally_live(&t), i);
        }
}

static void at_the_limit_nobody_enters_until_one_leaves(void **state)
{
        (void)state;
        struct tally t;
        tally_init(&t, 2);
        assert_true(tally_enter(&t));
        assert_true(tally_enter(&t));
        for (int i = 0; i < 3; i++) {
                assert_false(tally_enter(&t));
                assert_int_equal(tally_live(&t), 2);
        }
        tally_leave(&t);
        assert_true(tally_enter(&t));
        assert_false(tally_enter(&t));
}

/* Threads that enter and leave as fast as they can, and what they saw. */
struct crowd {
        struct tally tally;
        atomic_int inside, most_inside; /* counted by those who were let in */
        atomic_int most_live;           /* what tally_live() has said */
        atomic_uint entered, refused;
        pthread_barrier_t start;
        bool stay; /* who is in stays in */
};

static void keep_most(atomic_int *most, int seen)
{
        int before = atomic_load(most);
        while (before < seen && !atomic_compare_exchange_weak(most, &before, seen))
                ;
}

static void *jostle(void *arg)
{
        struct crowd *c = arg;
        pthread_barrier_wait(&c->start);
        for (int i = 0; i < ROUNDS; i++) {
                bool in = tally_enter(&c->tally);
                keep_most(&c->most_live, (int)tally_live(&c->tally));
                if (!in) {
                        atomic_fetch_add(&c->refused, 1);
                        continue;
                }
                atomic_fetch_add(&c->entered, 1);
                keep_most(&c->most_inside, atomic_fetch_add(&c->inside, 1) + 1);
                if (c->stay)
                        continue;
                atomic_fetch_sub(&c->inside, 1);
                tally_leave(&c->tally);
        }
        return NULL;
}

static void run_crowd(struct crowd *c, int64_t limit, bool stay)
{
        pthread_t threads[THREADS];
        *c = (struct crowd){ .stay = stay };
        tally_init(&c->tally, limit);
        pthread_barrier_init(&c->start, NULL, THREADS);
        for (int i = 0; i < THREADS; i++)
                assert_int_equal(pthread_create(&threads[i], NULL, jostle, c), 0);
        for (int i = 0; i < THREADS; i++)
                pthread_join(threads[i], NULL);
        pthread_barrier_destroy(&c->start);
}

static void threads_fill_it_to_the_last_place(void **state)
{
        (void)state;
        static const int64_t limits[] = { 1, 2, THREADS * ROUNDS / 2, THREADS * ROUNDS - 1 };
        for (size_t i = 0; i < COUNTOF(limits); i++) {
                struct crowd c;
                run_crowd(&c, limits[i], true);
                assert_int_equal(c.entered, limits[i]);
                assert_int_equal(c.refused, THREADS * ROUNDS - limits[i]);
                assert_int_equal(tally_live(&c.tally), limits[i]);
        }
}

/* Neither are more inside than may be, nor does the count ever say so. */
static void threads_never_pass_the_limit(void **state)
{
        (void)state;
        static const int64_t limits[] = { 1, 2, 3 };
        for (size_t i = 0; i < COUNTOF(limits); i++) {
                struct crowd c;
                run_crowd(&c, limits[i], false);
                assert_in_range(c.most_inside, 1, limits[i]);
                assert_in_range(c.most_live, 1, limits[i]);
                assert_int_equal(c.entered + c.refused, THREADS * ROUNDS);
                assert_int_equal(tally_live(&c.tally), 0);
        }
}

/* Who comes while there is room is let in, however many are being refused elsewhere. */
static void threads_within_the_limit_are_never_refused(void **state)
{
        (void)state;
        struct crowd c;
        run_crowd(&c, THREADS, false);
        assert_int_equal(c.refused, 0);
        assert_int_equal(c.entered, THREADS * ROUNDS);
        assert_int_equal(tally_live(&c.tally), 0);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(without_a_limit_everybody_enters),
                cmocka_unit_test(at_the_limit_nobody_enters_until_one_leaves),
                cmocka_unit_test(threads_fill_it_to_the_last_place),
                cmocka_unit_test(threads_never_pass_the_limit),
                cmocka_unit_test(threads_within_the_limit_are_never_refused),
        };
        return cmocka_run_group_tests_name("snapshot/tally", tests, NULL, NULL);
}
