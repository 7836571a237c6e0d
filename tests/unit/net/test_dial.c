/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <netinet/tcp.h>
#include <cmocka.h>

#include <event2/event.h>

#include "base/clock.h"
#include "base/own.h"
#include "net/dial.h"
#include "net/resolve.h"
#include "net/stream_direct.h"
#include "dial_fixture.h"
#include "net_fixture.h"

static const struct dns_row rows[] = {
        { .name = "two.test", .a = { "127.0.0.2", "127.0.0.1" }, .a_ttl = 60 },
        { .name = "one.test", .a = { "127.0.0.1" }, .a_ttl = 60 },
        { .name = "silent.test", .silent = true },
};

static struct net_fixture f;

static int set_up(void **state)
{
        (void)state;
        net_fixture_init(&f, rows, COUNTOF(rows));
        return 0;
}

static int tear_down(void **state)
{
        (void)state;
        net_fixture_fini(&f);
        return 0;
}

/* Targets as the rows below spell them: O is open, R refuses, B is a black hole; U unknown.test; M
 * a Unix socket that is missing; S one that is there. */
struct world {
        int open, refusing, hole;
        struct unix_place place;
        struct targets targets;
};

static void world_init(struct world *w)
{
        *w = (struct world){ .open = tcp_listener(16),
                             .refusing = tcp_refusing(),
                             .hole = tcp_black_hole() };
        unix_place_init(&w->place, 16);
}

static void world_fini(struct world *w)
{
        own_close(&w->open);
        own_close(&w->refusing);
        own_close(&w->hole);
        unix_place_fini(&w->place);
        targets_fini(&w->targets);
}

static void add_target(struct world *w, char letter)
{
        switch (letter) {
        case 'O':
                targets_add(&w->targets, "127.0.0.1:%u", tcp_port(w->open));
                break;
        case 'R':
                targets_add(&w->targets, "127.0.0.1:%u", tcp_port(w->refusing));
                break;
        case 'B':
                targets_add(&w->targets, "127.0.0.1:%u", tcp_port(w->hole));
                break;
        case 'U':
                targets_add(&w->targets, "unknown.test:80");
                break;
        case 'M':
                targets_add(&w->targets, "unix:%s.missing", w->place.path);
                break;
        case 'S':
                targets_add(&w->targets, "unix:%s", w->place.path);
                break;
        default:
                fail();
        }
}

static void add_targets(struct world *w, const char *letters)
{
        for (; *letters != '\0'; letters++)
                add_target(w, *letters);
}

static struct dial *start(const struct world *w, int64_t timeout_ms, struct outcome *o)
{
        const struct dial_settings settings = { .targets = w->targets.list,
                                                .n_targets = w->targets.n,
                                                .timeout_ms = timeout_ms };
        struct dial *d = dial_start(f.io, f.resolver, &settings, outcome_set, o);
        assert_non_null(d);
        assert_false(o->done);
        return d;
}

static void dial(const struct world *w, int64_t timeout_ms, struct outcome *o)
{
        start(w, timeout_ms, o);
        net_run_until(f.base, &o->done);
}

struct expected {
        int error;
        bool resolved;
        const char *text;
};

static struct expected expected(char letter)
{
        switch (letter) {
        case 'O':
        case 'S':
                return (struct expected){ 0, true, NULL };
        case 'R':
                return (struct expected){ ECONNREFUSED, true, "Connection refused" };
        case 'B':
                return (struct expected){ ETIMEDOUT, true, "timed out after 150 ms" };
        case 'U':
                return (struct expected){ 0, false, "no such name" };
        default:
                return (struct expected){ ENOENT, true, "No such file or directory" };
        }
}

static void check_attempt(const struct dial_attempt *a, const char *target, char letter)
{
        struct expected e = expected(letter);
        assert_string_equal(a->target, target);
        assert_int_equal(a->error, e.error);
        assert_int_equal(attempt_address(a).len > 0, e.resolved);
        if (e.text == NULL)
                assert_null(dial_attempt_text(a));
        else
                assert_string_equal(dial_attempt_text(a), e.text);
        assert_true(a->ms >= 0);
}

static void targets_are_tried_in_order_until_one_connects(void **state)
{
        (void)state;
        static const struct {
                const char *targets;
                size_t tried;
                enum dial_outcome outcome;
        } table[] = {
                { "O", 1, DIAL_CONNECTED },       { "S", 1, DIAL_CONNECTED },
                { "RO", 2, DIAL_CONNECTED },      { "RMUROR", 5, DIAL_CONNECTED },
                { "US", 2, DIAL_CONNECTED },      { "OR", 1, DIAL_CONNECTED },
                { "R", 1, DIAL_REFUSED },         { "RRR", 3, DIAL_REFUSED },
                { "MR", 2, DIAL_REFUSED },        { "RM", 2, DIAL_FAILED },
                { "RU", 2, DIAL_REFUSED },        { "UM", 2, DIAL_FAILED },
                { "UU", 2, DIAL_RESOLVE_FAILED }, { "B", 1, DIAL_TIMED_OUT },
                { "RBO", 2, DIAL_TIMED_OUT },     { "", 0, DIAL_RESOLVE_FAILED },
        };
        for (size_t i = 0; i < COUNTOF(table); i++) {
                OWN(world_fini) struct world w;
                world_init(&w);
                add_targets(&w, table[i].targets);
                OWN(outcome_fini) struct outcome o = { 0 };
                bool in_time = table[i].outcome != DIAL_TIMED_OUT;
                dial(&w, in_time ? 60000 : 150, &o);
                assert_int_equal(o.result.outcome, table[i].outcome);
                assert_int_equal(attempts_count(o.result.attempts), table[i].tried);
                for (size_t j = 0; j < table[i].tried; j++)
                        check_attempt(attempt_at(o.result.attempts, j), w.targets.list[j]->text,
                                      table[i].targets[j]);
                assert_int_equal(o.result.stream != NULL, table[i].outcome == DIAL_CONNECTED);
                if (o.result.stream != NULL)
                        assert_int_equal(o.result.target, table[i].tried - 1);
        }
}

static int fd_of(const struct outcome *o)
{
        return stream_direct_fd(o->result.stream);
}

static void what_is_connected_reaches_the_listener(void **state)
{
        (void)state;
        OWN(world_fini) struct world w;
        world_init(&w);
        add_targets(&w, "RO");
        OWN(outcome_fini) struct outcome o = { 0 };
        dial(&w, 60000, &o);
        OWN_FD int accepted = accept(w.open, NULL, NULL);
        assert_int_equal(send(fd_of(&o), "ping", 4, MSG_NOSIGNAL), 4);
        char buf[8];
        assert_int_equal(recv(accepted, buf, sizeof buf, 0), 4);
        assert_memory_equal(buf, "ping", 4);
}

static int int_option(int fd, int level, int name)
{
        int value = -1;
        socklen_t len = sizeof value;
        assert_int_equal(getsockopt(fd, level, name, &value, &len), 0);
        return value;
}

static void a_connected_socket_is_set_up(void **state)
{
        (void)state;
        for (const char *kind = "OS"; *kind != '\0'; kind++) {
                OWN(world_fini) struct world w;
                world_init(&w);
                add_target(&w, *kind);
                OWN(outcome_fini) struct outcome o = { 0 };
                dial(&w, 60000, &o);
                assert_true(fcntl(fd_of(&o), F_GETFL) & O_NONBLOCK);
                assert_true(fcntl(fd_of(&o), F_GETFD) & FD_CLOEXEC);
                OWN_FD int fd = stream_direct_release(TAKE(o.result.stream));
                if (*kind == 'S')
                        continue;
                assert_true(int_option(fd, IPPROTO_TCP, TCP_NODELAY) > 0);
                assert_true(int_option(fd, SOL_SOCKET, SO_KEEPALIVE) > 0);
        }
}

static void every_address_of_a_name_is_tried(void **state)
{
        (void)state;
        OWN(world_fini) struct world w;
        world_init(&w);
        targets_add(&w.targets, "two.test:%u", tcp_port(w.open));
        OWN(outcome_fini) struct outcome o = { 0 };
        dial(&w, 60000, &o);
        assert_int_equal(o.result.outcome, DIAL_CONNECTED);
        assert_int_equal(attempts_count(o.result.attempts), 2);
        const struct dial_attempt *a = o.result.attempts, *b = a->next;
        assert_int_equal(a->error, ECONNREFUSED);
        assert_int_equal(ntohl(attempt_address(a).in.sin_addr.s_addr), 0x7f000002);
        assert_int_equal(b->error, 0);
        assert_int_equal(ntohl(attempt_address(b).in.sin_addr.s_addr), 0x7f000001);
        assert_string_equal(a->target, b->target);
}

static void a_silent_name_server_counts_against_the_timeout(void **state)
{
        (void)state;
        OWN(world_fini) struct world w;
        world_init(&w);
        targets_add(&w.targets, "silent.test:80");
        add_targets(&w, "O");
        OWN(outcome_fini) struct outcome o = { 0 };
        dial(&w, 20, &o);
        assert_int_equal(o.result.outcome, DIAL_TIMED_OUT);
        assert_int_equal(attempts_count(o.result.attempts), 1);
        assert_int_equal(attempt_at(o.result.attempts, 0)->error, ETIMEDOUT);
        assert_int_equal(attempt_address(attempt_at(o.result.attempts, 0)).len, 0);
        assert_string_equal(dial_attempt_text(attempt_at(o.result.attempts, 0)),
                            "timed out after 20 ms, looking up the name");
}

static void a_name_that_fails_later_makes_way_for_the_next(void **state)
{
        (void)state;
        OWN(world_fini) struct world w;
        world_init(&w);
        targets_add(&w.targets, "silent.test:80"); /* the resolver gives it up */
        add_targets(&w, "O");
        OWN(outcome_fini) struct outcome o = { 0 };
        dial(&w, 60000, &o);
        assert_int_equal(o.result.outcome, DIAL_CONNECTED);
        assert_int_equal(o.result.target, 1);
        assert_string_equal(dial_attempt_text(attempt_at(o.result.attempts, 0)),
                            "the name server did not answer in time");
}

static void many_addresses_may_fail_at_once(void **state)
{
        (void)state;
        OWN(world_fini) struct world w;
        world_init(&w);
        for (int i = 0; i < 3000; i++)
                add_target(&w, 'M');
        OWN(outcome_fini) struct outcome o = { 0 };
        dial(&w, 60000, &o);
        assert_int_equal(o.result.outcome, DIAL_FAILED);
        assert_int_equal(attempts_count(o.result.attempts), 3000);
}

static void accept_one(evutil_socket_t fd, short what, void *arg)
{
        (void)fd;
        (void)what;
        struct unix_place *place = arg;
        int accepted = accept(place->listener, NULL, NULL);
        own_close(&accepted);
}

static void a_full_unix_backlog_is_waited_for(void **state)
{
        (void)state;
        OWN(world_fini) struct world w;
        world_init(&w);
        unix_place_fini(&w.place);
        unix_place_init(&w.place, 0);
        unix_place_fill(&w.place);
        add_targets(&w, "S");

        OWN(outcome_fini) struct outcome late = { 0 };
        dial(&w, 100, &late);
        assert_int_equal(late.result.outcome, DIAL_TIMED_OUT);
        assert_int_equal(attempt_at(late.result.attempts, 0)->error, ETIMEDOUT);
        assert_string_equal(dial_attempt_text(attempt_at(late.result.attempts, 0)),
                            "timed out after 100 ms");
        assert_true(attempt_at(late.result.attempts, 0)->ms >= 90);

        OWN(outcome_fini) struct outcome o = { 0 };
        event_base_once(f.base, -1, EV_TIMEOUT, accept_one, &w.place,
                        &(struct timeval){ .tv_usec = 30000 });
        dial(&w, 60000, &o);
        assert_int_equal(o.result.outcome, DIAL_CONNECTED);
        assert_int_equal(attempts_count(o.result.attempts), 1);
}

static void cancelling_is_silent_and_tells_what_was_tried(void **state)
{
        (void)state;
        dial_cancel(NULL, NULL);
        OWN(world_fini) struct world w;
        world_init(&w);
        add_targets(&w, "RB");
        struct outcome o = { 0 };
        struct dial_attempt *attempts;

        dial_cancel(start(&w, 60000, &o), &attempts); /* before anything was tried */
        assert_int_equal(attempts_count(attempts), 0);
        dial_attempts_free(attempts);

        struct dial *d = start(&w, 60000, &o);
        net_run_ready(f.base);
        dial_cancel(d, &attempts); /* while connecting */
        assert_int_equal(attempts_count(attempts), 2);
        check_attempt(attempts, w.targets.list[0]->text, 'R');
        assert_int_equal(attempts->next->error, ECANCELED);
        assert_true(attempt_address(attempts->next).len > 0);
        assert_string_equal(dial_attempt_text(attempts->next), "given up");
        dial_attempts_free(attempts);

        d = start(&w, 60000, &o);
        net_run_ready(f.base);
        dial_cancel(d, NULL);
        net_run_ready(f.base);
        assert_false(o.done);
}

static void cancelling_a_lookup_is_silent_too(void **state)
{
        (void)state;
        OWN(world_fini) struct world w;
        world_init(&w);
        targets_add(&w.targets, "one.test:%u", tcp_port(w.open));
        struct outcome gone = { 0 };
        OWN(outcome_fini) struct outcome o = { 0 };
        struct dial *d = start(&w, 60000, &gone);
        start(&w, 60000, &o);
        event_base_loop(f.base, EVLOOP_NONBLOCK | EVLOOP_ONCE); /* asked, not answered */
        struct dial_attempt *attempts;
        dial_cancel(d, &attempts);
        assert_int_equal(attempts_count(attempts), 1);
        assert_int_equal(attempts->error, ECANCELED);
        assert_int_equal(attempt_address(attempts).len, 0);
        dial_attempts_free(attempts);
        net_run_until(f.base, &o.done);
        assert_int_equal(o.result.outcome, DIAL_CONNECTED);
        assert_false(gone.done);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
        const struct CMUnitTest tests[] = {
                TEST(targets_are_tried_in_order_until_one_connects),
                TEST(what_is_connected_reaches_the_listener),
                TEST(a_connected_socket_is_set_up),
                TEST(every_address_of_a_name_is_tried),
                TEST(a_silent_name_server_counts_against_the_timeout),
                TEST(a_name_that_fails_later_makes_way_for_the_next),
                TEST(many_addresses_may_fail_at_once),
                TEST(a_full_unix_backlog_is_waited_for),
                TEST(cancelling_is_silent_and_tells_what_was_tried),
                TEST(cancelling_a_lookup_is_silent_too),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
