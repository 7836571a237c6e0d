/* SPDX-License-Identifier: ISC */
/* Files that change in the ways that files are changed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>
#include <event2/event.h>

#include "base/clock.h"
#include "base/own.h"
#include "base/text.h"
#include "control/renewal.h"

enum { LONG_MS = 30000, SHORT_MS = 1300 };

struct fixture {
        char dir[64];
        struct event_base *base;
        struct renewal *watch;
        struct config *conf;
        unsigned told;
};

static const char *in(const struct fixture *f, const char *name)
{
        static char paths[4][128];
        static unsigned next;
        char *path = paths[next++ % 4];
        snprintf(path, sizeof paths[0], "%s/%s", f->dir, name);
        return path;
}

static void put(const struct fixture *f, const char *name, const char *text)
{
        FILE *to = fopen(in(f, name), "w");
        assert_non_null(to);
        fputs(text, to);
        assert_int_equal(fclose(to), 0);
}

static void on_changed(void *arg)
{
        struct fixture *f = arg;
        f->told++;
        event_base_loopbreak(f->base);
}

/* Watches the file "c" in a directory of its own. */
static int set_up(void **state)
{
        struct fixture *f = calloc(1, sizeof *f);
        snprintf(f->dir, sizeof f->dir, "/tmp/spliced-renewal-XXXXXX");
        assert_non_null(mkdtemp(f->dir));
        char text[512];
        snprintf(text, sizeof text,
                 "services: { a: { listen = \"*:1\"; connect = \"echo\"\n"
                 "listen-tls: { certificate = \"%s/c\" } }\n"
                 "b: { listen = \"*:2\"; connect = \"h:1\"; connect-tls: { ca = \"%s/c\" } } }",
                 f->dir, f->dir);
        struct diag *diag = diag_new();
        f->conf = config_read_text(text, "t", diag);
        assert_non_null(f->conf);
        diag_free(diag);
        f->base = event_base_new();
        f->watch = renewal_new(f->base, on_changed, f);
        assert_non_null(f->watch);
        *state = f;
        return 0;
}

static int tear_down(void **state)
{
        struct fixture *f = *state;
        char command[128];
        renewal_free(f->watch);
        event_base_free(f->base);
        config_free(f->conf);
        snprintf(command, sizeof command, "rm -r %s", f->dir);
        free(f);
        return system(command);
}

static unsigned told_within(struct fixture *f, int64_t ms)
{
        struct timeval in_time = clock_timeval(ms);
        f->told = 0;
        event_base_loopexit(f->base, &in_time);
        event_base_dispatch(f->base);
        return f->told;
}

/* As if it had been read a moment ago, and written long before. */
static void begin(struct fixture *f)
{
        struct timespec a_moment = { .tv_nsec = 50 * 1000 * 1000 };
        nanosleep(&a_moment, NULL);
        renewal_watch(f->watch, f->conf, clock_wall_us());
}

static void a_file_written_anew(void **state)
{
        struct fixture *f = *state;
        put(f, "c", "one");
        begin(f);
        put(f, "c", "two");
        assert_int_equal(told_within(f, LONG_MS), 1);
        put(f, "c", "three");
        assert_int_equal(told_within(f, LONG_MS), 1);
}

static void a_file_put_in_its_place(void **state)
{
        struct fixture *f = *state;
        put(f, "c", "one");
        begin(f);
        put(f, "new", "one");
        assert_int_equal(rename(in(f, "new"), in(f, "c")), 0);
        assert_int_equal(told_within(f, LONG_MS), 1);
}

/* As Kubernetes mounts secrets: c → now/c, now → a directory. */
static void a_directory_put_in_its_place(void **state)
{
        struct fixture *f = *state;
        assert_int_equal(mkdir(in(f, "1"), 0700) | mkdir(in(f, "2"), 0700), 0);
        put(f, "1/c", "one");
        put(f, "2/c", "two");
        assert_int_equal(symlink("1", in(f, "now")) | symlink("now/c", in(f, "c")), 0);
        begin(f);
        assert_int_equal(symlink("2", in(f, "next")), 0);
        assert_int_equal(rename(in(f, "next"), in(f, "now")), 0);
        assert_int_equal(told_within(f, LONG_MS), 1);
}

static void a_file_that_goes_and_comes_back(void **state)
{
        struct fixture *f = *state;
        put(f, "c", "one");
        begin(f);
        unlink(in(f, "c"));
        assert_int_equal(told_within(f, LONG_MS), 1);
        put(f, "c", "two");
        assert_int_equal(told_within(f, LONG_MS), 1);
}

static void a_change_while_it_was_being_read(void **state)
{
        struct fixture *f = *state;
        int64_t read_us = clock_wall_us();
        put(f, "c", "one");
        renewal_watch(f->watch, f->conf, read_us);
        assert_int_equal(told_within(f, LONG_MS), 1);
        assert_int_equal(told_within(f, SHORT_MS), 0);
}

static void others_in_the_directory_are_nobodys_business(void **state)
{
        struct fixture *f = *state;
        put(f, "c", "one");
        begin(f);
        put(f, "other", "two");
        assert_int_equal(told_within(f, SHORT_MS), 0);
}

static void several_changes_are_told_once(void **state)
{
        struct fixture *f = *state;
        put(f, "c", "one");
        begin(f);
        for (int i = 0; i < 5; i++)
                put(f, "c", "two");
        assert_int_equal(told_within(f, LONG_MS), 1);
        assert_int_equal(told_within(f, SHORT_MS), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
        const struct CMUnitTest tests[] = {
                TEST(a_file_written_anew),
                TEST(a_file_put_in_its_place),
                TEST(a_directory_put_in_its_place),
                TEST(a_file_that_goes_and_comes_back),
                TEST(a_change_while_it_was_being_read),
                TEST(others_in_the_directory_are_nobodys_business),
                TEST(several_changes_are_told_once),
        };
        return cmocka_run_group_tests_name("control/renewal", tests, NULL, NULL);
}
