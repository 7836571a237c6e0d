/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "net/resolve_cache.h"

static int set_up(void **state)
{
        static struct resolve_cache cache;
        resolve_cache_init(&cache);
        *state = &cache;
        return 0;
}

static int tear_down(void **state)
{
        resolve_cache_fini(*state);
        return 0;
}

static const char *name(unsigned i)
{
        static char buf[32];
        snprintf(buf, sizeof buf, "Host%u.example", i);
        return buf;
}

static void fill(struct resolve_cache *c, unsigned from, unsigned to)
{
        for (unsigned i = from; i < to; i++)
                assert_non_null(resolve_cache_add(c, name(i)));
}

static void names_are_found_whatever_their_case(void **state)
{
        struct resolve_cache *c = *state;
        struct known *k = resolve_cache_add(c, "www.Example.com");
        fill(c, 0, 900);
        assert_ptr_equal(resolve_cache_find(c, "WWW.eXAMPLE.com"), k);
        assert_null(resolve_cache_find(c, "www.example.comm"));
        assert_null(resolve_cache_find(c, ""));
}

static void a_full_cache_forgets_its_oldest(void **state)
{
        struct resolve_cache *c = *state;
        fill(c, 0, RESOLVE_CACHE_MAX + 3);
        assert_int_equal(c->n, RESOLVE_CACHE_MAX);
        for (unsigned i = 0; i < 3; i++)
                assert_null(resolve_cache_find(c, name(i)));
        for (unsigned i = 3; i < RESOLVE_CACHE_MAX + 3; i++)
                assert_non_null(resolve_cache_find(c, name(i)));
}

static void a_new_answer_makes_a_name_young(void **state)
{
        struct resolve_cache *c = *state;
        fill(c, 0, RESOLVE_CACHE_MAX);
        resolve_cache_touch(c, resolve_cache_find(c, name(0)));
        fill(c, RESOLVE_CACHE_MAX, RESOLVE_CACHE_MAX + 1);
        assert_non_null(resolve_cache_find(c, name(0)));
        assert_null(resolve_cache_find(c, name(1)));
}

static void a_name_being_asked_for_is_kept(void **state)
{
        struct resolve_cache *c = *state;
        fill(c, 0, RESOLVE_CACHE_MAX);
        for (unsigned i = 0; i < RESOLVE_CACHE_MAX; i++)
                resolve_cache_find(c, name(i))->state = i % 2 ? KNOWN_WAITING : KNOWN_ASKING;
        resolve_cache_find(c, name(7))->state = KNOWN_ANSWERED;
        fill(c, RESOLVE_CACHE_MAX, RESOLVE_CACHE_MAX + 1);
        assert_null(resolve_cache_find(c, name(7)));
        assert_int_equal(c->n, RESOLVE_CACHE_MAX);
        resolve_cache_find(c, name(RESOLVE_CACHE_MAX))->state = KNOWN_WAITING;
        fill(c, RESOLVE_CACHE_MAX + 1, RESOLVE_CACHE_MAX + 2);
        assert_int_equal(c->n, RESOLVE_CACHE_MAX + 1);
        assert_non_null(resolve_cache_find(c, name(0)));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(names_are_found_whatever_their_case, set_up,
                                                tear_down),
                cmocka_unit_test_setup_teardown(a_full_cache_forgets_its_oldest, set_up, tear_down),
                cmocka_unit_test_setup_teardown(a_new_answer_makes_a_name_young, set_up, tear_down),
                cmocka_unit_test_setup_teardown(a_name_being_asked_for_is_kept, set_up, tear_down),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
