/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/log.h"
#include "base/own.h"
#include "base/text.h"

/* A directory of our own for each test, and a log in it. */
struct place {
        char dir[64];
        char log[96], rotated[96];
};

static int make_place(void **state)
{
        struct place *p = calloc(1, sizeof *p);
        snprintf(p->dir, sizeof p->dir, "/tmp/spliced-log-XXXXXX");
        if (p == NULL || mkdtemp(p->dir) == NULL)
                return -1;
        snprintf(p->log, sizeof p->log, "%s/log", p->dir);
        snprintf(p->rotated, sizeof p->rotated, "%s/log.1", p->dir);
        *state = p;
        return 0;
}

static int leave_place(void **state)
{
        struct place *p = *state;
        log_close();
        log_set_level(LOG_LEVEL_INFO);
        unlink(p->log);
        unlink(p->rotated);
        int gone = rmdir(p->dir);
        free(p);
        return gone;
}

/* What is in the file; owned by the caller. */
static char *content(const char *path)
{
        struct text t = { 0 };
        char buf[4096];
        OWN_FD int fd = open(path, O_RDONLY | O_CLOEXEC);
        assert_true(fd >= 0);
        ssize_t n;
        while ((n = read(fd, buf, sizeof buf)) > 0)
                text_addn(&t, buf, (size_t)n);
        return text_take(&t);
}

/* The message of a line, without `2026-01-31T23:59:59.123Z level    `. */
static const char *after_head(const char *line, const char *level)
{
        static const char form[] = "dddd-dd-ddTdd:dd:dd.dddZ ";
        for (size_t i = 0; i < sizeof form - 1; i++) {
                if (form[i] == 'd')
                        assert_in_range(line[i], '0', '9');
                else
                        assert_int_equal(line[i], form[i]);
        }
        line += sizeof form - 1;
        char padded[16];
        snprintf(padded, sizeof padded, "%-7s  ", level);
        assert_memory_equal(line, padded, 9);
        return line + 9;
}

static void a_line_has_time_level_and_text(void **state)
{
        struct place *p = *state;
        assert_null(log_open(p->log, LOG_LEVEL_DEBUG));
        static const char *const names[] = { "error", "warning", "notice", "info", "debug" };
        for (int level = LOG_LEVEL_ERROR; level <= LOG_LEVEL_DEBUG; level++) {
                assert_int_equal(truncate(p->log, 0), 0);
                log_line((enum log_level)level, "%s %d", "text", level);
                OWN_FREE char *said = content(p->log);
                char want[16];
                snprintf(want, sizeof want, "text %d\n", level);
                assert_string_equal(after_head(said, names[level]), want);
        }
        struct stat st;
        assert_int_equal(stat(p->log, &st), 0);
        assert_int_equal(st.st_mode & 0137, 0); /* at most rw-r----- */
}

static void what_is_below_the_level_is_not_written(void **state)
{
        struct place *p = *state;
        assert_null(log_open(p->log, LOG_LEVEL_WARNING));
        assert_true(log_enabled(LOG_LEVEL_WARNING));
        assert_false(log_enabled(LOG_LEVEL_NOTICE));
        log_notice("no");
        log_debug("no");
        log_record(LOG_LEVEL_INFO, "no", "no", NULL, 0);
        log_set_level(LOG_LEVEL_NOTICE);
        log_notice("yes");
        OWN_FREE char *said = content(p->log);
        assert_string_equal(after_head(said, "notice"), "yes\n");
}

static void errno_is_kept_and_can_be_told(void **state)
{
        struct place *p = *state;
        assert_null(log_open(p->log, LOG_LEVEL_INFO));
        errno = ENOTDIR;
        log_info("%m");
        assert_int_equal(errno, ENOTDIR);
        log_record(LOG_LEVEL_INFO, "record", "", NULL, 0);
        assert_int_equal(errno, ENOTDIR);
        OWN_FREE char *said = content(p->log);
        assert_string_equal(after_head(said, "info"), "Not a directory\nrecord\n");
}

static void nobody_forges_a_line(void **state)
{
        struct place *p = *state;
        assert_null(log_open(p->log, LOG_LEVEL_INFO));
        log_info("SNI \"%s\"", "a\n2026-01-01T00:00:00.000Z error    \x1b[2Jx\xff");
        OWN_FREE char *said = content(p->log);
        assert_string_equal(after_head(said, "info"),
                            "SNI \"a\\x0a2026-01-01T00:00:00.000Z error    \\x1b[2Jx\\xff\"\n");
}

static void a_record_goes_out_as_it_is(void **state)
{
        struct place *p = *state;
        assert_null(log_open(p->log, LOG_LEVEL_INFO));
        log_record(LOG_LEVEL_INFO, "{\"id\":1}", "message", NULL, 0);
        OWN_FREE char *said = content(p->log);
        assert_string_equal(said, "{\"id\":1}\n");
}

static void a_long_line_is_whole(void **state)
{
        struct place *p = *state;
        assert_null(log_open(p->log, LOG_LEVEL_INFO));
        OWN_FREE char *line = malloc(300001);
        memset(line, 'x', 300000);
        line[300000] = '\0';
        log_info("%s", line);
        OWN_FREE char *said = content(p->log);
        const char *text = after_head(said, "info");
        assert_int_equal(strlen(text), 300001);
        assert_memory_equal(text, line, 300000);
}

static void after_a_rotation_lines_go_to_the_new_file(void **state)
{
        struct place *p = *state;
        assert_null(log_open(p->log, LOG_LEVEL_INFO));
        log_info("one");
        assert_int_equal(rename(p->log, p->rotated), 0);
        log_info("two");
        assert_null(log_reopen());
        log_info("three");
        OWN_FREE char *old = content(p->rotated);
        OWN_FREE char *new = content(p->log);
        assert_non_null(strstr(old, "two\n"));
        assert_string_equal(after_head(new, "info"), "three\n");
}

enum { WRITERS = 3, LINES = 4000 };

static atomic_int writers_left;

static void *write_lines(void *arg)
{
        for (int i = 0; i < LINES; i++)
                log_info("writer %d line %d", (int)(intptr_t)arg, i);
        atomic_fetch_sub(&writers_left, 1);
        return NULL;
}

/* Count the lines of a file; each must be whole and its writer's next. */
static int count_whole(const char *path, int next[static WRITERS])
{
        int lines = 0;
        OWN_FREE char *all = content(path);
        char *rest = all, *line;
        while ((line = strsep(&rest, "\n")) != NULL && *line != '\0') {
                int who, which, end = 0;
                const char *said = after_head(line, "info");
                assert_int_equal(sscanf(said, "writer %d line %d%n", &who, &which, &end), 2);
                assert_int_equal(said[end], '\0');
                assert_in_range(who, 0, WRITERS - 1);
                assert_int_equal(which, next[who]);
                next[who]++;
                lines++;
        }
        return lines;
}

static void no_line_is_lost_or_mixed_while_files_are_exchanged(void **state)
{
        struct place *p = *state;
        pthread_t threads[WRITERS];
        int next[WRITERS] = { 0 }, lines = 0, rotations = 0;
        assert_null(log_open(p->log, LOG_LEVEL_INFO));
        atomic_store(&writers_left, WRITERS);
        for (intptr_t i = 0; i < WRITERS; i++)
                assert_int_equal(pthread_create(&threads[i], NULL, write_lines, (void *)i), 0);
        /* A writer's lines go to ever later files, never back: they can be counted on. */
        char names[64][160];
        for (int reopened = 0; atomic_load(&writers_left) > 0; reopened++) {
                if (reopened % 64 == 0 && rotations < 64) {
                        snprintf(names[rotations], sizeof names[0], "%s.%d", p->rotated, rotations);
                        assert_int_equal(rename(p->log, names[rotations++]), 0);
                }
                assert_null(log_reopen());
        }
        for (int i = 0; i < WRITERS; i++)
                pthread_join(threads[i], NULL);
        for (int i = 0; i < rotations; i++) {
                lines += count_whole(names[i], next);
                unlink(names[i]);
        }
        lines += count_whole(p->log, next);
        assert_int_equal(lines, WRITERS * LINES);
        assert_true(rotations > 0);
}

static void a_full_disk_is_owned_up_to_once(void **state)
{
        struct place *p = *state;
        assert_null(log_open("/dev/full", LOG_LEVEL_INFO));
        for (int i = 0; i < 3; i++)
                log_info("lost");
        assert_null(log_open(p->log, LOG_LEVEL_INFO));
        log_info("here");
        log_info("again");
        OWN_FREE char *said = content(p->log);
        const char *notice = after_head(said, "warning");
        static const char want[] =
                "3 lines could not be written to the log: No space left on device\n";
        assert_memory_equal(notice, want, sizeof want - 1);
        const char *here = after_head(notice + sizeof want - 1, "info");
        assert_memory_equal(here, "here\n", 5);
        assert_string_equal(after_head(here + 5, "info"), "again\n");
}

static void a_torn_line_does_not_swallow_the_next(void **state)
{
        struct place *p = *state;
        struct rlimit limit, before;
        assert_null(log_open(p->log, LOG_LEVEL_INFO));
        signal(SIGXFSZ, SIG_IGN);
        getrlimit(RLIMIT_FSIZE, &before);
        limit = (struct rlimit){ .rlim_cur = 50, .rlim_max = before.rlim_max };
        setrlimit(RLIMIT_FSIZE, &limit);
        log_info("0123456789012345678901234567890123456789");
        setrlimit(RLIMIT_FSIZE, &before);
        log_info("next");
        OWN_FREE char *said = content(p->log);
        char *line = strchr(said, '\n');
        assert_ptr_equal(line, said + 50);
        line = (char *)(uintptr_t)after_head(line + 1, "warning");
        assert_memory_equal(line, "1 line could not", 16);
        assert_string_equal(after_head(strchr(line, '\n') + 1, "info"), "next\n");
}

static void a_pipe_that_nobody_empties_does_not_stop_us(void **state)
{
        struct place *p = *state;
        assert_int_equal(mkfifo(p->log, 0600), 0);
        assert_non_null(strstr(log_open(p->log, LOG_LEVEL_INFO), "No such device")); /* no reader */
        OWN_FD int reader = open(p->log, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
        assert_null(log_open(p->log, LOG_LEVEL_INFO));
        char line[1001] = { 0 };
        memset(line, 'x', 1000);
        for (int i = 0; i < 200; i++) /* 200 KB into a pipe of 64 KB */
                log_info("%s", line);
        OWN_FREE char *buf = malloc(1 << 20);
        ssize_t n = read(reader, buf, 1 << 20);
        assert_in_range(n, 1, 1 << 17);
        log_info("after");
        n = read(reader, buf, (1 << 20) - 1);
        assert_true(n > 0);
        buf[n] = '\0';
        assert_non_null(strstr(buf, "lines could not be written to the log: Resource temp"));
        assert_non_null(strstr(buf, "after\n"));
}

struct slow_reader {
        int fd;
        size_t lines;
};

/* A line of 1,001 octets after the other, never faster than one a tenth of a millisecond. */
static void *read_slowly(void *arg)
{
        struct slow_reader *r = arg;
        char line[1001];
        while (read(r->fd, line, sizeof line) > 0) {
                r->lines++;
                usleep(100);
        }
        return NULL;
}

static void the_patient_lose_nothing_to_a_slow_reader(void **state)
{
        struct place *p = *state;
        pthread_t thread;
        char line[1001] = { 0 };
        memset(line, 'x', 1000);
        assert_int_equal(mkfifo(p->log, 0600), 0);
        OWN_FD int reader = open(p->log, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
        struct slow_reader r = { .fd = reader };
        assert_null(log_open(p->log, LOG_LEVEL_INFO));
        assert_int_equal(fcntl(reader, F_SETFL, 0), 0); /* it waits */
        log_be_patient();
        assert_int_equal(pthread_create(&thread, NULL, read_slowly, &r), 0);
        for (int i = 0; i < 500; i++)
                log_record(LOG_LEVEL_INFO, line, line, NULL, 0);
        log_close();
        pthread_join(thread, NULL);
        assert_int_equal(r.lines, 500);
}

static void patience_has_an_end(void **state)
{
        struct place *p = *state;
        char line[1001] = { 0 };
        memset(line, 'x', 1000);
        assert_int_equal(mkfifo(p->log, 0600), 0);
        OWN_FD int reader = open(p->log, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
        assert_null(log_open(p->log, LOG_LEVEL_INFO));
        log_be_patient();
        for (int i = 0; i < 200; i++) /* nobody reads: it waits once, and not for each of them */
                log_record(LOG_LEVEL_INFO, line, line, NULL, 0);
}

static void a_target_that_does_not_open_changes_nothing(void **state)
{
        struct place *p = *state;
        char missing[128];
        snprintf(missing, sizeof missing, "%s/no/such", p->dir);
        assert_null(log_open(p->log, LOG_LEVEL_NOTICE));
        assert_non_null(strstr(log_open(missing, LOG_LEVEL_DEBUG), "/no/such: No such file"));
        assert_non_null(strstr(log_open(p->dir, LOG_LEVEL_DEBUG), "directory"));
        assert_non_null(strstr(log_open("stdrr", LOG_LEVEL_DEBUG), "none of auto, stderr"));
        assert_false(log_enabled(LOG_LEVEL_INFO));
        log_notice("still here");
        assert_null(log_reopen());
        log_notice("and here");
        OWN_FREE char *said = content(p->log);
        assert_non_null(strstr(said, "still here\n"));
        assert_non_null(strstr(said, "and here\n"));
}

/* Standard error goes into the place's log while fn runs; fd is the one it goes to. */
static void with_stderr_in(const char *path, void (*fn)(int fd))
{
        OWN_FD int fd = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
        OWN_FD int saved = dup(STDERR_FILENO);
        assert_true(fd >= 0 && saved >= 0);
        dup2(fd, STDERR_FILENO);
        fn(fd);
        dup2(saved, STDERR_FILENO);
}

static void say_where(int fd)
{
        char name[64];
        struct stat st;
        fstat(fd, &st);
        log_warning("before any target");
        unsetenv("JOURNAL_STREAM");
        assert_null(log_open("stderr", LOG_LEVEL_INFO));
        log_warning("to a terminal");
        snprintf(name, sizeof name, "%ju:%ju", (uintmax_t)st.st_dev, (uintmax_t)st.st_ino);
        setenv("JOURNAL_STREAM", name, 1);
        assert_null(log_open("stderr", LOG_LEVEL_INFO));
        log_warning("to the journal");
        log_error("loud");
        setenv("JOURNAL_STREAM", "1:1", 1); /* inherited from somebody else */
        assert_null(log_open("auto", LOG_LEVEL_INFO));
        log_info("not the journal's");
        unsetenv("JOURNAL_STREAM");
}

static void stderr_has_priorities_where_the_journal_reads_it(void **state)
{
        struct place *p = *state;
        with_stderr_in(p->log, say_where);
        OWN_FREE char *said = content(p->log);
        char *rest = said;
        assert_string_equal(after_head(strsep(&rest, "\n"), "warning"), "before any target");
        assert_string_equal(after_head(strsep(&rest, "\n"), "warning"), "to a terminal");
        assert_string_equal(strsep(&rest, "\n"), "<4>to the journal");
        assert_string_equal(strsep(&rest, "\n"), "<3>loud");
        assert_string_equal(after_head(strsep(&rest, "\n"), "info"), "not the journal's");
        assert_string_equal(rest, "");
}

static void leave_the_file(int fd)
{
        (void)fd;
        assert_null(log_open("stderr", LOG_LEVEL_INFO));
        log_info("elsewhere");
        assert_null(log_reopen());
}

static void another_target_leaves_the_file_alone(void **state)
{
        struct place *p = *state;
        assert_null(log_open(p->log, LOG_LEVEL_INFO));
        with_stderr_in(p->rotated, leave_the_file);
        OWN_FREE char *file = content(p->log);
        OWN_FREE char *elsewhere = content(p->rotated);
        assert_string_equal(file, "");
        assert_string_equal(after_head(elsewhere, "info"), "elsewhere\n");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_place, leave_place)

int main(void)
{
        const struct CMUnitTest tests[] = {
                TEST(a_line_has_time_level_and_text),
                TEST(what_is_below_the_level_is_not_written),
                TEST(errno_is_kept_and_can_be_told),
                TEST(nobody_forges_a_line),
                TEST(a_record_goes_out_as_it_is),
                TEST(a_long_line_is_whole),
                TEST(after_a_rotation_lines_go_to_the_new_file),
                TEST(no_line_is_lost_or_mixed_while_files_are_exchanged),
                TEST(a_full_disk_is_owned_up_to_once),
                TEST(a_torn_line_does_not_swallow_the_next),
                TEST(a_pipe_that_nobody_empties_does_not_stop_us),
                TEST(the_patient_lose_nothing_to_a_slow_reader),
                TEST(patience_has_an_end),
                TEST(a_target_that_does_not_open_changes_nothing),
                TEST(stderr_has_priorities_where_the_journal_reads_it),
                TEST(another_target_leaves_the_file_alone),
        };
        alarm(120); /* a test that waits for ever fails */
        return cmocka_run_group_tests_name("base/log", tests, NULL, NULL);
}
