/* SPDX-License-Identifier: ISC */
/* Sockets watched once and for all: what is told, how often, and to whom no more. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>
#include <event2/event.h>

#include "base/own.h"
#include "net/watch.h"

enum { MANY = 300 }; /* more than one batch */

struct pair {
        struct watch watch;
        struct world *world;
        int ours, theirs;
        int told;
        uint32_t what; /* as told last */
        bool leaves;   /* is no longer watched once it was told */
        struct pair *removes;
};

struct world {
        struct event_base *base;
        struct watcher *watcher;
        struct pair pairs[MANY];
        int told;
};

static void leave(struct pair *p)
{
        own_close(&p->ours);
        watch_remove(p->world->watcher, &p->watch, p->ours);
}

static void on_watch(struct watch *w, uint32_t what)
{
        struct pair *p = CONTAINER(w, struct pair, watch);
        p->told++;
        p->world->told++;
        p->what = what;
        if (p->removes != NULL)
                leave(p->removes);
        if (p->leaves)
                leave(p);
}

static int set_up(void **state)
{
        static struct world w;
        w = (struct world){ .base = event_base_new() };
        w.watcher = watcher_new(w.base);
        assert_non_null(w.watcher);
        for (int i = 0; i < MANY; i++)
                w.pairs[i] = (struct pair){
                        .watch.fn = on_watch, .world = &w, .ours = -1, .theirs = -1
                };
        *state = &w;
        return 0;
}

static int tear_down(void **state)
{
        struct world *w = *state;
        for (int i = 0; i < MANY; i++) {
                own_close(&w->pairs[i].ours);
                own_close(&w->pairs[i].theirs);
        }
        watcher_free(w->watcher);
        event_base_free(w->base);
        return 0;
}

static void turn(struct world *w)
{
        event_base_loop(w->base, EVLOOP_ONCE | EVLOOP_NONBLOCK);
}

static struct pair *connected(struct world *w, int i)
{
        struct pair *p = &w->pairs[i];
        int ends[2];
        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends),
                         0);
        p->ours = ends[0];
        p->theirs = ends[1];
        return p;
}

static struct pair *watched(struct world *w, int i)
{
        struct pair *p = connected(w, i);
        assert_true(watch_add(w->watcher, &p->watch, p->ours));
        return p;
}

static void say(struct pair *p)
{
        assert_int_equal(write(p->theirs, "x", 1), 1);
}

/* --- what is told ----------------------------------------------------------------------------- */

static void sends(struct pair *p)
{
        say(p);
}

static void ends(struct pair *p)
{
        assert_int_equal(shutdown(p->theirs, SHUT_WR), 0);
}

static void sends_and_ends(struct pair *p)
{
        say(p);
        ends(p);
}

/* A Unix socket is reset when its peer closes with octets unread. */
static void resets(struct pair *p)
{
        assert_int_equal(write(p->ours, "x", 1), 1);
        own_close(&p->theirs);
}

static void octets_ends_and_resets_are_told_apart(void **state)
{
        enum { ASKED = EPOLLIN | EPOLLRDHUP | EPOLLERR };
        static const struct {
                void (*peer)(struct pair *p);
                uint32_t what;
        } rows[] = {
                { sends, EPOLLIN },
                { ends, EPOLLIN | EPOLLRDHUP },
                { sends_and_ends, EPOLLIN | EPOLLRDHUP },
                { resets, EPOLLIN | EPOLLRDHUP | EPOLLERR },
        };
        struct world *w = *state;
        for (int i = 0; i < (int)(sizeof rows / sizeof *rows); i++) {
                struct pair *p = watched(w, i);
                turn(w);
                assert_int_equal(p->what & ASKED, 0);
                rows[i].peer(p);
                turn(w);
                assert_int_equal(p->what & ASKED, rows[i].what);
        }
}

static void what_is_so_already_is_told(void **state)
{
        struct world *w = *state;
        struct pair *p = connected(w, 0);
        say(p);
        assert_true(watch_add(w->watcher, &p->watch, p->ours));
        turn(w);
        assert_int_equal(p->told, 1);
        assert_int_equal(p->what, EPOLLIN | EPOLLOUT);
}

static void it_is_told_once_each_time(void **state)
{
        struct world *w = *state;
        struct pair *p = watched(w, 0);
        turn(w);
        assert_int_equal(p->told, 1); /* that it is writable */
        for (int i = 0; i < 3; i++) {
                say(p);
                turn(w);
                assert_int_equal(p->told, 2 + i);
                turn(w); /* the octets are still there */
                assert_int_equal(p->told, 2 + i);
        }
}

static void more_than_a_batch_is_told_in_several_turns(void **state)
{
        struct world *w = *state;
        for (int i = 0; i < MANY; i++)
                watched(w, i);
        turn(w);
        assert_in_range(w->told, 1, MANY - 1);
        turn(w);
        assert_int_equal(w->told, MANY);
        for (int i = 0; i < MANY; i++)
                assert_int_equal(w->pairs[i].told, 1);
}

/* --- to whom no more -------------------------------------------------------------------------- */

static void who_is_told_may_go(void **state)
{
        struct world *w = *state;
        struct pair *p = watched(w, 0);
        p->leaves = true;
        turn(w);
        assert_int_equal(p->told, 1);
        assert_int_equal(send(p->theirs, "x", 1, MSG_NOSIGNAL), -1);
        turn(w);
        assert_int_equal(p->told, 1);
}

/* Both are in the same batch: whoever comes first takes the other away. */
static void who_is_told_may_take_another_away(void **state)
{
        struct world *w = *state;
        struct pair *a = watched(w, 0), *b = watched(w, 1);
        a->removes = b;
        b->removes = a;
        turn(w);
        assert_int_equal(w->told, 1);
        turn(w);
        assert_int_equal(w->told, 1);
}

static void who_is_not_closed_can_go_too(void **state)
{
        struct world *w = *state;
        struct pair *p = watched(w, 0);
        watch_remove(w->watcher, &p->watch, p->ours);
        say(p);
        turn(w);
        assert_int_equal(p->told, 0);
        assert_true(watch_add(w->watcher, &p->watch, p->ours));
        turn(w);
        assert_int_equal(p->told, 1);
}

static void what_cannot_be_watched_is_said(void **state)
{
        struct world *w = *state;
        struct pair *p = watched(w, 0);
        assert_false(watch_add(w->watcher, &p->watch, p->ours)); /* twice */
        assert_false(watch_add(w->watcher, &p->watch, -1));
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
        const struct CMUnitTest tests[] = {
                TEST(octets_ends_and_resets_are_told_apart),
                TEST(what_is_so_already_is_told),
                TEST(it_is_told_once_each_time),
                TEST(more_than_a_batch_is_told_in_several_turns),
                TEST(who_is_told_may_go),
                TEST(who_is_told_may_take_another_away),
                TEST(who_is_not_closed_can_go_too),
                TEST(what_cannot_be_watched_is_said),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
