/* SPDX-License-Identifier: ISC */
/* What keys do. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/own.h"
#include "ctl/top.h"
#include "polls.h"

enum { ROOM = 10 };

static void open_top(struct top *t, size_t n)
{
        static struct seen seen[100];
        for (size_t i = 0; i < n; i++)
                seen[i] = (struct seen){ .id = (int64_t)i };
        top_init(t, "/nowhere");
        poll_seen(&t->model, 1000, seen, n);
}

static void press(struct top *t, const char *keys)
{
        for (; *keys != '\0'; keys++)
                top_key(t, *keys, ROOM);
}

static void letters_sort(void **state)
{
        (void)state;
        static const struct {
                char key;
                enum top_sort sort;
        } table[] = {
                { 't', TOP_BY_UP },       { 'd', TOP_BY_DOWN },    { 'm', TOP_BY_MOVED },
                { 'a', TOP_BY_AGE },      { 's', TOP_BY_SERVICE }, { 'c', TOP_BY_CLIENT },
                { 'u', TOP_BY_UPSTREAM }, { 'i', TOP_BY_ID },      { 'b', TOP_BY_RATE },
        };
        OWN(top_fini) struct top t;
        open_top(&t, 3);
        for (size_t i = 0; i < COUNTOF(table); i++) {
                top_key(&t, table[i].key, ROOM);
                assert_int_equal(t.model.sort, table[i].sort);
                assert_false(t.model.reverse);
        }
        press(&t, "b");
        assert_true(t.model.reverse);
        press(&t, "r");
        assert_false(t.model.reverse);
}

static void a_filter_is_typed(void **state)
{
        (void)state;
        OWN(top_fini) struct top t;
        open_top(&t, 3);
        press(&t, "/webq"); /* q is a letter here */
        assert_true(t.view.typing && !t.over);
        assert_string_equal(t.model.filter, "webq");
        assert_int_equal(t.model.n_shown, 0);
        top_key(&t, TOP_KEY_BACKSPACE, ROOM);
        assert_int_equal(t.model.n_shown, 3);
        top_key(&t, TOP_KEY_ENTER, ROOM);
        assert_false(t.view.typing);
        assert_string_equal(t.model.filter, "web");
        press(&t, "/");
        for (int i = 0; i < 2 * TOP_FILTER_MAX; i++)
                press(&t, "x");
        assert_int_equal(strlen(t.model.filter), TOP_FILTER_MAX - 1);
        top_key(&t, TOP_KEY_ESCAPE, ROOM);
        assert_string_equal(t.model.filter, "");
        assert_int_equal(t.model.n_shown, 3);
        top_key(&t, TOP_KEY_BACKSPACE, ROOM);
        press(&t, "/");
        top_key(&t, TOP_KEY_BACKSPACE, ROOM);
        assert_string_equal(t.model.filter, "");
}

static void scrolling_stays_within(void **state)
{
        (void)state;
        static const struct {
                int key;
                size_t first;
        } table[] = {
                { TOP_KEY_UP, 0 },         { TOP_KEY_DOWN, 1 },    { TOP_KEY_PAGE_DOWN, 11 },
                { TOP_KEY_UP, 10 },        { TOP_KEY_END, 15 },    { TOP_KEY_DOWN, 15 },
                { TOP_KEY_PAGE_DOWN, 15 }, { TOP_KEY_PAGE_UP, 5 }, { TOP_KEY_PAGE_UP, 0 },
                { TOP_KEY_END, 15 },       { TOP_KEY_HOME, 0 },
        };
        OWN(top_fini) struct top t;
        open_top(&t, 25);
        for (size_t i = 0; i < COUNTOF(table); i++) {
                top_key(&t, table[i].key, ROOM);
                assert_int_equal(t.view.first, table[i].first);
        }
        top_key(&t, TOP_KEY_END, ROOM);
        press(&t, "/99"); /* nothing fits, and nothing is beyond it */
        assert_int_equal(t.view.first, 0);
}

static void the_others(void **state)
{
        (void)state;
        OWN(top_fini) struct top t;
        open_top(&t, 3);
        press(&t, " ");
        assert_true(t.view.paused);
        press(&t, " h");
        assert_true(!t.view.paused && t.model.half_closed_only);
        press(&t, "h?");
        assert_true(!t.model.half_closed_only && t.view.help);
        press(&t, "q"); /* any key goes back */
        assert_true(!t.view.help && !t.over);
        top_key(&t, TOP_KEY_NONE, 0);
        top_key(&t, 'Z', 0);
        press(&t, "q");
        assert_true(t.over);
}

static void a_daemon_that_is_not_there(void **state)
{
        (void)state;
        OWN(top_fini) struct top t;
        open_top(&t, 3);
        top_poll(&t);
        assert_non_null(strstr(t.view.problem, "does the daemon run"));
        assert_int_equal(t.model.n_shown, 3); /* what there was stays */
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(letters_sort),
                cmocka_unit_test(a_filter_is_typed),
                cmocka_unit_test(scrolling_stays_within),
                cmocka_unit_test(the_others),
                cmocka_unit_test(a_daemon_that_is_not_there),
        };
        return cmocka_run_group_tests_name("ctl/top_keys", tests, NULL, NULL);
}
