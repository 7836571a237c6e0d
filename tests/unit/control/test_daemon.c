/* SPDX-License-Identifier: ISC */
/* The daemon in a child: told to stop, in every way there is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "../conn/records.h"
#include "../snapshot/made.h"
#include "base/clock.h"
#include "base/own.h"
#include "base/text.h"
#include "control/daemon.h"

struct fixture {
        pid_t pid;
        struct sockaddress address;
        struct text log; /* all of it */
};

/* settings: global ones. */
static void open_fixture(struct fixture *f, const char *settings)
{
        *f = (struct fixture){ 0 };
        records_open();
        struct snapshot *s = must_make("workers = 2; %s\n"
                                       "services: { a: { listen = \"127.0.0.1:0\"\n"
                                       "                 connect = \"echo\" } }",
                                       settings);
        f->address = s->services[0]->socks[0]->address;
        f->pid = fork();
        assert_true(f->pid >= 0);
        if (f->pid == 0) {
                prctl(PR_SET_PDEATHSIG, SIGKILL); /* it does not outlive a test that failed */
                int status = daemon_run(
                        s, &(struct daemon_start){ .given = &(struct given){ .text = "" },
                                                   .launcher = -1 });
                records_close();
                _exit(status);
        }
        snapshot_unref(s);
}

static bool logged(struct fixture *f, const char *part)
{
        OWN_FREE char *more = records_raw();
        text_add(&f->log, more);
        return strstr(text_str(&f->log), part) != NULL;
}

#define UNTIL(f, condition)                                                                 \
        do {                                                                                \
                for (int64_t began_ = clock_ms(); !(condition);) {                          \
                        if (clock_ms() - began_ > 30000)                                    \
                                fail_msg("never: %s\n%s", #condition, text_str(&(f)->log)); \
                        poll(NULL, 0, 1);                                                   \
                }                                                                           \
        } while (0)

/* Its exit status, once it has ended by itself. */
static void ends_with(struct fixture *f, int wanted)
{
        int status = -1;
        UNTIL(f, waitpid(f->pid, &status, WNOHANG) == f->pid);
        assert_true(WIFEXITED(status));
        assert_int_equal(WEXITSTATUS(status), wanted);
        logged(f, "");
        text_fini(&f->log);
        records_close();
}

static int connect_to(const struct fixture *f)
{
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        assert_true(fd >= 0);
        if (connect(fd, &f->address.sa, f->address.len) == 0)
                return fd;
        assert_int_equal(errno, ECONNREFUSED);
        own_close(&fd);
        return -1;
}

static bool refuses(const struct fixture *f)
{
        OWN_FD int fd = connect_to(f);
        return fd < 0;
}

/* 1: an octet came; 0: FIN; -1: RST. */
static int hear(int fd)
{
        char octet;
        return (int)recv(fd, &octet, 1, 0);
}

static void echoes(int fd)
{
        assert_int_equal(send(fd, "x", 1, MSG_NOSIGNAL), 1);
        assert_int_equal(hear(fd), 1);
}

static void ready(struct fixture *f)
{
        UNTIL(f, logged(f, "ready: 1 service, 2 workers"));
}

/* --- */

static void told_to_stop_with_nothing_to_wait_for_it_ends(void **state)
{
        (void)state;
        static const int signals[] = { SIGTERM, SIGINT };
        for (size_t i = 0; i < COUNTOF(signals); i++) {
                struct fixture f;
                open_fixture(&f, "");
                ready(&f);
                kill(f.pid, signals[i]);
                ends_with(&f, 0);
        }
}

/* The last connection ends by itself, whenever it likes. */
static void draining_waits_and_refuses_whoever_comes(void **state)
{
        (void)state;
        static const char *const patience[] = { "drain-timeout = \"1h\"",
                                                "drain-timeout = \"off\"" };
        for (size_t i = 0; i < COUNTOF(patience); i++) {
                struct fixture f;
                open_fixture(&f, patience[i]);
                OWN_FD int client = connect_to(&f);
                echoes(client);
                kill(f.pid, SIGTERM);
                UNTIL(&f, logged(&f, "draining, 1 connection"));
                UNTIL(&f, refuses(&f)); /* who came before was let in, and has gone again */
                echoes(client);
                assert_int_equal(waitpid(f.pid, NULL, WNOHANG), 0);
                shutdown(client, SHUT_WR);
                assert_int_equal(hear(client), 0);
                own_close(&client);
                UNTIL(&f, logged(&f, "\"bytes_up\":2"));
                ends_with(&f, 0);
        }
}

static void what_is_left_at_drain_timeout_is_cut(void **state)
{
        (void)state;
        struct fixture f;
        open_fixture(&f, "drain-timeout = \"50ms\"");
        OWN_FD int client = connect_to(&f);
        echoes(client);
        kill(f.pid, SIGTERM);
        assert_int_equal(hear(client), -1);
        UNTIL(&f, logged(&f, "\"reason\":\"drained\""));
        ends_with(&f, 0);
}

static void told_twice_it_ends_now(void **state)
{
        (void)state;
        struct fixture f;
        open_fixture(&f, "drain-timeout = \"1h\"");
        OWN_FD int client = connect_to(&f);
        echoes(client);
        kill(f.pid, SIGTERM);
        UNTIL(&f, logged(&f, "draining"));
        kill(f.pid, SIGINT);
        assert_int_equal(hear(client), -1);
        UNTIL(&f, logged(&f, "\"reason\":\"shutdown\""));
        ends_with(&f, 0);
}

/* They would end a process that does not say otherwise. */
static void other_signals_do_not_end_it(void **state)
{
        (void)state;
        static const int signals[] = { SIGHUP, SIGUSR1, SIGUSR2, SIGPIPE };
        struct fixture f;
        open_fixture(&f, "");
        ready(&f);
        OWN_FD int client = connect_to(&f);
        for (size_t i = 0; i < COUNTOF(signals); i++) {
                kill(f.pid, signals[i]);
                echoes(client);
        }
        UNTIL(&f, logged(&f, "the log was reopened"));
        echoes(client);
        own_close(&client);
        kill(f.pid, SIGTERM);
        ends_with(&f, 0);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(told_to_stop_with_nothing_to_wait_for_it_ends),
                cmocka_unit_test(draining_waits_and_refuses_whoever_comes),
                cmocka_unit_test(what_is_left_at_drain_timeout_is_cut),
                cmocka_unit_test(told_twice_it_ends_now),
                cmocka_unit_test(other_signals_do_not_end_it),
        };
        return cmocka_run_group_tests_name("control/daemon", tests, NULL, NULL);
}
