/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/own.h"
#include "lsock_fixture.h"
#include "net/lsock.h"

/* In a child: put fds at 3 and up and set what systemd sets, then run fn; its value is returned. */
static int passed(const int *fds, int n, const char *names, int (*fn)(void))
{
        pid_t child = fork();
        if (child == 0) {
                char number[32];
                int high[8];
                for (int i = 0; i < n; i++)
                        high[i] = fcntl(fds[i], F_DUPFD, 100);
                for (int i = 0; i < n; i++)
                        dup2(high[i], 3 + i);
                snprintf(number, sizeof number, "%ld", (long)getpid());
                setenv("LISTEN_PID", number, 1);
                snprintf(number, sizeof number, "%d", n);
                setenv("LISTEN_FDS", number, 1);
                if (names != NULL)
                        setenv("LISTEN_FDNAMES", names, 1);
                _exit(fn());
        }
        int status;
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_true(WIFEXITED(status));
        return WEXITSTATUS(status);
}

#define CHECK(condition)                           \
        do {                                       \
                if (!(condition))                  \
                        return __LINE__ % 255 + 1; \
        } while (0)

static int two_are_web(void)
{
        OPENED web = open_usual("systemd:web");
        CHECK(web.ok && web.n == 2);
        for (size_t i = 0; i < 2; i++) {
                CHECK(fcntl(web.socks[i]->fds[0], F_GETFL) & O_NONBLOCK);
                CHECK(fcntl(web.socks[i]->fds[0], F_GETFD) & FD_CLOEXEC);
                CHECK(fcntl((int)(3 + 2 * i), F_GETFD) & FD_CLOEXEC);
                CHECK(web.socks[i]->unlink_path == NULL);
        }
        CHECK(web.socks[0]->address.sa.sa_family == AF_INET);
        CHECK(web.socks[1]->address.sa.sa_family == AF_UNIX);
        CHECK(option(web.socks[0]->fds[0], IPPROTO_TCP, TCP_NODELAY));
        assert_serves(web.socks[0]);
        assert_serves(web.socks[1]);
        opened_fini(&web);
        /* The next configuration names it again. */
        web = open_usual("systemd:web");
        CHECK(web.ok && web.n == 2);
        assert_serves(web.socks[0]);
        OPENED other = open_usual("systemd:other");
        CHECK(other.ok && other.n == 1);
        OPENED none = open_usual("systemd:none");
        CHECK(!none.ok);
        CHECK(strstr(none.said, "it passed \"web\", \"other\", \"web\"") != NULL);
        return 0;
}

static void sockets_are_adopted_by_their_name(void **state)
{
        struct place *p = *state;
        OPENED a = open_usual("127.0.0.1:0"), b = open_usual("127.0.0.1:0"),
               c = open_usual(p->address);
        int fds[] = { a.socks[0]->fds[0], b.socks[0]->fds[0], c.socks[0]->fds[0] };
        assert_int_equal(passed(fds, 3, "web:other:web", two_are_web), 0);
        assert_int_equal(access(p->path, F_OK), 0); /* it is systemd's to remove */
}

static int unknown_is_one(void)
{
        OPENED o = open_usual("systemd:unknown");
        CHECK(o.ok && o.n == 1);
        return 0;
}

static void without_names_a_socket_is_unknown(void **state)
{
        (void)state;
        OPENED a = open_usual("127.0.0.1:0");
        unsetenv("LISTEN_FDNAMES");
        assert_int_equal(passed(a.socks[0]->fds, 1, NULL, unknown_is_one), 0);
}

static int each_is_wrong(void)
{
        static const struct {
                const char *address, *says;
        } table[] = {
                { "systemd:file", "is no socket" },
                { "systemd:datagram", "is not a stream socket" },
                { "systemd:connected", "does not listen" },
        };
        for (size_t i = 0; i < COUNTOF(table); i++) {
                OPENED o = open_usual(table[i].address);
                CHECK(!o.ok);
                CHECK(strstr(o.said, table[i].says) != NULL);
        }
        return 0;
}

static void what_cannot_be_accepted_from_is_refused(void **state)
{
        (void)state;
        OPENED a = open_usual("127.0.0.1:0");
        OWN_FD int file = open("/dev/null", O_RDWR | O_CLOEXEC);
        OWN_FD int datagram = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        OWN_FD int connected = dial(&a.socks[0]->address);
        int fds[] = { file, datagram, connected };
        assert_int_equal(passed(fds, 3, "file:datagram:connected", each_is_wrong), 0);
}

static int nothing_is_ours(void)
{
        setenv("LISTEN_PID", "1", 1); /* inherited: it was meant for the parent */
        OPENED o = open_usual("systemd:web");
        CHECK(!o.ok);
        CHECK(strstr(o.said, "passed no sockets") != NULL);
        return 0;
}

static void what_was_passed_to_another_process_is_not_ours(void **state)
{
        (void)state;
        OPENED a = open_usual("127.0.0.1:0");
        assert_int_equal(passed(a.socks[0]->fds, 1, "web", nothing_is_ours), 0);
}

/* This program again, started by systemd-socket-activate: adopt, serve one connection. */
static int serve_activated(void)
{
        OPENED o = open_usual("systemd:web");
        if (!o.ok || o.n != 1) {
                fputs(o.said, stderr);
                return 1;
        }
        struct pollfd ready = { .fd = o.socks[0]->fds[0], .events = POLLIN };
        poll(&ready, 1, 10000);
        OWN_FD int client = accept(o.socks[0]->fds[0], NULL, NULL);
        return client >= 0 && write(client, "hello", 5) == 5 ? 0 : 1;
}

static void systemd_itself_passes_one(void **state)
{
        static const char program[] = "/usr/bin/systemd-socket-activate";
        struct place *p = *state;
        struct sockaddress a = { .un.sun_family = AF_UNIX, .len = sizeof a.un };
        strcpy(a.un.sun_path, p->path);
        char self[4096];
        ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
        if (access(program, X_OK) != 0 || n < 0)
                skip();
        self[n] = '\0';
        pid_t child = fork();
        if (child == 0) {
                int null = open("/dev/null", O_WRONLY);
                dup2(null, STDERR_FILENO);
                execl(program, program, "-l", p->path, "--fdname=web", self, "adopt", NULL);
                _exit(127);
        }
        OWN_FD int client = -1;
        for (int tries = 0; client < 0 && tries < 1000; tries++) {
                client = dial(&a);
                poll(NULL, 0, client < 0 ? 10 : 0);
        }
        char got[8] = "";
        assert_true(client >= 0);
        assert_int_equal(recv(client, got, 5, MSG_WAITALL), 5);
        assert_string_equal(got, "hello");
        int status;
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_int_equal(status, 0);
}

int main(int argc, char **argv)
{
        if (argc == 2 && strcmp(argv[1], "adopt") == 0)
                return serve_activated();
        const struct CMUnitTest tests[] = {
                PLACED(sockets_are_adopted_by_their_name),
                cmocka_unit_test(without_names_a_socket_is_unknown),
                cmocka_unit_test(what_cannot_be_accepted_from_is_refused),
                cmocka_unit_test(what_was_passed_to_another_process_is_not_ours),
                PLACED(systemd_itself_passes_one),
        };
        alarm(120); /* a test that waits for ever fails */
        return cmocka_run_group_tests_name("net/lsock_systemd", tests, NULL, NULL);
}
