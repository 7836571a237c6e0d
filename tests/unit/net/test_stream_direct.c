/* SPDX-License-Identifier: ISC */
/* Direct streams, over TCP and Unix sockets: octets, ends, resets, queues and connecting. Every
 * test ends with as many descriptors as it began with, and nothing held in memory. */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>
#include <event2/event.h>

#include "base/addr.h"
#include "base/own.h"
#include "base/text.h"
#include "direct_fixture.h"

/* --- octets and ends -------------------------------------------------------------------------- */

static void octets_pass_both_ways(void **state)
{
        struct world *w = *state;
        size_t given = 0;
        int64_t deadline = clock_ms() + 20000;
        stream_want_read(w->a.s, true);
        while (w->a.received < MUCH || w->a.got < MUCH) {
                size_t n = MUCH - given < 100003 ? MUCH - given : 100003;
                if (stream_queued(w->a.s) == 0 && n > 0) {
                        stream_send(w->a.s, direct_pattern() + given, n, false);
                        given += n;
                }
                direct_feed(&w->a, MUCH);
                assert_true(direct_take(&w->a));
                direct_turn(w);
                assert_true(clock_ms() < deadline);
        }
        assert_int_equal(stream_queued(w->a.s), 0);
        assert_int_equal(w->a.s->end, STREAM_OPEN);
        assert_int_equal(stream_unread(w->a.s), 0);
}

static void an_end_leaves_our_direction_open(struct world *w)
{
        UNTIL(w->a.s->end != STREAM_OPEN);
        assert_int_equal(w->a.s->end, STREAM_END);
        assert_int_equal(w->a.s->lost, STREAM_OPEN);
        assert_int_equal(w->a.received, 1000);
        int told = w->a.told;
        direct_turns(w, 20);
        assert_int_equal(w->a.told, told); /* no spin */
        stream_send(w->a.s, direct_pattern(), 1000, false);
        stream_finish(w->a.s);
        assert_int_equal(w->a.s->finished, STREAM_FINISHED);
        UNTIL(!direct_take(&w->a));
        assert_int_equal(errno, 0);
        assert_int_equal(w->a.got, 1000);
        direct_turns(w, 20);
        assert_int_equal(w->a.s->lost, STREAM_OPEN); /* an end both ways is no reset */
}

static void an_end_comes_behind_the_octets(void **state)
{
        struct world *w = *state;
        stream_want_read(w->a.s, true);
        direct_feed(&w->a, 1000);
        UNTIL(w->a.received == 1000);
        assert_int_equal(w->a.s->end, STREAM_OPEN);
        direct_end_peer(&w->a);
        an_end_leaves_our_direction_open(w);
}

static void octets_and_an_end_may_come_in_one_event(void **state)
{
        struct world *w = *state;
        stream_want_read(w->a.s, true);
        direct_turns(w, 3);
        direct_feed(&w->a, 1000);
        direct_end_peer(&w->a);
        an_end_leaves_our_direction_open(w);
}

static void what_nobody_reads_stays_in_the_kernel(void **state)
{
        struct world *w = *state;
        w->a.idle = true;
        stream_want_read(w->a.s, true);
        direct_feed(&w->a, 1000);
        UNTIL(stream_unread(w->a.s) == 1000 && w->a.told > 0);
        int told = w->a.told;
        direct_turns(w, 20);
        assert_int_equal(w->a.told, told);
        direct_drain(&w->a);
        assert_int_equal(w->a.received, 1000);
}

/* --- resets ----------------------------------------------------------------------------------- */

static void assert_reset(struct world *w, size_t received)
{
        w->a.idle = false;
        direct_drain(&w->a);
        assert_int_equal(w->a.received, received);
        assert_int_equal(w->a.s->end, STREAM_RESET);
        assert_int_equal(w->a.s->lost, STREAM_RESET);
        assert_non_null(w->a.s->detail);
        int told = w->a.told;
        direct_turns(w, 20);
        assert_int_equal(w->a.told, told);
        stream_send(w->a.s, "late", 4, false); /* into the void */
        assert_int_equal(stream_queued(w->a.s), 0);
}

static void a_reset_is_noticed_while_idle(void **state)
{
        struct world *w = *state;
        direct_prepare_reset(w, &w->a);
        stream_want_read(w->a.s, true);
        direct_turns(w, 3);
        direct_reset_peer(&w->a);
        UNTIL(w->a.s->lost != STREAM_OPEN);
        assert_reset(w, 0);
}

static void a_reset_is_noticed_while_nobody_reads(void **state)
{
        struct world *w = *state;
        direct_prepare_reset(w, &w->a);
        w->a.idle = true;
        stream_want_read(w->a.s, true);
        direct_feed(&w->a, 1000);
        UNTIL(stream_unread(w->a.s) == 1000 && w->a.told > 0);
        direct_reset_peer(&w->a);
        UNTIL(w->a.s->lost != STREAM_OPEN);
        assert_int_equal(w->a.s->end, STREAM_OPEN); /* behind what is still to be received */
        assert_reset(w, 1000);
}

static void a_reset_is_noticed_behind_octets_in_one_event(void **state)
{
        struct world *w = *state;
        for (int idle = 0; idle < 2; idle++) {
                direct_prepare_reset(w, &w->b);
                w->b.idle = idle;
                stream_want_read(w->b.s, true);
                direct_turns(w, 3);
                direct_feed(&w->b, 1000);
                direct_reset_peer(&w->b);
                UNTIL(w->b.s->lost != STREAM_OPEN);
                w->b.idle = false;
                direct_drain(&w->b);
                assert_int_equal(w->b.received, 1000);
                assert_int_equal(w->b.s->end, STREAM_RESET);
                stream_free(w->b.s, STREAM_CLOSE);
                direct_open_leg(w, &w->b);
        }
}

static void a_reset_is_noticed_after_an_end(void **state)
{
        struct world *w = *state;
        direct_prepare_reset(w, &w->a);
        stream_want_read(w->a.s, true);
        direct_feed(&w->a, 1000);
        direct_end_peer(&w->a);
        UNTIL(w->a.s->end == STREAM_END);
        direct_reset_peer(&w->a);
        UNTIL(w->a.s->lost == STREAM_RESET);
        assert_int_equal(w->a.s->end, STREAM_END);
        assert_int_equal(w->a.received, 1000);
}

static void a_reset_is_noticed_by_a_write(void **state)
{
        struct world *w = *state;
        direct_prepare_reset(w, &w->a);
        w->a.idle = true;
        stream_want_read(w->a.s, true);
        direct_feed(&w->a, 1000);
        UNTIL(stream_unread(w->a.s) == 1000 && w->a.told > 0);
        direct_reset_peer(&w->a);
        UNTIL_DOING(w->a.s->lost != STREAM_OPEN, stream_send(w->a.s, "y", 1, false));
        assert_reset(w, 1000);
}

static void closing_with_a_reset_is_seen_as_one(void **state)
{
        struct world *w = *state;
        char got[1];
        stream_free(TAKE(w->a.s), STREAM_CLOSE_RESET);
        assert_int_equal(recv(w->a.peer, got, sizeof got, 0), -1);
        assert_int_equal(errno, ECONNRESET);
}

/* --- a slow receiver -------------------------------------------------------------------------- */

static void an_end_waits_for_the_queue(void **state)
{
        struct world *w = *state;
        stream_want_read(w->a.s, true);
        stream_send(w->a.s, direct_pattern(), MUCH / 2, false);
        assert_true(stream_queued(w->a.s) > 0);
        stream_send(w->a.s, direct_pattern() + MUCH / 2, MUCH - MUCH / 2, false);
        assert_true(atomic_load(&w->ceiling.held) >= stream_queued(w->a.s));
        stream_finish(w->a.s);
        size_t queued = stream_queued(w->a.s);
        direct_turns(w, 20);
        assert_int_equal(w->a.s->finished, STREAM_FINISHING);
        assert_true(stream_queued(w->a.s) > 0 && stream_queued(w->a.s) <= queued);
        UNTIL(!direct_take(&w->a));
        assert_int_equal(errno, 0);
        assert_int_equal(w->a.got, MUCH);
        assert_int_equal(w->a.s->finished, STREAM_FINISHED);
        assert_int_equal(atomic_load(&w->ceiling.held), 0);
}

static void what_is_queued_when_it_is_stopped_is_never_sent(void **state)
{
        struct world *w = *state;
        stream_want_read(w->a.s, true);
        stream_send(w->a.s, direct_pattern(), MUCH, false);
        direct_turns(w, 3);
        size_t queued = stream_queued(w->a.s);
        assert_true(queued > 0);
        stream_stop(w->a.s);
        UNTIL(direct_take(&w->a) && w->a.got >= MUCH - queued);
        direct_turns(w, 20);
        direct_take(&w->a);
        assert_int_equal(stream_queued(w->a.s), queued);
        assert_int_equal(w->a.got, MUCH - queued);
}

static void a_reset_drops_the_queue(void **state)
{
        struct world *w = *state;
        stream_want_read(w->a.s, true);
        stream_send(w->a.s, direct_pattern(), MUCH, false);
        stream_finish(w->a.s);
        direct_turns(w, 3);
        direct_reset_peer(&w->a);
        UNTIL(w->a.s->lost != STREAM_OPEN);
        assert_int_equal(stream_queued(w->a.s), 0);
        assert_int_equal(atomic_load(&w->ceiling.held), 0);
        assert_int_equal(w->a.s->finished, STREAM_FINISHING);
}

/* --- the rest --------------------------------------------------------------------------------- */

static void what_is_held_back_goes_with_a_push(void **state)
{
        struct world *w = *state;
        int fd = stream_direct_fd(w->a.s);
        int64_t before = clock_ms();
        stream_send(w->a.s, direct_pattern(), 4, true);
        size_t unsent = stream_fd_unsent(fd);
        if (clock_ms() - before < 100) /* the kernel does not wait for ever */
                assert_int_equal(unsent, 4);
        stream_push(w->a.s);
        assert_int_equal(stream_fd_unsent(fd), 0);
        UNTIL_DOING(w->a.got == 4, direct_take(&w->a));
        stream_send(w->a.s, direct_pattern() + 4, 4, true);
        stream_finish(w->a.s);
        UNTIL(!direct_take(&w->a));
        assert_int_equal(w->a.got, 8);
}

static void what_is_held_back_goes_with_the_next(void **state)
{
        struct world *w = *state;
        stream_send(w->a.s, direct_pattern(), 4, true);
        stream_send(w->a.s, direct_pattern() + 4, 4, false);
        UNTIL_DOING(w->a.got == 8, direct_take(&w->a));
}

static void greedy(void *arg)
{
        struct leg *leg = arg;
        leg->told++;
        leg->received = 0;
        while (leg->s->readable) {
                static unsigned char chunk[4096];
                leg->sent = 0; /* there is always more */
                direct_feed(leg, MUCH);
                leg->received += stream_receive(leg->s, chunk, sizeof chunk);
        }
}

static void nobody_gets_more_than_a_share_of_a_turn(void **state)
{
        struct world *w = *state;
        stream_set_reader(w->a.s, greedy, &w->a);
        stream_set_writer(w->a.s, greedy, &w->a);
        stream_want_read(w->a.s, true);
        stream_want_read(w->b.s, true);
        direct_feed(&w->a, 4096);
        direct_feed(&w->b, 1000);
        for (int i = 1; i <= 5; i++) {
                direct_turn(w);
                assert_int_equal(w->b.received, 1000);
                assert_in_range(w->a.told, i, 2 * i);
                assert_int_equal(w->a.received, ONE_TURN);
        }
        stream_free(TAKE(w->a.s), STREAM_CLOSE); /* while it waits for its turn */
        direct_turns(w, 3);
}

static void a_released_descriptor_is_usable(void **state)
{
        struct world *w = *state;
        char got[5] = "";
        assert_true(stream_direct_watch(w->a.s));
        direct_turns(w, 3);
        int fd = stream_direct_fd(w->a.s), told = w->a.told;
        assert_int_equal(stream_direct_release(TAKE(w->a.s)), fd);
        assert_int_equal(send(w->a.peer, "ping", 4, 0), 4);
        direct_turns(w, 3);
        assert_int_equal(w->a.told, told);
        struct stream *again = stream_direct_new(w->io, &fd, STREAM_DIRECT_CONNECTED);
        assert_true(stream_direct_watch(again)); /* nothing was left in the loop */
        UNTIL(stream_receive(again, got, 4) == 4);
        assert_string_equal(got, "ping");
        stream_free(again, STREAM_CLOSE);
}

/* Somebody else has given it to the kernel. */
static void what_waits_in_the_kernel_counts_elsewhere(void **state)
{
        struct world *w = *state;
        struct stream_state leg;
        struct text rest = { 0 };
        stream_send(w->a.s, direct_pattern(), MUCH, false);
        int fd = stream_release(TAKE(w->a.s), &leg, &rest);
        assert_in_range(rest.len, 1, MUCH - 1);
        struct stream *again = stream_direct_new(w->io, &fd, STREAM_DIRECT_UNDER_WAY);
        size_t unsent = stream_unsent(again);
        assert_int_equal(unsent, stream_fd_unsent(stream_direct_fd(again)));
        assert_true(unsent > 0 || w->domain == AF_UNIX);
        stream_resume(again, &leg, &rest);
        UNTIL_DOING(w->a.got == MUCH, direct_take(&w->a));
        text_fini(&rest);
        stream_state_fini(&leg);
        stream_free(again, STREAM_CLOSE);
}

/* --- connecting ------------------------------------------------------------------------------- */

static void begin_connecting(struct world *w, const struct sockaddress *a)
{
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        stream_free(w->a.s, STREAM_CLOSE);
        own_close(&w->a.peer);
        assert_int_equal(connect(fd, &a->sa, a->len), -1);
        assert_int_equal(errno, EINPROGRESS);
        w->a = (struct leg){ .s = stream_direct_new(w->io, &fd, STREAM_DIRECT_CONNECTING),
                             .peer = -1,
                             .idle = true };
        stream_set_reader(w->a.s, direct_on_change, &w->a);
        stream_set_writer(w->a.s, direct_on_change, &w->a);
        assert_true(stream_direct_watch(w->a.s));
        assert_int_equal(stream_direct_connected(w->a.s), EINPROGRESS);
}

/* Octets and an end may have arrived with the connection. */
static void a_connection_comes_to_be(void **state)
{
        struct world *w = *state;
        static const struct {
                size_t octets;
                bool ends;
        } rows[] = { { 0, false }, { 1000, false }, { 0, true }, { 1000, true } };
        for (size_t i = 0; i < COUNTOF(rows); i++) {
                struct sockaddress a;
                OWN_FD int listener = direct_listen_on_loopback(&a);
                begin_connecting(w, &a);
                w->a.peer = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
                assert_true(w->a.peer >= 0);
                direct_feed(&w->a, rows[i].octets);
                if (rows[i].ends)
                        direct_end_peer(&w->a);
                UNTIL(stream_direct_connected(w->a.s) != EINPROGRESS);
                assert_int_equal(stream_direct_connected(w->a.s), 0);
                w->a.idle = false;
                direct_drain(&w->a);
                UNTIL(w->a.received == rows[i].octets);
                if (rows[i].ends)
                        UNTIL(w->a.s->end == STREAM_END);
                stream_send(w->a.s, direct_pattern(), 1000, false);
                stream_finish(w->a.s);
                UNTIL(!direct_take(&w->a));
                assert_int_equal(w->a.got, 1000);
                assert_int_equal(w->a.s->lost, STREAM_OPEN);
        }
}

static void a_refused_connection_is_told(void **state)
{
        struct world *w = *state;
        struct sockaddress a;
        int listener = direct_listen_on_loopback(&a);
        close(listener);
        begin_connecting(w, &a);
        UNTIL(w->a.told > 0);
        assert_int_equal(stream_direct_connected(w->a.s), ECONNREFUSED);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                BOTH(octets_pass_both_ways),
                BOTH(an_end_comes_behind_the_octets),
                BOTH(octets_and_an_end_may_come_in_one_event),
                BOTH(what_nobody_reads_stays_in_the_kernel),
                BOTH(a_reset_is_noticed_while_idle),
                BOTH(a_reset_is_noticed_while_nobody_reads),
                BOTH(a_reset_is_noticed_behind_octets_in_one_event),
                BOTH(a_reset_is_noticed_after_an_end),
                BOTH(a_reset_is_noticed_by_a_write),
                TCP(closing_with_a_reset_is_seen_as_one),
                BOTH(an_end_waits_for_the_queue),
                BOTH(what_is_queued_when_it_is_stopped_is_never_sent),
                BOTH(a_reset_drops_the_queue),
                TCP(what_is_held_back_goes_with_a_push),
                BOTH(what_is_held_back_goes_with_the_next),
                LOCAL(nobody_gets_more_than_a_share_of_a_turn),
                BOTH(a_released_descriptor_is_usable),
                BOTH(what_waits_in_the_kernel_counts_elsewhere),
                TCP(a_connection_comes_to_be),
                TCP(a_refused_connection_is_told),
        };
        signal(SIGPIPE, SIG_IGN); /* as the daemon does */
        return cmocka_run_group_tests(tests, NULL, NULL);
}
