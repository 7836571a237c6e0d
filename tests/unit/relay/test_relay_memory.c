/* SPDX-License-Identifier: ISC */
/* The account of what waits in memory, over scripted streams, for each pump. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <event2/event.h>

#include "base/own.h"
#include "relay/relay.h"
#include "script.h"

enum {
        CEILING = 100 * 1000,   /* octets in memory */
        HIGH_WATER = 64 * 1024, /* of a connection, in one direction */
        SHORT = 4096,           /* and above the ceiling */
};

static bool direct; /* which pump */

struct world {
        struct event_base *base;
        struct io_ceiling ceiling;
        struct io *io;
        struct script a, b; /* client, upstream */
        struct relay *relay;
};

static const struct relay_settings settings = { .high_water = HIGH_WATER };

static void on_done(const struct relay_result *result, void *arg)
{
        (void)result;
        (void)arg;
        fail_msg("nobody has ended");
}

static int set_up(void **state)
{
        static struct world w;
        w = (struct world){ .base = event_base_new() };
        io_ceiling_init(&w.ceiling, CEILING);
        w.io = io_new(w.base, &w.ceiling);
        script_init(&w.a, direct ? w.io : NULL);
        script_init(&w.b, direct ? w.io : NULL);
        w.relay = relay_new(w.io, &w.a.s, &w.b.s, &settings, on_done, &w);
        assert_non_null(w.relay);
        relay_start(w.relay);
        script_accept(&w.a, 0);
        script_accept(&w.b, 0);
        *state = &w;
        return 0;
}

static int tear_down(void **state)
{
        struct world *w = *state;
        relay_free(w->relay);
        script_fini(&w->a);
        script_fini(&w->b);
        io_free(w->io);
        event_base_free(w->base);
        return 0;
}

static void turn(struct world *w)
{
        event_base_loop(w->base, EVLOOP_NONBLOCK);
}

static size_t held(struct world *w)
{
        return atomic_load(&w->ceiling.held);
}

static void send_in_pieces(struct script *p, const char *octets, size_t n)
{
        for (size_t i = 0; i < n; i += 1000)
                script_send(p, octets + i, n - i < 1000 ? n - i : 1000);
}

/* Direct streams do so themselves; those with a script do not. */
static void what_waits_is_accounted_for_until_it_is_gone(void **state)
{
        struct world *w = *state;
        static char octets[30000];
        script_send(&w->a, octets, 30000);
        script_send(&w->b, octets, 5000);
        turn(w);
        assert_int_equal(held(w), direct ? 0 : 35000);
        script_accept(&w->b, 10000);
        assert_int_equal(held(w), direct ? 0 : 25000);
        script_accept(&w->b, SIZE_MAX);
        assert_int_equal(held(w), direct ? 0 : 5000);
        script_accept(&w->a, SIZE_MAX);
        assert_int_equal(held(w), 0);
}

static void who_is_freed_holds_nothing(void **state)
{
        struct world *w = *state;
        static char octets[30000];
        script_send(&w->a, octets, sizeof octets);
        turn(w);
        assert_int_equal(held(w), direct ? 0 : sizeof octets);
        relay_free(TAKE(w->relay));
        assert_int_equal(held(w), 0);
}

static void above_the_ceiling_less_is_taken(void **state)
{
        struct world *w = *state;
        static char octets[HIGH_WATER];
        io_hold(w->io, CEILING + 1);
        send_in_pieces(&w->a, octets, sizeof octets);
        turn(w);
        assert_in_range(stream_queued(&w->b.s), 1, SHORT);
        for (int i = 0; i < 64; i++) {
                script_accept(&w->b, 512);
                assert_in_range(stream_queued(&w->b.s), 1, SHORT);
        }
        assert_int_equal(evbuffer_get_length(w->b.got), 32768);
}

static void below_it_again_everything_flows_on(void **state)
{
        struct world *w = *state;
        static char octets[HIGH_WATER];
        for (size_t i = 0; i < sizeof octets; i++)
                octets[i] = (char)(i * 31 + i / 509);
        io_hold(w->io, CEILING + 1);
        send_in_pieces(&w->a, octets, sizeof octets);
        turn(w);
        io_release(w->io, CEILING + 1);
        script_accept(&w->b, SHORT); /* all that waits: the next may be more */
        assert_true(stream_queued(&w->b.s) > SHORT);
        script_accept(&w->b, SIZE_MAX);
        assert_int_equal(evbuffer_get_length(w->b.got), sizeof octets);
        assert_memory_equal(evbuffer_pullup(w->b.got, -1), octets, sizeof octets);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
        const struct CMUnitTest tests[] = {
                TEST(what_waits_is_accounted_for_until_it_is_gone),
                TEST(who_is_freed_holds_nothing),
                TEST(above_the_ceiling_less_is_taken),
                TEST(below_it_again_everything_flows_on),
        };
        int failed = cmocka_run_group_tests_name("pump_buffer", tests, NULL, NULL);
        direct = true;
        return failed + cmocka_run_group_tests_name("pump_direct", tests, NULL, NULL);
}
