/* SPDX-License-Identifier: ISC */
/* What the pump between direct streams says of what follows, over scripted streams. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <event2/event.h>

#include "relay/pump.h"
#include "script.h"

enum { FULL = IO_SCRATCH_SIZE }; /* octets of a read that leaves the question open */

struct world {
        struct event_base *base;
        struct io *io;
        struct script from, to;
        struct pump pump;
};

static char octets[2 * FULL];

static int set_up(void **state)
{
        static struct world w;
        w = (struct world){ .base = event_base_new() };
        w.io = io_new(w.base, NULL);
        script_init(&w.from, w.io);
        script_init(&w.to, w.io);
        pump_init(&w.pump, &w.from.s, &w.to.s, 1);
        *state = &w;
        return 0;
}

static int tear_down(void **state)
{
        struct world *w = *state;
        script_fini(&w->from);
        script_fini(&w->to);
        io_free(w->io);
        event_base_free(w->base);
        return 0;
}

static void assert_passed_on(struct world *w, size_t n)
{
        pump_run(&w->pump);
        assert_int_equal(evbuffer_get_length(w->to.got), n);
        assert_false(w->to.corked);
}

static void a_small_message_waits_for_nothing(void **state)
{
        struct world *w = *state;
        script_send(&w->from, octets, 64);
        assert_passed_on(w, 64);
}

static void what_follows_a_full_read_goes_with_it_and_waits_for_nothing(void **state)
{
        struct world *w = *state;
        script_send(&w->from, octets, FULL + 1);
        assert_passed_on(w, FULL + 1);
}

static void a_full_read_that_nothing_follows_is_pushed(void **state)
{
        struct world *w = *state;
        script_send(&w->from, octets, FULL);
        assert_passed_on(w, FULL);
        script_send(&w->from, octets, 2 * FULL);
        assert_passed_on(w, 3 * FULL);
}

static void a_full_read_that_uses_the_allowance_up_is_not_held_back(void **state)
{
        struct world *w = *state;
        script_send(&w->from, octets, FULL);
        pump_limit(&w->pump);
        script_send(&w->from, octets, FULL);
        assert_passed_on(w, FULL);
        assert_int_equal(w->pump.state, PUMP_DRAINING);
}

static void nor_one_that_an_end_follows_which_is_not_passed_on(void **state)
{
        struct world *w = *state;
        script_send(&w->from, octets, FULL);
        script_end(&w->from, STREAM_END);
        w->pump.end_follows = false;
        assert_passed_on(w, FULL);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
        const struct CMUnitTest tests[] = {
                TEST(a_small_message_waits_for_nothing),
                TEST(what_follows_a_full_read_goes_with_it_and_waits_for_nothing),
                TEST(a_full_read_that_nothing_follows_is_pushed),
                TEST(a_full_read_that_uses_the_allowance_up_is_not_held_back),
                TEST(nor_one_that_an_end_follows_which_is_not_passed_on),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
