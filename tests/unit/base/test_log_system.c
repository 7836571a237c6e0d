/* SPDX-License-Identifier: ISC */
/* The journal and syslog: their sockets in a mount namespace of our own, with us behind them. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/log.h"
#include "base/own.h"

enum { SKIPPED = 77 };

/* A test in a child: returns 0, the line that was not true, or SKIPPED. */
typedef int namespace_fn(void);

#define CHECK(condition)                                                                 \
        do {                                                                             \
                if (!(condition)) {                                                      \
                        printf("%s:%d: not true: %s\n", __FILE__, __LINE__, #condition); \
                        fflush(stdout);                                                  \
                        return 1;                                                        \
                }                                                                        \
        } while (0)

static bool write_to(const char *path, const char *text)
{
        OWN_FD int fd = open(path, O_WRONLY | O_CLOEXEC);
        return fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);
}

static bool map_to_root(const char *path, unsigned id)
{
        char map[64];
        snprintf(map, sizeof map, "0 %u 1", id);
        return write_to(path, map);
}

/* Our own mounts, and root enough to make them. */
static bool enter_namespace(void)
{
        unsigned uid = getuid(), gid = getgid();
        return unshare(CLONE_NEWUSER | CLONE_NEWNS) == 0 &&
               write_to("/proc/self/setgroups", "deny") && map_to_root("/proc/self/uid_map", uid) &&
               map_to_root("/proc/self/gid_map", gid);
}

static void in_namespace(namespace_fn *fn)
{
        pid_t child = fork();
        if (child == 0)
                _exit(enter_namespace() ? fn() : SKIPPED);
        int status;
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_true(WIFEXITED(status));
        if (WEXITSTATUS(status) == SKIPPED)
                skip();
        assert_int_equal(WEXITSTATUS(status), 0);
}

static bool empty_directory(const char *path)
{
        return mount("none", path, "tmpfs", 0, "") == 0;
}

static int receiver(const char *path)
{
        struct sockaddr_un a = { .sun_family = AF_UNIX };
        strcpy(a.sun_path, path);
        int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        return fd >= 0 && bind(fd, (struct sockaddr *)&a, sizeof a) == 0 ? fd : -1;
}

/* The next datagram as a string; false when there is none. */
static bool receive(int fd, char buf[static 4096])
{
        ssize_t n = recv(fd, buf, 4095, 0);
        buf[n > 0 ? n : 0] = '\0';
        return n > 0;
}

static int journal_receiver(void)
{
        if (!empty_directory("/run") || mkdir("/run/systemd", 0755) < 0 ||
            mkdir("/run/systemd/journal", 0755) < 0)
                return -1;
        return receiver("/run/systemd/journal/socket");
}

/* A message has the field, on a line of its own. */
static bool has(const char *message, const char *field)
{
        char line[256];
        snprintf(line, sizeof line, "\n%s\n", field);
        size_t n = strlen(field);
        return (strncmp(message, field, n) == 0 && message[n] == '\n') ||
               strstr(message, line) != NULL;
}

static int without_a_journal(void)
{
        if (!empty_directory("/run"))
                return SKIPPED;
        const char *why = log_open("journal", LOG_LEVEL_DEBUG);
        CHECK(why != NULL);
#ifdef HAVE_SYSTEMD
        CHECK(strstr(why, "no journal listens") != NULL);
#else
        CHECK(strstr(why, "without libsystemd") != NULL);
#endif
        CHECK(!log_enabled(LOG_LEVEL_DEBUG));
        return 0;
}

static int without_syslog(void)
{
        if (!empty_directory("/dev"))
                return SKIPPED;
        const char *why = log_open("syslog", LOG_LEVEL_DEBUG);
        CHECK(why != NULL && strstr(why, "/dev/log") != NULL);
        return 0;
}

static int fields_of_a_record(void)
{
        char got[4096];
        static const struct log_field fields[] = {
                { "SPLICED_REASON", "end" },
                { "SPLICED_SNI", "a=b" },
                { "SPLICED_EMPTY", "" },
        };
        OWN_FD int fd = journal_receiver();
        if (fd < 0)
                return SKIPPED;
        CHECK(log_open("journal", LOG_LEVEL_INFO) == NULL);
        log_record(LOG_LEVEL_INFO, "{\"id\":1}", "web: end", fields, COUNTOF(fields));
        CHECK(receive(fd, got));
        CHECK(has(got, "MESSAGE=web: end"));
        CHECK(has(got, "PRIORITY=6"));
        CHECK(has(got, "SYSLOG_IDENTIFIER=spliced"));
        CHECK(has(got, "SPLICED_REASON=end"));
        CHECK(has(got, "SPLICED_SNI=a=b"));
        CHECK(has(got, "SPLICED_EMPTY="));
        CHECK(strstr(got, "{\"id\":1}") == NULL);
        CHECK(strstr(got, "CODE_FILE") == NULL);
        log_warning("a\nMESSAGE=b");
        CHECK(receive(fd, got));
        CHECK(has(got, "MESSAGE=a\\x0aMESSAGE=b"));
        CHECK(has(got, "PRIORITY=4"));
        log_debug("below");
        CHECK(!receive(fd, got));
        return 0;
}

static int auto_where_the_journal_reads_stderr(void)
{
        char got[4096], name[64];
        struct stat st;
        OWN_FD int fd = journal_receiver();
        if (fd < 0)
                return SKIPPED;
        CHECK(fstat(STDERR_FILENO, &st) == 0);
        snprintf(name, sizeof name, "%ju:%ju", (uintmax_t)st.st_dev, (uintmax_t)st.st_ino);
        setenv("JOURNAL_STREAM", name, 1);
        CHECK(log_open("auto", LOG_LEVEL_INFO) == NULL);
        log_info("native");
        CHECK(receive(fd, got));
        CHECK(has(got, "MESSAGE=native"));
        return 0;
}

static int auto_elsewhere(void)
{
        char got[4096];
        OWN_FD int fd = journal_receiver();
        OWN_FD int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
        if (fd < 0)
                return SKIPPED;
        dup2(null, STDERR_FILENO);
        unsetenv("JOURNAL_STREAM");
        CHECK(log_open("auto", LOG_LEVEL_INFO) == NULL);
        log_info("to standard error");
        CHECK(!receive(fd, got));
        return 0;
}

static int lines_of_syslog(void)
{
        char got[4096];
        if (!empty_directory("/dev"))
                return SKIPPED;
        OWN_FD int fd = receiver("/dev/log");
        CHECK(fd >= 0);
        CHECK(log_open("syslog", LOG_LEVEL_INFO) == NULL);
        log_error("one\ntwo %d", 3);
        CHECK(receive(fd, got));
        CHECK(strncmp(got, "<27>", 4) == 0); /* daemon.err */
        CHECK(strstr(got, "spliced[") != NULL);
        CHECK(strstr(got, "]: one\\x0atwo 3") != NULL);
        log_record(LOG_LEVEL_INFO, "{\"id\":\"100%s\"}", "message", NULL, 0);
        CHECK(receive(fd, got));
        CHECK(strncmp(got, "<30>", 4) == 0);
        CHECK(strstr(got, "]: {\"id\":\"100%s\"}") != NULL);
        return 0;
}

static void a_journal_that_is_not_there_is_an_error(void **state)
{
        (void)state;
        in_namespace(without_a_journal);
}

static void a_syslog_that_is_not_there_is_an_error(void **state)
{
        (void)state;
        in_namespace(without_syslog);
}

static void syslog_gets_every_line_with_its_priority(void **state)
{
        (void)state;
        in_namespace(lines_of_syslog);
}

static void auto_is_stderr_where_the_journal_does_not_read_it(void **state)
{
        (void)state;
        in_namespace(auto_elsewhere);
}

#ifdef HAVE_SYSTEMD
static void the_journal_gets_a_record_as_fields(void **state)
{
        (void)state;
        in_namespace(fields_of_a_record);
}

static void auto_is_the_journal_where_it_reads_stderr(void **state)
{
        (void)state;
        in_namespace(auto_where_the_journal_reads_stderr);
}
#endif

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_journal_that_is_not_there_is_an_error),
                cmocka_unit_test(a_syslog_that_is_not_there_is_an_error),
                cmocka_unit_test(syslog_gets_every_line_with_its_priority),
                cmocka_unit_test(auto_is_stderr_where_the_journal_does_not_read_it),
#ifdef HAVE_SYSTEMD
                cmocka_unit_test(the_journal_gets_a_record_as_fields),
                cmocka_unit_test(auto_is_the_journal_where_it_reads_stderr),
#endif
        };
        alarm(120); /* a test that waits for ever fails */
        return cmocka_run_group_tests_name("base/log_system", tests, NULL, NULL);
}
