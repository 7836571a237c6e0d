/* SPDX-License-Identifier: ISC */
/* Streams on plain sockets, and resets nobody reads for: against real sockets on loopback. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>
#include <event2/event.h>

#include "base/addr.h"
#include "base/clock.h"
#include "base/own.h"
#include "net/hangup.h"
#include "net/stream_plain.h"

struct world {
        struct event_base *base;
        struct hangup *hangup;
        struct stream *s;
        int peer;
        int reads, writes; /* notifications */
};

static void on_read(void *arg)
{
        ((struct world *)arg)->reads++;
}

static void on_write(void *arg)
{
        ((struct world *)arg)->writes++;
}

static void connect_pair(int *one, int *other)
{
        struct sockaddress a = { .len = sizeof a.in };
        a.in = (struct sockaddr_in){ .sin_family = AF_INET,
                                     .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
        OWN_FD int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        assert_int_equal(bind(listener, &a.sa, a.len), 0);
        assert_int_equal(listen(listener, 1), 0);
        assert_int_equal(getsockname(listener, &a.sa, &a.len), 0);
        *other = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        assert_int_equal(connect(*other, &a.sa, a.len), 0);
        *one = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        assert_true(*one >= 0);
}

static int set_up(void **state)
{
        static struct world w;
        int fd;
        w = (struct world){ .base = event_base_new() };
        w.hangup = hangup_new(w.base);
        assert_non_null(w.hangup);
        connect_pair(&fd, &w.peer);
        w.s = stream_plain_new(w.base, w.hangup, &fd);
        assert_non_null(w.s);
        assert_int_equal(fd, -1);
        stream_set_reader(w.s, on_read, &w);
        stream_set_writer(w.s, on_write, &w);
        *state = &w;
        return 0;
}

static int tear_down(void **state)
{
        struct world *w = *state;
        stream_free(w->s, STREAM_CLOSE);
        own_close(&w->peer);
        hangup_free(w->hangup);
        event_base_free(w->base);
        return 0;
}

/* Run the loop until the condition holds. */
#define UNTIL(condition)                                                        \
        do {                                                                    \
                int64_t deadline_ = clock_ms() + 20000;                         \
                while (!(condition)) {                                          \
                        if (clock_ms() > deadline_)                             \
                                fail_msg("waited in vain for: %s", #condition); \
                        event_base_loop(w->base, EVLOOP_NONBLOCK);              \
                }                                                               \
        } while (0)

static void reset_peer(struct world *w)
{
        struct linger now = { .l_onoff = 1 };
        setsockopt(w->peer, SOL_SOCKET, SO_LINGER, &now, sizeof now);
        own_close(&w->peer);
}

static void send_all(struct world *w, const char *s)
{
        assert_int_equal(send(w->peer, s, strlen(s), MSG_NOSIGNAL), strlen(s));
}

static void assert_in(struct world *w, const char *what)
{
        size_t n = evbuffer_get_length(w->s->in);
        assert_int_equal(n, strlen(what));
        assert_memory_equal(evbuffer_pullup(w->s->in, -1), what, n);
}

static void a_fin_is_an_end_and_our_direction_goes_on(void **state)
{
        struct world *w = *state;
        char got[8] = "";
        stream_want_read(w->s, true);
        send_all(w, "ping");
        shutdown(w->peer, SHUT_WR);
        UNTIL(w->s->end != STREAM_OPEN);
        assert_in(w, "ping");
        assert_int_equal(w->s->end, STREAM_END);
        assert_int_equal(w->s->lost, STREAM_OPEN);
        stream_want_read(w->s, false);
        evbuffer_add(w->s->out, "pong", 4);
        stream_wrote(w->s);
        stream_finish(w->s);
        UNTIL(w->s->finished == STREAM_FINISHED);
        assert_int_equal(recv(w->peer, got, sizeof got, MSG_WAITALL), 4);
        assert_string_equal(got, "pong");
        assert_int_equal(recv(w->peer, got, sizeof got, 0), 0);
}

static void a_reset_is_a_cut_and_what_came_before_is_kept(void **state)
{
        struct world *w = *state;
        stream_want_read(w->s, true);
        send_all(w, "ping");
        reset_peer(w);
        UNTIL(w->s->end != STREAM_OPEN);
        assert_in(w, "ping");
        assert_int_equal(w->s->end, STREAM_RESET);
        assert_int_equal(w->s->lost, STREAM_RESET);
        assert_non_null(w->s->detail);
}

static void a_reset_is_noticed_while_nobody_reads(void **state)
{
        struct world *w = *state;
        stream_want_read(w->s, true);
        stream_want_read(w->s, false);
        send_all(w, "ping");
        event_base_loop(w->base, EVLOOP_NONBLOCK);
        assert_int_equal(w->s->lost, STREAM_OPEN);
        reset_peer(w);
        UNTIL(w->s->lost != STREAM_OPEN);
        assert_int_equal(w->s->end, STREAM_OPEN); /* what came before it is still to be read */
        assert_int_equal(w->writes, 1);
        for (int i = 0; i < 100; i++)
                event_base_loop(w->base, EVLOOP_NONBLOCK);
        assert_int_equal(w->writes, 1); /* told once, no spin */
        stream_want_read(w->s, true);
        UNTIL(w->s->end != STREAM_OPEN);
        assert_in(w, "ping");
        assert_int_equal(w->s->end, STREAM_RESET); /* although SO_ERROR had been taken */
}

static void a_reset_after_the_end_is_noticed(void **state)
{
        struct world *w = *state;
        stream_want_read(w->s, true);
        shutdown(w->peer, SHUT_WR);
        UNTIL(w->s->end == STREAM_END);
        stream_want_read(w->s, false);
        reset_peer(w);
        UNTIL(w->s->lost == STREAM_RESET);
        assert_int_equal(w->s->end, STREAM_END);
}

static void an_end_both_ways_is_no_hangup(void **state)
{
        struct world *w = *state;
        stream_want_read(w->s, true);
        shutdown(w->peer, SHUT_WR);
        UNTIL(w->s->end == STREAM_END);
        stream_want_read(w->s, false);
        stream_finish(w->s);
        for (int i = 0; i < 100; i++)
                event_base_loop(w->base, EVLOOP_NONBLOCK);
        assert_int_equal(w->s->lost, STREAM_OPEN);
}

static void megabytes_come_before_the_end(void **state)
{
        struct world *w = *state;
        static char chunk[65536];
        size_t n = 8 * 1024 * 1024 + 3, got = 0;
        OWN_FREE char *octets = malloc(n);
        assert_non_null(octets);
        for (size_t i = 0; i < n; i++)
                octets[i] = (char)(i * 31 + i / 251);
        evbuffer_add(w->s->out, octets, n);
        stream_wrote(w->s);
        stream_finish(w->s);
        assert_int_equal(w->s->finished, STREAM_FINISHING);
        fcntl(w->peer, F_SETFL, O_NONBLOCK);
        for (;;) {
                ssize_t r = recv(w->peer, chunk, sizeof chunk, 0);
                if (r == 0)
                        break;
                if (r > 0) {
                        assert_memory_equal(chunk, octets + got, (size_t)r);
                        got += (size_t)r;
                }
                event_base_loop(w->base, EVLOOP_NONBLOCK);
        }
        assert_int_equal(got, n);
        assert_int_equal(w->s->finished, STREAM_FINISHED);
        assert_true(w->writes > 1); /* progress is told, not only the end of it */
}

static void what_is_queued_when_it_is_stopped_is_never_sent(void **state)
{
        struct world *w = *state;
        evbuffer_add(w->s->out, "never", 5);
        stream_wrote(w->s);
        stream_stop(w->s);
        for (int i = 0; i < 3; i++)
                event_base_loop(w->base, EVLOOP_NONBLOCK);
        assert_int_equal(stream_queued(w->s), 5);
        assert_int_equal(stream_fd_unread(w->peer), 0);
}

static void a_write_to_a_peer_that_has_gone_is_noticed(void **state)
{
        struct world *w = *state;
        reset_peer(w);
        evbuffer_add(w->s->out, "pong", 4);
        stream_wrote(w->s);
        UNTIL(w->s->lost == STREAM_RESET);
        stream_want_read(w->s, true);
        UNTIL(w->s->end == STREAM_RESET);
}

/* --- input is the reader's to bound -------------------------------------------------------------
 */

static void stop_at_10000(void *arg)
{
        struct world *w = arg;
        if (evbuffer_get_length(w->s->in) >= 10000)
                stream_want_read(w->s, false);
}

static void a_reader_that_stops_gets_no_more(void **state)
{
        struct world *w = *state;
        static char chunk[65536];
        stream_set_reader(w->s, stop_at_10000, w);
        stream_want_read(w->s, true);
        assert_int_equal(send(w->peer, chunk, sizeof chunk, MSG_NOSIGNAL), sizeof chunk);
        UNTIL(evbuffer_get_length(w->s->in) >= 10000);
        for (int i = 0; i < 100; i++)
                event_base_loop(w->base, EVLOOP_NONBLOCK);
        assert_in_range(evbuffer_get_length(w->s->in), 10000, 10000 + 16384);
        assert_int_equal(stream_unread(w->s), sizeof chunk - evbuffer_get_length(w->s->in));
}

static void closing_with_a_reset_is_seen_as_one(void **state)
{
        struct world *w = *state;
        char got[8];
        stream_free(TAKE(w->s), STREAM_CLOSE_RESET);
        assert_int_equal(recv(w->peer, got, sizeof got, 0), -1);
        assert_int_equal(errno, ECONNRESET);
}

static void what_is_not_acknowledged_is_counted(void **state)
{
        struct world *w = *state;
        char got[8];
        evbuffer_add(w->s->out, "pong", 4);
        stream_wrote(w->s);
        UNTIL(stream_queued(w->s) == 0);
        assert_int_equal(recv(w->peer, got, 4, MSG_WAITALL), 4);
        UNTIL(stream_unacked(w->s) == 0);
        assert_int_equal(stream_unsent(w->s), 0);
}

/* --- hangup: several at once, removed by each other's callbacks ----------------------------------
 */

struct pair {
        struct hangup_watch watch[2];
        int fds[2];
        int told;
};

static void remove_both(int error, void *arg)
{
        struct pair *p = arg;
        assert_int_equal(error, ECONNRESET);
        p->told++;
        hangup_watch_remove(&p->watch[0]);
        hangup_watch_remove(&p->watch[1]);
}

static void a_watch_removed_by_another_is_not_told(void **state)
{
        struct world *w = *state;
        struct pair p = { .told = 0 };
        for (int i = 0; i < 2; i++) {
                struct linger now = { .l_onoff = 1 };
                int peer;
                connect_pair(&p.fds[i], &peer);
                assert_true(hangup_watch_add(w->hangup, &p.watch[i], p.fds[i], remove_both, &p));
                setsockopt(peer, SOL_SOCKET, SO_LINGER, &now, sizeof now);
                close(peer);
        }
        UNTIL(p.told > 0);
        for (int i = 0; i < 10; i++)
                event_base_loop(w->base, EVLOOP_NONBLOCK);
        assert_int_equal(p.told, 1);
        close(p.fds[0]);
        close(p.fds[1]);
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)
        const struct CMUnitTest tests[] = {
                TEST(a_fin_is_an_end_and_our_direction_goes_on),
                TEST(a_reset_is_a_cut_and_what_came_before_is_kept),
                TEST(a_reset_is_noticed_while_nobody_reads),
                TEST(a_reset_after_the_end_is_noticed),
                TEST(an_end_both_ways_is_no_hangup),
                TEST(megabytes_come_before_the_end),
                TEST(what_is_queued_when_it_is_stopped_is_never_sent),
                TEST(a_write_to_a_peer_that_has_gone_is_noticed),
                TEST(a_reader_that_stops_gets_no_more),
                TEST(closing_with_a_reset_is_seen_as_one),
                TEST(what_is_not_acknowledged_is_counted),
                TEST(a_watch_removed_by_another_is_not_told),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
