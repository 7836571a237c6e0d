/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <limits.h>
#include <sys/resource.h>

#include <cmocka.h>

#include "../child.h"
#include "../snapshot/made.h"
#include "base/own.h"
#include "worker/budget.h"

static void taking_and_giving_are_counted(void **state)
{
        (void)state;
        struct budget b;
        atomic_init(&b.left, 3);
        assert_true(budget_has(&b, 3));
        assert_false(budget_has(&b, 4));
        budget_take(&b, 2);
        assert_true(budget_has(&b, 1));
        assert_false(budget_has(&b, 2));
        budget_take(&b, 2); /* two workers may have looked at once */
        assert_false(budget_has(&b, 1));
        budget_give(&b, 2);
        budget_give(&b, 2);
        assert_true(budget_has(&b, 3));
}

struct row {
        unsigned long limit; /* beyond what is open; 0: none at all */
        unsigned workers;
        bool enough;
};

static void set_limit(unsigned long most)
{
        struct rlimit limit;
        assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
        limit.rlim_cur = most;
        assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
}

static void check_row(const void *arg)
{
        const struct row *row = arg;
        struct budget b;
        unsigned long needed;
        size_t open_before = open_descriptors();
        set_limit(open_before + row->limit);
        assert_int_equal(budget_init(&b, row->workers, &needed), row->enough);
        assert_int_equal(needed <= open_before + row->limit, row->enough);
        /* Each worker, and what else there is, finds descriptors left when the budget is spent. */
        if (row->enough)
                assert_in_range(b.left, 2, row->limit - row->workers);
        else
                assert_in_range(b.left, 0, 1);
        assert_int_equal(open_descriptors(), open_before);
}

static void the_budget_is_what_the_limit_leaves(void **state)
{
        (void)state;
        static const struct row rows[] = {
                { 1000, 1, true }, { 1000, 16, true },   { 100, 1, true },
                { 3, 1, false },   { 100, 1000, false },
        };
        for (size_t i = 0; i < COUNTOF(rows); i++)
                assert_int_equal(in_child(check_row, &rows[i]), 0);
}

static void more_workers_leave_less(const void *arg)
{
        (void)arg;
        struct budget one, two;
        unsigned long needed, needed_by_two;
        set_limit(open_descriptors() + 500);
        assert_true(budget_init(&one, 1, &needed));
        assert_true(budget_init(&two, 2, &needed_by_two));
        assert_true(two.left < one.left);
        assert_int_equal(needed_by_two - needed, one.left - two.left);
        set_limit(needed);
        assert_true(budget_init(&one, 1, &needed));
        assert_int_equal(one.left, 2);
        set_limit(needed - 1);
        assert_false(budget_init(&one, 1, &needed));
}

static void what_it_says_is_needed_is_enough(void **state)
{
        (void)state;
        assert_int_equal(in_child(more_workers_leave_less, NULL), 0);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(taking_and_giving_are_counted),
                cmocka_unit_test(the_budget_is_what_the_limit_leaves),
                cmocka_unit_test(what_it_says_is_needed_is_enough),
        };
        return cmocka_run_group_tests_name("worker/budget", tests, NULL, NULL);
}
