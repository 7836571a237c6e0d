/* SPDX-License-Identifier: ISC */
/* What a dial does when descriptors run out, and where TCP plays tricks. Each in a child process,
 * whose limits and network are its own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <cmocka.h>

#include <event2/event.h>

#include "base/own.h"
#include "dial_fixture.h"
#include "net/dial_socket.h"
#include "net_fixture.h"

/* A spare descriptor to be closed when others run out. */
struct reserve {
        int fd;
        bool willing;
        unsigned asked;
};

static int relieve(void *arg)
{
        struct reserve *r = arg;
        r->asked++;
        if (!r->willing)
                return -1;
        own_close(&r->fd);
        return 0;
}

static void use_up_descriptors(void)
{
        struct rlimit limit;
        assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
        limit.rlim_cur = 64;
        assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
        while (open("/dev/null", O_RDONLY | O_CLOEXEC) >= 0)
                ;
        assert_int_equal(errno, EMFILE);
}

struct lack {
        bool relief, willing;
        enum dial_outcome outcome;
        unsigned asked;
        size_t tried;
};

/* The first target refuses, the second accepts: relief must do for both. */
static void dial_without_descriptors(const void *arg)
{
        const struct lack *row = arg;
        struct net_fixture f;
        net_fixture_init(&f, NULL, 0);
        int open_fd = tcp_listener(4), refusing = tcp_refusing();
        struct targets t = { 0 };
        targets_add(&t, "127.0.0.1:%u", tcp_port(refusing));
        targets_add(&t, "127.0.0.1:%u", tcp_port(open_fd));
        struct reserve reserve = { .fd = open("/dev/null", O_RDONLY | O_CLOEXEC),
                                   .willing = row->willing };
        use_up_descriptors();
        const struct dial_settings settings = { .targets = t.list,
                                                .n_targets = t.n,
                                                .timeout_ms = 60000,
                                                .relief = row->relief ? relieve : NULL,
                                                .relief_arg = &reserve };
        struct outcome o = { 0 };
        assert_non_null(dial_start(f.io, f.resolver, &settings, outcome_set, &o));
        net_run_until(f.base, &o.done);
        assert_int_equal(o.result.outcome, row->outcome);
        assert_int_equal(attempts_count(o.result.attempts), row->tried);
        assert_int_equal(reserve.asked, row->asked);
        if (row->outcome == DIAL_NO_RESOURCE) {
                assert_int_equal(attempt_at(o.result.attempts, 0)->error, EMFILE);
                assert_string_equal(dial_attempt_text(attempt_at(o.result.attempts, 0)),
                                    "Too many open files");
        }
        outcome_fini(&o);
        targets_fini(&t);
        net_fixture_fini(&f);
}

enum { CHILD_SKIPS = 77 };

/* Returns the exit status of fn run in a child; a failed check there ends it with another. */
static int in_child(void (*fn)(const void *), const void *arg)
{
        pid_t pid = fork();
        assert_true(pid >= 0);
        if (pid == 0) {
                fn(arg);
                _exit(0);
        }
        int status;
        assert_int_equal(waitpid(pid, &status, 0), pid);
        return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static void running_out_of_descriptors_is_told_or_relieved(void **state)
{
        (void)state;
        static const struct lack table[] = {
                { .relief = false, .outcome = DIAL_NO_RESOURCE, .asked = 0, .tried = 1 },
                { .relief = true,
                  .willing = false,
                  .outcome = DIAL_NO_RESOURCE,
                  .asked = 1,
                  .tried = 1 },
                { .relief = true,
                  .willing = true,
                  .outcome = DIAL_CONNECTED,
                  .asked = 1,
                  .tried = 2 },
        };
        for (size_t i = 0; i < COUNTOF(table); i++)
                assert_int_equal(in_child(dial_without_descriptors, &table[i]), 0);
}

static void write_file(const char *path, const char *text)
{
        OWN_FD int fd = open(path, O_WRONLY | O_CLOEXEC);
        if (fd < 0 || write(fd, text, strlen(text)) < 0)
                _exit(CHILD_SKIPS);
}

/* A network in which every connecting socket gets the one port p. */
static void one_port_network(unsigned p)
{
        if (unshare(CLONE_NEWNET) != 0 && unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0)
                _exit(CHILD_SKIPS);
        OWN_FD int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        struct ifreq lo = { .ifr_name = "lo", .ifr_flags = IFF_UP };
        if (fd < 0 || ioctl(fd, SIOCSIFFLAGS, &lo) != 0)
                _exit(CHILD_SKIPS);
        char range[32];
        snprintf(range, sizeof range, "%u %u", p, p);
        write_file("/proc/sys/net/ipv4/ip_local_port_range", range);
}

static void dial_oneself(const void *arg)
{
        (void)arg;
        one_port_network(40000);
        struct net_fixture f;
        net_fixture_init(&f, NULL, 0);
        struct targets t = { 0 };
        targets_add(&t, "127.0.0.1:40000");
        const struct dial_settings settings = { .targets = t.list,
                                                .n_targets = t.n,
                                                .timeout_ms = 60000 };
        struct outcome o = { 0 };
        assert_non_null(dial_start(f.io, f.resolver, &settings, outcome_set, &o));
        net_run_until(f.base, &o.done);
        assert_int_equal(o.result.outcome, DIAL_REFUSED);
        assert_int_equal(attempts_count(o.result.attempts), 1);
        assert_int_equal(attempt_at(o.result.attempts, 0)->error, ECONNREFUSED);
        assert_string_equal(dial_attempt_text(attempt_at(o.result.attempts, 0)),
                            "Connection refused (the socket had met itself)");
        outcome_fini(&o);
        targets_fini(&t);
        net_fixture_fini(&f);
}

static void a_socket_that_meets_itself_is_refused(void **state)
{
        (void)state;
        int status = in_child(dial_oneself, NULL);
        if (status == CHILD_SKIPS)
                skip();
        assert_int_equal(status, 0);
}

static void meeting_oneself_is_told_from_meeting_others(void **state)
{
        (void)state;
        OWN_FD int self = tcp_refusing(), other = tcp_listener(4);
        struct sockaddress to_self = { .len = sizeof to_self.storage },
                           to_other = { .len = sizeof to_other.storage };
        assert_int_equal(getsockname(self, &to_self.sa, &to_self.len), 0);
        assert_int_equal(getsockname(other, &to_other.sa, &to_other.len), 0);
        assert_int_equal(connect(self, &to_self.sa, to_self.len), 0);
        assert_true(dial_socket_met_itself(self, &to_self));

        OWN_FD int client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        assert_int_equal(connect(client, &to_other.sa, to_other.len), 0);
        assert_false(dial_socket_met_itself(client, &to_other));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(running_out_of_descriptors_is_told_or_relieved),
                cmocka_unit_test(a_socket_that_meets_itself_is_refused),
                cmocka_unit_test(meeting_oneself_is_told_from_meeting_others),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
