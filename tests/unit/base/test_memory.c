/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <malloc.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <event2/event.h>

#include "base/clock.h"
#include "base/memory.h"
#include "base/own.h"

enum { MB = 1024 * 1024, PIECE = 8 * 1024 };

static unsigned given_back;

static void count(void)
{
        given_back++;
}

struct fixture {
        struct event_base *base;
        struct memory_tide *tide;
};

static struct fixture f;

static int set_up(void **state)
{
        (void)state;
        given_back = 0;
        f.base = event_base_new();
        assert_non_null(f.base);
        f.tide = memory_tide_new(f.base, count);
        assert_non_null(f.tide);
        return 0;
}

static int tear_down(void **state)
{
        (void)state;
        memory_tide_free(f.tide);
        event_base_free(f.base);
        return 0;
}

static void until_given_back(void)
{
        for (int64_t began = clock_ms(); given_back == 0;) {
                assert_true(clock_ms() - began < 60000);
                event_base_loop(f.base, EVLOOP_ONCE);
        }
        assert_int_equal(given_back, 1);
}

/* No timer runs: the loop has nothing to wait for. */
static bool is_at_rest(void)
{
        return event_base_loop(f.base, EVLOOP_ONCE) == 1;
}

static void little_is_not_worth_it(void **state)
{
        (void)state;
        memory_took(f.tide, MB);
        memory_freed(f.tide, MB);
        memory_passed(f.tide, MB);
        assert_true(is_at_rest());
        assert_int_equal(given_back, 0);
        memory_took(NULL, MB);
        memory_freed(NULL, 100 * MB);
        memory_passed(NULL, 100 * MB);
        memory_tide_free(NULL);
}

static void it_is_given_back_once_and_again_for_the_next_crowd(void **state)
{
        (void)state;
        for (int crowd = 0; crowd < 2; crowd++) {
                given_back = 0;
                for (int i = 0; i < 100; i++)
                        memory_passed(f.tide, MB);
                until_given_back();
                assert_true(is_at_rest());
        }
}

struct coming {
        struct event *event;
        int64_t until_ms;
};

static void come_and_go(evutil_socket_t fd, short what, void *arg)
{
        (void)fd;
        (void)what;
        struct coming *c = arg;
        assert_int_equal(given_back, 0);
        memory_passed(f.tide, MB);
        if (clock_ms() > c->until_ms)
                event_del(c->event);
}

static void nothing_is_given_back_while_they_come_and_go(void **state)
{
        (void)state;
        struct coming c = { .until_ms = clock_ms() + 2500 };
        c.event = event_new(f.base, -1, EV_PERSIST, come_and_go, &c);
        event_add(c.event, &(struct timeval){ .tv_usec = 20000 });
        until_given_back();
        assert_false(event_pending(c.event, EV_TIMEOUT, NULL));
        event_free(c.event);
}

static size_t resident(void)
{
        size_t size, pages;
        FILE *statm = fopen("/proc/self/statm", "re");
        assert_non_null(statm);
        assert_int_equal(fscanf(statm, "%zu %zu", &size, &pages), 2);
        fclose(statm);
        return pages * (size_t)sysconf(_SC_PAGESIZE);
}

/* So many octets in pieces, all of them touched. */
static char **crowd_new(size_t n)
{
        char **pieces = calloc(n, sizeof *pieces);
        assert_non_null(pieces);
        for (size_t i = 0; i < n; i++) {
                pieces[i] = malloc(PIECE);
                assert_non_null(pieces[i]);
                memset(pieces[i], 0x55, PIECE);
        }
        return pieces;
}

/* One who came last and stays keeps the top of the heap where it is. */
static void what_a_crowd_had_goes_back_to_the_system(void **state)
{
        (void)state;
        enum { N = 64 * MB / PIECE };
        if (mallinfo2().uordblks == 0)
                skip(); /* a sanitizer's, or a debugger's */
        memory_took(f.tide, (size_t)N * PIECE);
        char **crowd = crowd_new(N);
        OWN_FREE char *stays = malloc(100);
        size_t before = resident();
        for (size_t i = 0; i < N; i++)
                free(crowd[i]);
        free(crowd);
        memory_freed(f.tide, (size_t)N * PIECE);
        until_given_back();
        assert_in_range(before - resident(), 56 * MB, 72 * MB);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
        const struct CMUnitTest tests[] = {
                TEST(little_is_not_worth_it),
                TEST(it_is_given_back_once_and_again_for_the_next_crowd),
                TEST(nothing_is_given_back_while_they_come_and_go),
                TEST(what_a_crowd_had_goes_back_to_the_system),
        };
        memory_init();
        return cmocka_run_group_tests_name("base/memory", tests, NULL, NULL);
}
