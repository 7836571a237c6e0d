/* SPDX-License-Identifier: ISC */
/* The closing rules, over scripted streams. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <event2/event.h>

#include "base/clock.h"
#include "base/own.h"
#include "relay/relay.h"
#include "script.h"

/* Which pump: every promise holds for each. */
static bool direct;

struct world {
        struct event_base *base;
        struct io *io;
        struct script a, b; /* client, upstream */
        struct relay_settings set;
        struct relay *relay;
        struct relay_stats stats;
        struct relay_result result;
        char detail[64];
        int done; /* how often the relay said it was over */
};

static void on_done(const struct relay_result *result, void *arg)
{
        struct world *w = arg;
        w->result = *result;
        if (result->detail != NULL)
                snprintf(w->detail, sizeof w->detail, "%s", result->detail);
        w->done++;
        relay_stats(w->relay, &w->stats);
        relay_free(TAKE(w->relay));
}

static void prepare(struct world *w, struct relay_settings set)
{
        *w = (struct world){ .base = event_base_new(), .set = set };
        if (w->set.high_water == 0)
                w->set.high_water = 64 * 1024;
        w->io = io_new(w->base, NULL);
        script_init(&w->a, direct ? w->io : NULL);
        script_init(&w->b, direct ? w->io : NULL);
        w->relay = relay_new(w->io, &w->a.s, &w->b.s, &w->set, on_done, w);
        assert_non_null(w->relay);
}

static void begin(struct world *w, struct relay_settings set)
{
        prepare(w, set);
        relay_start(w->relay);
}

static void turn(struct world *w)
{
        event_base_loop(w->base, EVLOOP_NONBLOCK);
}

static void until_done(struct world *w)
{
        int64_t deadline = clock_ms() + 10000;
        while (w->done == 0 && clock_ms() < deadline)
                event_base_loop(w->base, EVLOOP_ONCE);
        assert_int_equal(w->done, 1);
}

static void end(struct world *w)
{
        turn(w);
        relay_free(w->relay);
        script_fini(&w->a);
        script_fini(&w->b);
        io_free(w->io);
        event_base_free(w->base);
}

static void assert_got(struct script *p, const char *what)
{
        size_t n = evbuffer_get_length(p->got);
        assert_int_equal(n, strlen(what));
        assert_memory_equal(evbuffer_pullup(p->got, -1), what, n);
}

/* --- the closing table --------------------------------------------------------------------------
 */

/* A script: text is sent; |FIN |RST |TRUNC |BAD are ends; the sides take turns, step by step. */
struct row {
        const char *promise, *a_sends, *b_sends;
        struct relay_settings set;
        const char *b_gets, *a_gets;
        bool a_gets_end, b_gets_end; /* passed on as an end */
        enum relay_outcome outcome;
        enum relay_side side;
        enum stream_close_how close;
};

static const struct relay_settings propagate = { 0 };
#define HOLD                             \
        {                                \
                .half_close = RELAY_HOLD \
        }
#define CLOSE                             \
        {                                 \
                .half_close = RELAY_CLOSE \
        }
#define FORWARD                                        \
        {                                              \
                .truncation = RELAY_TRUNCATION_FORWARD \
        }

static const struct row table[] = {
        { "client finishes first and still gets the whole answer",
          "ping|FIN",
          "|pong|FIN",
          { 0 },
          "ping",
          "pong",
          true,
          true,
          RELAY_ENDED,
          RELAY_CLIENT,
          STREAM_CLOSE },
        { "upstream finishes first and still gets all the client has",
          "|pong|FIN",
          "ping|FIN",
          { 0 },
          "pong",
          "ping",
          true,
          true,
          RELAY_ENDED,
          RELAY_UPSTREAM,
          STREAM_CLOSE },
        { "no octets at all, two ends",
          "FIN",
          "FIN",
          { 0 },
          "",
          "",
          true,
          true,
          RELAY_ENDED,
          RELAY_CLIENT,
          STREAM_CLOSE },
        { "a cut is not an end: the reset travels on, no end is made up",
          "pi|RST",
          "",
          { 0 },
          "pi",
          "",
          false,
          false,
          RELAY_RESET,
          RELAY_CLIENT,
          STREAM_CLOSE_RESET },
        { "the same from the upstream",
          "",
          "po|RST",
          { 0 },
          "",
          "po",
          false,
          false,
          RELAY_RESET,
          RELAY_UPSTREAM,
          STREAM_CLOSE_RESET },
        { "an end, then the answer is cut",
          "ping|FIN",
          "||po|RST",
          { 0 },
          "ping",
          "po",
          false,
          true,
          RELAY_RESET,
          RELAY_UPSTREAM,
          STREAM_CLOSE_RESET },
        { "truncation is a cut by default; both get what had arrived",
          "pi|TRUNC",
          "po",
          { 0 },
          "pi",
          "po",
          false,
          false,
          RELAY_TRUNCATED,
          RELAY_CLIENT,
          STREAM_CLOSE_RESET },
        { "truncation = forward passes it on as an end", "ping|TRUNC", "||pong|FIN", FORWARD,
          "ping", "pong", true, true, RELAY_TRUNCATED, RELAY_CLIENT, STREAM_CLOSE },
        { "a bad record is a cut",
          "pi|BAD",
          "",
          { 0 },
          "pi",
          "",
          false,
          false,
          RELAY_BROKEN,
          RELAY_CLIENT,
          STREAM_CLOSE_RESET },
        { "hold passes an end on only when both have ended", "ping|FIN", "||pong|FIN", HOLD, "ping",
          "pong", true, true, RELAY_ENDED, RELAY_CLIENT, STREAM_CLOSE },
        { "close: the first end closes both, what had arrived is delivered", "ping|FIN", "pong",
          CLOSE, "ping", "pong", true, true, RELAY_ENDED, RELAY_CLIENT, STREAM_CLOSE },
};

static const char *step(struct script *p, const char *s)
{
        static const struct {
                const char *word;
                enum stream_end end;
        } ends[] = { { "FIN", STREAM_END },
                     { "RST", STREAM_RESET },
                     { "TRUNC", STREAM_TRUNCATED },
                     { "BAD", STREAM_BROKEN } };
        size_t n = strcspn(s, "|");
        bool is_end = false;
        for (size_t i = 0; i < COUNTOF(ends); i++) {
                if (strlen(ends[i].word) == n && strncmp(s, ends[i].word, n) == 0) {
                        script_end(p, ends[i].end);
                        is_end = true;
                }
        }
        if (!is_end && n > 0)
                script_send(p, s, n);
        return s[n] == '|' ? s + n + 1 : s + n;
}

static void follows_the_table(void **state)
{
        (void)state;
        for (size_t i = 0; i < COUNTOF(table); i++) {
                const struct row *row = &table[i];
                struct world w;
                print_message("  %s\n", row->promise);
                begin(&w, row->set);
                const char *a = row->a_sends, *b = row->b_sends;
                while (*a != '\0' || *b != '\0') {
                        a = step(&w.a, a);
                        turn(&w);
                        b = step(&w.b, b);
                        turn(&w);
                }
                until_done(&w);
                assert_got(&w.a, row->a_gets);
                assert_got(&w.b, row->b_gets);
                assert_int_equal(w.a.got_end, row->a_gets_end);
                assert_int_equal(w.b.got_end, row->b_gets_end);
                assert_int_equal(w.result.outcome, row->outcome);
                assert_int_equal(w.result.side, row->side);
                assert_int_equal(w.result.close, row->close);
                assert_int_equal(w.stats.bytes_up, strlen(row->b_gets));
                assert_int_equal(w.stats.bytes_down, strlen(row->a_gets));
                end(&w);
        }
}

/* --- order and bounds ---------------------------------------------------------------------------
 */

static char *pattern(size_t n)
{
        char *octets = malloc(n);
        assert_non_null(octets);
        for (size_t i = 0; i < n; i++)
                octets[i] = (char)(i * 31 + i / 251);
        return octets;
}

static void an_end_waits_for_the_octets_before_it(void **state)
{
        (void)state;
        struct world w;
        begin(&w, propagate);
        script_accept(&w.b, 2);
        script_send(&w.a, "ping", 4);
        script_end(&w.a, STREAM_END);
        turn(&w);
        assert_got(&w.b, "pi");
        assert_false(w.b.got_end);
        script_accept(&w.b, SIZE_MAX);
        turn(&w);
        assert_got(&w.b, "ping");
        assert_true(w.b.got_end);
        assert_int_equal(w.done, 0); /* the other direction is untouched */
        script_send(&w.b, "pong", 4);
        turn(&w);
        assert_got(&w.a, "pong");
        end(&w);
}

static void a_side_that_does_not_read_stops_the_other(void **state)
{
        (void)state;
        struct world w;
        size_t n = 1000003;
        OWN_FREE char *octets = pattern(n);
        begin(&w, (struct relay_settings){ .high_water = 1000 });
        script_accept(&w.b, 0);
        for (size_t i = 0; i < n; i += 500)
                script_send(&w.a, octets + i, n - i < 500 ? n - i : 500);
        turn(&w);
        assert_false(w.a.reading);
        assert_in_range(stream_queued(&w.b.s), 1, 1000);
        script_end(&w.a, STREAM_END);
        for (size_t i = 0; i < n; i += 777)
                script_accept(&w.b, 777);
        script_accept(&w.b, SIZE_MAX);
        assert_int_equal(evbuffer_get_length(w.b.got), n);
        assert_memory_equal(evbuffer_pullup(w.b.got, -1), octets, n);
        assert_true(w.b.got_end);
        end(&w);
}

static void a_reset_while_paused_is_noticed_and_what_came_before_is_delivered(void **state)
{
        (void)state;
        struct world w;
        begin(&w, (struct relay_settings){ .high_water = 4 });
        script_accept(&w.b, 0);
        script_send(&w.a, "0123", 4);
        script_send(&w.a, "4567", 4);
        turn(&w);
        script_hang_up(&w.a);
        script_send(&w.b, "for nobody", 10);
        turn(&w);
        assert_int_equal(w.done, 0);
        assert_int_equal(script_waiting(&w.b), 0); /* thrown away: the upstream is not stuck */
        script_accept(&w.b, SIZE_MAX);
        until_done(&w);
        assert_got(&w.b, "01234567");
        assert_false(w.b.got_end);
        assert_int_equal(w.result.outcome, RELAY_RESET);
        assert_int_equal(w.result.side, RELAY_CLIENT);
        assert_int_equal(w.stats.bytes_down, 0);
        end(&w);
}

static void a_side_that_had_ended_before_the_start_is_watched_all_the_same(void **state)
{
        (void)state;
        struct world w;
        prepare(&w, (struct relay_settings){ 0 });
        script_send(&w.a, "ping", 4);
        script_end(&w.a, STREAM_END);
        relay_start(w.relay);
        turn(&w);
        assert_true(w.b.got_end);
        assert_true(w.a.watched);
        script_hang_up(&w.a);
        until_done(&w);
        assert_got(&w.b, "ping");
        assert_int_equal(w.result.outcome, RELAY_RESET);
        assert_int_equal(w.result.side, RELAY_CLIENT);
        end(&w);
}

static void an_end_and_then_the_reset_of_the_same_side_is_a_cut(void **state)
{
        (void)state;
        struct world w;
        begin(&w, propagate);
        script_send(&w.a, "ping", 4);
        script_end(&w.a, STREAM_END);
        script_send(&w.b, "po", 2);
        turn(&w);
        script_hang_up(&w.a);
        script_send(&w.b, "ng", 2);
        until_done(&w);
        assert_got(&w.b, "ping");
        assert_true(w.b.got_end);
        assert_int_equal(w.result.outcome, RELAY_RESET);
        assert_int_equal(w.result.side, RELAY_CLIENT);
        assert_int_equal(w.result.close, STREAM_CLOSE_RESET);
        end(&w);
}

static void a_reset_waits_until_the_other_side_has_acknowledged(void **state)
{
        (void)state;
        struct world w;
        begin(&w, propagate);
        w.b.unacked = 4;
        script_send(&w.a, "ping", 4);
        script_end(&w.a, STREAM_RESET);
        for (int i = 0; i < 3; i++)
                event_base_loop(w.base, EVLOOP_ONCE);
        assert_int_equal(w.done, 0);
        w.b.unacked = 0;
        until_done(&w);
        assert_int_equal(w.result.close, STREAM_CLOSE_RESET);
        end(&w);
}

static void a_good_end_waits_until_the_kernel_has_sent_everything(void **state)
{
        (void)state;
        struct world w;
        begin(&w, propagate);
        w.a.unsent = 1;
        script_end(&w.a, STREAM_END);
        script_send(&w.b, "pong", 4);
        script_end(&w.b, STREAM_END);
        for (int i = 0; i < 3; i++)
                event_base_loop(w.base, EVLOOP_ONCE);
        assert_int_equal(w.done, 0);
        w.a.unsent = 0;
        until_done(&w);
        assert_int_equal(w.result.outcome, RELAY_ENDED);
        end(&w);
}

static void a_write_that_fails_cuts_and_what_its_peer_had_sent_is_delivered(void **state)
{
        (void)state;
        struct world w;
        begin(&w, propagate);
        w.b.fails_at = 3;
        script_accept(&w.a, 0);
        script_send(&w.b, "last words", 10);
        script_send(&w.a, "ping", 4);
        turn(&w);
        script_end(&w.b, STREAM_END); /* the reset was taken by the write: reading shows an end */
        turn(&w);
        assert_int_equal(w.done, 0);
        script_accept(&w.a, SIZE_MAX);
        until_done(&w);
        assert_got(&w.a, "last words");
        assert_false(w.a.got_end);
        assert_int_equal(w.result.outcome, RELAY_RESET);
        assert_int_equal(w.result.side, RELAY_UPSTREAM);
        assert_int_equal(w.stats.bytes_up, 0);
        end(&w);
}

static void hold_keeps_an_end_back(void **state)
{
        (void)state;
        struct world w;
        begin(&w, (struct relay_settings)HOLD);
        script_send(&w.a, "ping", 4);
        script_end(&w.a, STREAM_END);
        turn(&w);
        assert_got(&w.b, "ping");
        assert_false(w.b.got_end);
        script_end(&w.b, STREAM_END);
        until_done(&w);
        assert_true(w.b.got_end);
        assert_true(w.a.got_end);
        end(&w);
}

static void close_takes_no_more_than_had_arrived(void **state)
{
        (void)state;
        struct world w;
        begin(&w, (struct relay_settings){ .half_close = RELAY_CLOSE, .high_water = 4 });
        script_accept(&w.a, 0);
        script_send(&w.b, "arrived", 7);
        turn(&w);
        script_end(&w.a, STREAM_END);
        turn(&w);
        script_send(&w.b, "too late", 8);
        script_accept(&w.a, SIZE_MAX);
        until_done(&w);
        assert_got(&w.a, "arrived");
        assert_true(w.a.got_end);
        assert_int_equal(w.result.outcome, RELAY_ENDED);
        end(&w);
}

/* --- timers -------------------------------------------------------------------------------------
 */

static void an_idle_connection_ends_after_the_idle_timeout(void **state)
{
        (void)state;
        struct world w;
        begin(&w, (struct relay_settings){ .idle_ms = 30 });
        int64_t before = clock_ms();
        until_done(&w);
        assert_true(clock_ms() - before >= 29);
        assert_int_equal(w.result.outcome, RELAY_IDLE_TIMEOUT);
        assert_int_equal(w.result.close, STREAM_CLOSE_RESET);
        assert_false(w.a.got_end || w.b.got_end);
        end(&w);
}

static void a_half_closed_connection_ends_after_its_timeout(void **state)
{
        (void)state;
        struct world w;
        begin(&w, (struct relay_settings){ .idle_ms = 600000, .half_close_ms = 30 });
        script_end(&w.a, STREAM_END);
        until_done(&w);
        assert_int_equal(w.result.outcome, RELAY_HALF_CLOSE_TIMEOUT);
        assert_true(w.b.got_end);
        assert_false(w.a.got_end);
        assert_in_range(w.stats.half_closed_ms, 29, 10000);
        end(&w);
}

static void a_side_that_takes_nothing_ends_after_the_write_timeout(void **state)
{
        (void)state;
        struct world w;
        begin(&w, (struct relay_settings){ .write_ms = 30 });
        script_accept(&w.b, 1);
        script_send(&w.a, "ping", 4);
        until_done(&w);
        assert_int_equal(w.result.outcome, RELAY_WRITE_TIMEOUT);
        assert_int_equal(w.result.side, RELAY_UPSTREAM);
        assert_int_equal(w.stats.bytes_up, 1);
        end(&w);
}

static void progress_restarts_the_timers(void **state)
{
        (void)state;
        struct world w;
        begin(&w, (struct relay_settings){ .idle_ms = 60, .write_ms = 60 });
        script_accept(&w.b, 0);
        script_send(&w.a, "0123456789", 10);
        int64_t start = clock_ms();
        while (clock_ms() - start < 150 && w.done == 0) {
                script_accept(&w.b, 0);
                script_send(&w.a, "x", 1);
                script_accept(&w.b, 1);
                event_base_loop(w.base, EVLOOP_NONBLOCK);
        }
        assert_int_equal(w.done, 0);
        until_done(&w);
        end(&w);
}

static void a_timer_during_a_cut_keeps_its_reason(void **state)
{
        (void)state;
        struct world w;
        begin(&w, (struct relay_settings){ .half_close_ms = 30 });
        script_accept(&w.b, 0);
        script_send(&w.a, "ping", 4);
        script_end(&w.a, STREAM_RESET);
        until_done(&w);
        assert_int_equal(w.result.outcome, RELAY_RESET);
        assert_int_equal(w.result.side, RELAY_CLIENT);
        end(&w);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(follows_the_table),
                cmocka_unit_test(an_end_waits_for_the_octets_before_it),
                cmocka_unit_test(a_side_that_does_not_read_stops_the_other),
                cmocka_unit_test(a_reset_while_paused_is_noticed_and_what_came_before_is_delivered),
                cmocka_unit_test(a_side_that_had_ended_before_the_start_is_watched_all_the_same),
                cmocka_unit_test(an_end_and_then_the_reset_of_the_same_side_is_a_cut),
                cmocka_unit_test(a_reset_waits_until_the_other_side_has_acknowledged),
                cmocka_unit_test(a_good_end_waits_until_the_kernel_has_sent_everything),
                cmocka_unit_test(a_write_that_fails_cuts_and_what_its_peer_had_sent_is_delivered),
                cmocka_unit_test(hold_keeps_an_end_back),
                cmocka_unit_test(close_takes_no_more_than_had_arrived),
                cmocka_unit_test(an_idle_connection_ends_after_the_idle_timeout),
                cmocka_unit_test(a_half_closed_connection_ends_after_its_timeout),
                cmocka_unit_test(a_side_that_takes_nothing_ends_after_the_write_timeout),
                cmocka_unit_test(progress_restarts_the_timers),
                cmocka_unit_test(a_timer_during_a_cut_keeps_its_reason),
        };
        int failed = cmocka_run_group_tests_name("pump_buffer", tests, NULL, NULL);
        direct = true;
        return failed + cmocka_run_group_tests_name("pump_direct", tests, NULL, NULL);
}
