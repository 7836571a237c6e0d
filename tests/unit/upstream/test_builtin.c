/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>
#include <event2/event.h>

#include "base/addr.h"
#include "base/own.h"
#include "upstream/builtin.h"

enum { KEPT = 64 * 1024 }; /* octets a built-in keeps in `in` */

/* Somebody who uses a built-in as a relay does: reads what is there when told, counts being told.
 */
struct user {
        struct event_base *base;
        struct stream *s;
        struct evbuffer *got;
        bool taking;
        size_t take_at_once;
        unsigned told_in, told_out;
        unsigned depth, deepest; /* calls inside calls */
};

static void on_read(void *arg)
{
        struct user *u = arg;
        if (++u->depth > u->deepest)
                u->deepest = u->depth;
        u->told_in++;
        if (u->taking)
                evbuffer_remove_buffer(u->s->in, u->got, u->take_at_once);
        u->depth--;
}

static void on_write(void *arg)
{
        struct user *u = arg;
        u->told_out++;
}

static void user_init(struct user *u, const char *name)
{
        *u = (struct user){ .taking = true, .take_at_once = SIZE_MAX };
        struct event_config *config = event_config_new();
        event_config_set_flag(config, EVENT_BASE_FLAG_NOLOCK);
        u->base = event_base_new_with_config(config);
        event_config_free(config);
        u->s = builtin_new(u->base, name);
        assert_non_null(u->s);
        u->got = evbuffer_new();
        stream_set_reader(u->s, on_read, u);
        stream_set_writer(u->s, on_write, u);
}

static void user_fini(struct user *u)
{
        stream_free(u->s, STREAM_CLOSE);
        evbuffer_free(u->got);
        event_base_free(u->base);
}

static void say(struct user *u, const void *data, size_t n)
{
        evbuffer_add(u->s->out, data, n);
        stream_wrote(u->s);
}

/* Until there is nothing more to do without us. */
static void settle(struct user *u)
{
        for (int turn = 0; event_base_loop(u->base, EVLOOP_NONBLOCK) == 0; turn++)
                if (turn == 1000)
                        fail_msg("the loop never rests");
}

static size_t got(const struct user *u)
{
        return evbuffer_get_length(u->got);
}

static void assert_got(struct user *u, const char *want)
{
        assert_int_equal(got(u), strlen(want));
        if (*want != '\0')
                assert_memory_equal(evbuffer_pullup(u->got, -1), want, strlen(want));
}

static void a_stream_begins_open_and_silent(void **state)
{
        static const char *const names[] = { "echo", "discard", "chargen", "daytime" };
        (void)state;
        for (size_t i = 0; i < COUNTOF(names); i++) {
                struct user u;
                user_init(&u, names[i]);
                settle(&u);
                assert_int_equal(u.s->end, STREAM_OPEN);
                assert_int_equal(u.s->lost, STREAM_OPEN);
                assert_int_equal(u.s->finished, STREAM_UNFINISHED);
                assert_int_equal(u.told_in + u.told_out, 0);
                assert_int_equal(stream_unread(u.s) + stream_unsent(u.s) + stream_unacked(u.s), 0);
                user_fini(&u);
        }
}

static void an_unknown_name_is_refused(void **state)
{
        (void)state;
        struct event_base *base = event_base_new();
        errno = 0;
        assert_null(builtin_new(base, "qotd"));
        assert_int_equal(errno, ENOENT);
        assert_null(builtin_new(base, ""));
        event_base_free(base);
}

static void every_name_that_is_told_is_an_address_and_a_stream(void **state)
{
        (void)state;
        struct event_base *base = event_base_new();
        OWN_FREE char *names = strdup(builtin_names());
        char *rest = names, *name;
        int n = 0;
        for (; (name = strsep(&rest, ",")) != NULL; n++) {
                struct addr a;
                name += *name == ' ';
                assert_null(addr_parse(name, ADDR_FOR_CONNECT, &a));
                assert_int_equal(a.kind, ADDR_BUILTIN);
                struct stream *s = builtin_new(base, a.host);
                assert_non_null(s);
                stream_free(s, STREAM_CLOSE_RESET);
                addr_fini(&a);
        }
        assert_int_equal(n, 4);
        event_base_free(base);
}

static void echo_returns_every_octet_then_the_end(void **state)
{
        (void)state;
        struct user u;
        user_init(&u, "echo");
        stream_want_read(u.s, true);
        say(&u, "ping", 4);
        settle(&u);
        assert_got(&u, "ping");
        assert_true(u.told_in > 0 && u.told_out > 0);
        assert_int_equal(u.s->end, STREAM_OPEN);
        say(&u, "pong", 4);
        stream_finish(u.s);
        settle(&u);
        assert_got(&u, "pingpong");
        assert_int_equal(u.s->finished, STREAM_FINISHED);
        assert_int_equal(u.s->end, STREAM_END);
        user_fini(&u);
}

static void echo_of_nothing_is_an_end(void **state)
{
        (void)state;
        struct user u;
        user_init(&u, "echo");
        stream_want_read(u.s, true);
        stream_finish(u.s);
        settle(&u);
        assert_got(&u, "");
        assert_int_equal(u.s->end, STREAM_END);
        assert_true(u.told_in > 0);
        user_fini(&u);
}

static void echo_stops_taking_when_nobody_reads(void **state)
{
        (void)state;
        struct user u;
        user_init(&u, "echo");
        u.taking = false;
        OWN_FREE unsigned char *data = malloc(3 * KEPT + 1);
        for (size_t i = 0; i < 3 * KEPT + 1; i++)
                data[i] = (unsigned char)(i * 7 + i / 251);
        say(&u, data, 3 * KEPT + 1);
        stream_finish(u.s);
        settle(&u);
        assert_int_equal(evbuffer_get_length(u.s->in), KEPT);
        assert_int_equal(stream_queued(u.s), 2 * KEPT + 1);
        assert_int_equal(stream_unread(u.s), 2 * KEPT + 1);
        assert_int_equal(u.s->finished, STREAM_FINISHING);
        assert_int_equal(u.s->end, STREAM_OPEN);

        u.taking = true;
        u.take_at_once = 1000;
        stream_want_read(u.s, true);
        on_read(&u); /* as a relay does when it begins to read again */
        while (got(&u) < 3 * KEPT + 1) {
                size_t before = got(&u);
                settle(&u);
                evbuffer_remove_buffer(u.s->in, u.got, u.take_at_once);
                assert_true(got(&u) > before);
                assert_in_range(evbuffer_get_length(u.s->in), 0, KEPT);
        }
        settle(&u);
        assert_memory_equal(evbuffer_pullup(u.got, -1), data, 3 * KEPT + 1);
        assert_int_equal(u.s->finished, STREAM_FINISHED);
        assert_int_equal(u.s->end, STREAM_END);
        user_fini(&u);
}

/* The end is in the same news as the last octets, or later; never before them. */
static void echo_ends_only_when_all_is_there(void **state)
{
        (void)state;
        struct user u;
        user_init(&u, "echo");
        u.taking = false;
        static const char data[KEPT + 1];
        say(&u, data, sizeof data);
        stream_finish(u.s);
        settle(&u);
        assert_int_equal(u.s->end, STREAM_OPEN);
        evbuffer_drain(u.s->in, 1);
        settle(&u);
        assert_int_equal(u.s->end, STREAM_END);
        assert_int_equal(evbuffer_get_length(u.s->in), KEPT);
        user_fini(&u);
}

static void talk_to_itself(void *arg)
{
        struct user *u = arg;
        on_read(u);
        if (u->told_in < 100000) {
                u->depth++;
                say(u, "x", 1);
                u->depth--;
        }
}

static void an_answer_from_inside_the_callback_does_not_pile_up(void **state)
{
        (void)state;
        struct user u;
        user_init(&u, "echo");
        stream_set_reader(u.s, talk_to_itself, &u);
        stream_want_read(u.s, true);
        say(&u, "x", 1);
        while (u.told_in < 100000)
                event_base_loop(u.base, EVLOOP_ONCE);
        assert_int_equal(u.deepest, 1);
        user_fini(&u);
}

static void discard_takes_everything_and_ends_when_we_do(void **state)
{
        (void)state;
        struct user u;
        user_init(&u, "discard");
        static const char data[300000];
        for (int i = 0; i < 10; i++) {
                say(&u, data, sizeof data);
                assert_int_equal(stream_queued(u.s), 0);
        }
        settle(&u);
        assert_true(u.told_out > 0);
        assert_int_equal(u.s->end, STREAM_OPEN);
        stream_want_read(u.s, true);
        settle(&u);
        assert_int_equal(u.s->end, STREAM_OPEN);
        stream_finish(u.s);
        settle(&u);
        assert_int_equal(u.s->finished, STREAM_FINISHED);
        assert_int_equal(u.s->end, STREAM_END);
        assert_got(&u, "");
        user_fini(&u);
}

static void chargen_repeats_its_pattern_until_we_end(void **state)
{
        (void)state;
        struct user u;
        user_init(&u, "chargen");
        stream_want_read(u.s, true);
        while (got(&u) < 1000000) {
                size_t before = got(&u);
                event_base_loop(u.base, EVLOOP_ONCE);
                assert_true(got(&u) > before);
                assert_in_range(evbuffer_get_length(u.s->in), 0, KEPT);
        }
        const char *text = (const char *)evbuffer_pullup(u.got, -1);
        assert_memory_equal(text,
                            " !\"#$%&'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\"
                            "]^_`abcdefg\r\n!\"#$",
                            78);
        for (size_t i = 0; i < 1000000; i++) {
                size_t line = i / 74, column = i % 74;
                char want = column == 72   ? '\r'
                            : column == 73 ? '\n'
                                           : (char)(' ' + (line + column) % 95);
                assert_int_equal(text[i], want);
        }
        say(&u, "thrown away", 11);
        assert_int_equal(stream_queued(u.s), 0);
        stream_finish(u.s);
        settle(&u);
        assert_int_equal(u.s->finished, STREAM_FINISHED);
        assert_int_equal(u.s->end, STREAM_END);
        user_fini(&u);
}

static void chargen_stops_when_nobody_reads(void **state)
{
        (void)state;
        struct user u;
        user_init(&u, "chargen");
        u.taking = false;
        stream_want_read(u.s, true);
        settle(&u);
        size_t kept = evbuffer_get_length(u.s->in);
        assert_in_range(kept, 1, KEPT);
        stream_want_read(u.s, false);
        evbuffer_drain(u.s->in, kept);
        settle(&u);
        assert_int_equal(evbuffer_get_length(u.s->in), 0);
        stream_want_read(u.s, true);
        settle(&u);
        assert_in_range(evbuffer_get_length(u.s->in), 1, KEPT);
        user_fini(&u);
}

static void count_turn(evutil_socket_t fd, short what, void *arg)
{
        (void)fd;
        (void)what;
        ++*(unsigned *)arg;
}

/* Whoever takes all that chargen gives must not keep the loop from everything else. */
static void chargen_leaves_the_loop_to_others(void **state)
{
        (void)state;
        struct user u;
        unsigned turns = 0;
        user_init(&u, "chargen");
        OWN_FD int ready = eventfd(1, EFD_CLOEXEC);
        struct event *other = event_new(u.base, ready, EV_READ | EV_PERSIST, count_turn, &turns);
        event_add(other, NULL);
        stream_want_read(u.s, true);
        for (int i = 0; i < 100; i++) {
                unsigned before = turns;
                event_base_loop(u.base, EVLOOP_ONCE);
                assert_true(turns > before);
        }
        assert_true(got(&u) > 0);
        event_free(other);
        user_fini(&u);
}

static void daytime_is_one_line_and_the_end(void **state)
{
        (void)state;
        struct user u;
        user_init(&u, "daytime");
        say(&u, "what time is it?", 16);
        assert_int_equal(stream_queued(u.s), 0);
        time_t before = time(NULL);
        stream_want_read(u.s, true);
        settle(&u);
        time_t after = time(NULL);
        assert_int_equal(u.s->end, STREAM_END);
        OWN_FREE char *line = calloc(1, got(&u) + 1);
        evbuffer_remove(u.got, line, got(&u));
        struct tm tm = { 0 };
        const char *rest = strptime(line, "%A, %B %d, %Y %H:%M:%S-UTC", &tm);
        assert_non_null(rest);
        assert_string_equal(rest, "\r\n");
        assert_in_range(timegm(&tm), before, after);
        assert_int_equal(u.s->finished, STREAM_UNFINISHED);
        stream_finish(u.s);
        assert_int_equal(u.s->finished, STREAM_FINISHED);
        user_fini(&u);
}

static void no_callback_runs_after_free(void **state)
{
        static const char *const names[] = { "echo", "discard", "chargen", "daytime" };
        (void)state;
        for (size_t i = 0; i < COUNTOF(names); i++) {
                struct user u;
                user_init(&u, names[i]);
                stream_want_read(u.s, true);
                say(&u, "x", 1);
                stream_finish(u.s);
                stream_free(u.s, STREAM_CLOSE_RESET);
                u.s = NULL;
                settle(&u);
                assert_int_equal(u.told_in + u.told_out, 0);
                user_fini(&u);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_stream_begins_open_and_silent),
                cmocka_unit_test(an_unknown_name_is_refused),
                cmocka_unit_test(every_name_that_is_told_is_an_address_and_a_stream),
                cmocka_unit_test(echo_returns_every_octet_then_the_end),
                cmocka_unit_test(echo_of_nothing_is_an_end),
                cmocka_unit_test(echo_stops_taking_when_nobody_reads),
                cmocka_unit_test(echo_ends_only_when_all_is_there),
                cmocka_unit_test(an_answer_from_inside_the_callback_does_not_pile_up),
                cmocka_unit_test(discard_takes_everything_and_ends_when_we_do),
                cmocka_unit_test(chargen_repeats_its_pattern_until_we_end),
                cmocka_unit_test(chargen_stops_when_nobody_reads),
                cmocka_unit_test(chargen_leaves_the_loop_to_others),
                cmocka_unit_test(daytime_is_one_line_and_the_end),
                cmocka_unit_test(no_callback_runs_after_free),
        };
        alarm(120); /* a test that waits for ever fails */
        return cmocka_run_group_tests_name("upstream/builtin", tests, NULL, NULL);
}
