/* SPDX-License-Identifier: ISC */
/* What top shows: how fast, which, and in which order. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/own.h"
#include "ctl/top_model.h"
#include "polls.h"

static const struct top_session *by_id(const struct top_model *m, int64_t id)
{
        for (size_t i = 0; i < m->n_shown; i++)
                if (m->shown[i]->id == id)
                        return m->shown[i];
        fail_msg("connection %" PRId64 " is not shown", id);
        abort();
}

static void assert_shown(const struct top_model *m, const char *ids)
{
        char all[200] = "";
        for (size_t i = 0, n = 0; i < m->n_shown; i++)
                n += (size_t)snprintf(all + n, sizeof all - n, i > 0 ? " %" PRId64 : "%" PRId64,
                                      m->shown[i]->id);
        assert_string_equal(all, ids);
}

static void rates_are_those_between_two_polls(void **state)
{
        (void)state;
        OWN(top_model_fini) struct top_model m;
        top_model_init(&m);
        POLL(&m, 5000, { .id = 1, .up = 100, .down = 1000, .age_ms = 60000 });
        assert_int_equal(by_id(&m, 1)->up_rate, 0); /* nobody knows when these moved */
        assert_int_equal(by_id(&m, 1)->down_rate, 0);
        POLL(&m, 7000, { .id = 2, .up = 4000, .age_ms = 500 }, /* has begun meanwhile */
             { .id = 1, .up = 300, .down = 1000, .age_ms = 62000 },
             { .id = 3, .up = 9000, .age_ms = 60000, .service = "ssh" }); /* was missed before */
        assert_int_equal(by_id(&m, 1)->up_rate, 100);
        assert_int_equal(by_id(&m, 1)->down_rate, 0);
        assert_int_equal(by_id(&m, 2)->up_rate, 2000);
        assert_int_equal(by_id(&m, 3)->up_rate, 0);
        assert_int_equal(m.up_rate, 2100);
        assert_int_equal(m.services[0].up_rate, 2100);
        assert_int_equal(m.services[1].up_rate, 0);
        POLL(&m, 8000, { .id = 1, .up = 5, .down = 1500 }); /* another daemon, the same number */
        assert_int_equal(by_id(&m, 1)->up_rate, 0);
        assert_int_equal(by_id(&m, 1)->down_rate, 500);
        POLL(&m, 8000, { .id = 1, .up = 50, .down = 1500 }); /* no time has passed */
        assert_int_equal(by_id(&m, 1)->up_rate, 0);
}

static void in_every_order(void **state)
{
        (void)state;
        static const struct {
                enum top_sort sort;
                const char *shown, *turned;
        } table[] = {
                { TOP_BY_UP, "3 1 2", "2 1 3" },       { TOP_BY_DOWN, "2 1 3", "3 1 2" },
                { TOP_BY_MOVED, "1 2 3", "3 2 1" },    { TOP_BY_AGE, "1 2 3", "3 2 1" },
                { TOP_BY_SERVICE, "2 1 3", "3 1 2" },  { TOP_BY_CLIENT, "3 1 2", "2 1 3" },
                { TOP_BY_UPSTREAM, "1 2 3", "3 2 1" }, { TOP_BY_ID, "1 2 3", "3 2 1" },
                { TOP_BY_RATE, "2 3 1", "1 3 2" },
        };
        OWN(top_model_fini) struct top_model m;
        top_model_init(&m);
        m.sort = TOP_BY_CLIENT;
        POLL(&m, 1000, { .id = 1, .up = 5000 }, { .id = 2 }, { .id = 3 });
        POLL(&m, 2000, { .id = 1, .up = 5010, .down = 20, .age_ms = 9000, .client = "10.0.0.9:1" },
             { .id = 2, .down = 400, .age_ms = 5000, .client = "10.0.0.10:1", .service = "ssh" },
             { .id = 3, .up = 100, .age_ms = 4000, .client = "9.0.0.1:1" });
        for (size_t i = 0; i < COUNTOF(table); i++) {
                top_model_sort(&m, table[i].sort == m.sort ? TOP_BY_ID : table[i].sort);
                top_model_sort(&m, TOP_BY_MOVED == table[i].sort ? TOP_BY_ID : TOP_BY_MOVED);
                top_model_sort(&m, table[i].sort);
                assert_shown(&m, table[i].shown);
                top_model_sort(&m, table[i].sort); /* once more */
                assert_shown(&m, table[i].turned);
                top_model_turn_around(&m);
                assert_shown(&m, table[i].shown);
        }
}

static void only_those_that_fit(void **state)
{
        (void)state;
        static const struct {
                const char *filter, *shown;
        } table[] = {
                { "", "1 2 30" },  { "SSH", "2" },   { "10.0.0.9", "1" },
                { ":80", "1 30" }, { "half", "30" }, { "dial", "2" },
                { "nothing", "" }, { "30", "30" },   { "0", "1 2 30" },
        };
        OWN(top_model_fini) struct top_model m;
        top_model_init(&m);
        top_model_sort(&m, TOP_BY_ID);
        POLL(&m, 1000, { .id = 1, .client = "10.0.0.9:1" },
             { .id = 2, .service = "ssh", .upstream = "10.0.0.2:22", .connecting = true },
             { .id = 30, .half_closed = true });
        for (size_t i = 0; i < COUNTOF(table); i++) {
                top_model_filter(&m, table[i].filter);
                assert_shown(&m, table[i].shown);
        }
        top_model_filter(&m, "");
        top_model_half_closed_only(&m, true);
        assert_shown(&m, "30");
        POLL(&m, 2000, { .id = 30, .half_closed = true }, { .id = 31 }); /* it stays so */
        assert_shown(&m, "30");
        assert_int_equal(m.half_closed, 1);
        assert_int_equal(m.services[0].half_closed, 1);
}

static void lines_that_make_no_sense(void **state)
{
        (void)state;
        OWN(top_model_fini) struct top_model m;
        top_model_init(&m);
        static const char *const table[] = { "[]", "{}", "{\"id\":\"x\",\"bytes_up\":null}",
                                             "{\"service\":7,\"phase\":[]}" };
        top_model_begin(&m, 1);
        for (size_t i = 0; i < COUNTOF(table); i++) {
                json_t *line = json_loads(table[i], 0, NULL);
                assert_non_null(line);
                top_model_add_session(&m, line);
                top_model_add_service(&m, line);
                json_decref(line);
        }
        top_model_end(&m);
        assert_int_equal(m.n_shown, 3);
}

static void many(void **state)
{
        (void)state;
        enum { N = 1000 };
        static struct seen seen[N];
        OWN(top_model_fini) struct top_model m;
        top_model_init(&m);
        for (size_t i = 0; i < N; i++)
                seen[i] = (struct seen){ .id = (int64_t)(i * 7919 % 10007), .up = (int64_t)i };
        poll_seen(&m, 1000, seen, N);
        for (size_t i = 0; i < N; i++)
                seen[i].up += (int64_t)i;
        poll_seen(&m, 2000, seen, N);
        assert_int_equal(m.n_shown, N);
        assert_int_equal(m.up_rate, N * (N - 1) / 2);
        for (size_t i = 1; i < N; i++)
                assert_true(m.shown[i - 1]->up_rate >= m.shown[i]->up_rate);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(rates_are_those_between_two_polls),
                cmocka_unit_test(in_every_order),
                cmocka_unit_test(only_those_that_fit),
                cmocka_unit_test(lines_that_make_no_sense),
                cmocka_unit_test(many),
        };
        return cmocka_run_group_tests_name("ctl/top_model", tests, NULL, NULL);
}
