/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "../child.h"
#include "base/own.h"
#include "config/config.h"
#include "control/launcher.h"
#include "control/sandbox.h"

static bool agrees(void *arg)
{
        (void)arg;
        return true;
}

static bool disagrees(void *arg)
{
        (void)arg;
        return false;
}

/* A shell that says through its standard output, which is what was passed, how it is. */
static void run_shell(int fd, void *arg)
{
        dup2(fd, STDOUT_FILENO);
        execl("/bin/sh", "sh", "-c", arg, (char *)NULL);
}

/* What the shell says to command until it ends. */
static void say(struct launcher *l, char said[static 256])
{
        int ends[2];
        size_t n = 0;
        ssize_t more;
        assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
        pid_t pid = launcher_start(l, ends[1]);
        assert_true(pid > 0 && pid != getpid());
        own_close(&ends[1]);
        while (n < 255 && (more = read(ends[0], said + n, 255 - n)) > 0)
                n += (size_t)more;
        said[n] = '\0';
        own_close(&ends[0]);
}

static void test_it_starts_a_program_as_often_as_asked(void **state)
{
        (void)state;
        char said[256];
        char command[] = "echo hello";
        struct launcher *l = launcher_new(agrees, run_shell, command);
        assert_non_null(l);
        for (int i = 0; i < 3; i++) {
                say(l, said);
                assert_string_equal(said, "hello\n");
        }
        launcher_free(l);
}

/* Nothing of ours: no listening socket that would go on listening without us. */
static void test_the_program_has_no_descriptor_of_ours(void **state)
{
        (void)state;
        char said[256];
        char command[] = "cd /proc/$$/fd; for fd in [3-9] [1-9][0-9]; do "
                         "[ -e $fd ] && readlink $fd | grep socket; done; echo done";
        OWN_FD int before = socket(AF_INET, SOCK_STREAM, 0);
        struct launcher *l = launcher_new(agrees, run_shell, command);
        assert_non_null(l);
        OWN_FD int after = socket(AF_INET, SOCK_STREAM, 0);
        say(l, said);
        assert_string_equal(said, "done\n");
        launcher_free(l);
}

static void test_signals_are_the_daemons_and_the_program_has_its_own(void **state)
{
        (void)state;
        char said[256];
        char command[] = "kill -TERM $PPID; kill -HUP $PPID; echo told; kill -TERM $$; echo alive";
        struct launcher *l = launcher_new(agrees, run_shell, command);
        assert_non_null(l);
        for (int i = 0; i < 2; i++) {
                say(l, said);
                assert_string_equal(said, "told\n");
        }
        launcher_free(l);
}

static void starts_from_the_sandbox(const void *arg)
{
        (void)arg;
        char said[256];
        char command[] = "cat </proc/self/status | grep ^Seccomp: | tr -d '\\t'";
        struct launcher *l = launcher_new(agrees, run_shell, command);
        struct diag *diag = diag_new();
        struct config *conf =
                config_read_text("control = \"off\"\n"
                                 "services: { a: { listen = \"[::1]:1\", connect = \"echo\" } }",
                                 "t", diag);
        assert_non_null(l);
        say(l, said); /* as it is without */
        char before[256];
        memcpy(before, said, sizeof before);
        assert_non_null(conf);
        assert_true(sandbox_enter(conf, diag));
        say(l, said);
        assert_string_equal(said, before);
        launcher_free(l);
        config_free(conf);
        diag_free(diag);
}

static void test_what_it_starts_is_outside_of_the_sandbox(void **state)
{
        (void)state;
        if (under_valgrind())
                skip();
        assert_int_equal(in_child(starts_from_the_sandbox, NULL), 0);
}

static void test_one_that_could_not_prepare_is_not_there(void **state)
{
        (void)state;
        OWN_FD int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
        struct launcher *l = launcher_new(disagrees, run_shell, NULL);
        assert_non_null(l);
        assert_int_equal(launcher_start(l, fd), -1);
        assert_true(errno == EPIPE || errno == ECONNRESET);
        launcher_free(l);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_it_starts_a_program_as_often_as_asked),
                cmocka_unit_test(test_the_program_has_no_descriptor_of_ours),
                cmocka_unit_test(test_signals_are_the_daemons_and_the_program_has_its_own),
                cmocka_unit_test(test_what_it_starts_is_outside_of_the_sandbox),
                cmocka_unit_test(test_one_that_could_not_prepare_is_not_there),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
