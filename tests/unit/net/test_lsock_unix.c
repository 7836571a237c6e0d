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
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/own.h"
#include "lsock_fixture.h"
#include "net/lsock.h"

/* As a daemon that was killed leaves it. */
static void leave_stale(const char *path)
{
        struct sockaddr_un a = { .sun_family = AF_UNIX };
        strcpy(a.sun_path, path);
        OWN_FD int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof a), 0);
        assert_int_equal(listen(fd, 1), 0);
}

static void a_path_is_served_and_removed(void **state)
{
        struct place *p = *state;
        char text[SOCKADDRESS_TEXT_MAX];
        OPENED o = open_usual(p->address);
        assert_true(o.ok);
        assert_int_equal(o.n, 1);
        assert_string_equal(sockaddress_text(&o.socks[0]->address, text), p->address);
        assert_string_equal(o.socks[0]->unlink_path, p->path);
        assert_true(fcntl(o.socks[0]->fds[0], F_GETFL) & O_NONBLOCK);
        assert_true(fcntl(o.socks[0]->fds[0], F_GETFD) & FD_CLOEXEC);
        assert_serves(o.socks[0]);
        opened_fini(&o);
        assert_int_equal(access(p->path, F_OK), -1);
}

static void mode_and_owner_are_as_asked(void **state)
{
        struct place *p = *state;
        static const mode_t modes[] = { 0600, 0660, 0666, 0777 };
        for (size_t i = 0; i < 2 * COUNTOF(modes); i++) {
                struct lsock_settings settings = usual;
                struct stat st;
                settings.mode = modes[i / 2];
                if (i % 2 == 1)
                        leave_stale(p->path); /* the same where one is replaced */
                if (getuid() == 0) {
                        settings.uid = 12345;
                        settings.gid = 23456;
                }
                OPENED o = open_with(p->address, &settings);
                assert_true(o.ok);
                assert_int_equal(stat(p->path, &st), 0);
                assert_int_equal(st.st_mode & 07777, modes[i / 2]);
                assert_int_equal(st.st_uid, getuid() == 0 ? 12345 : getuid());
                if (getuid() == 0)
                        assert_int_equal(st.st_gid, 23456);
                assert_serves(o.socks[0]);
        }
}

static void a_stale_socket_is_replaced(void **state)
{
        struct place *p = *state;
        char text[SOCKADDRESS_TEXT_MAX];
        leave_stale(p->path);
        OPENED o = open_usual(p->address);
        assert_string_equal(o.said, "");
        assert_true(o.ok);
        assert_string_equal(sockaddress_text(&o.socks[0]->address, text), p->address);
        assert_serves(o.socks[0]);
        opened_fini(&o);
        assert_int_equal(access(p->path, F_OK), -1);
}

static void a_stale_socket_with_the_longest_path_is_replaced(void **state)
{
        struct place *p = *state;
        char address[128], *path = address + strlen("unix:");
        int n = snprintf(address, sizeof address, "unix:%s/", p->dir);
        memset(address + n, 'l', strlen("unix:") + 107 - (size_t)n);
        address[strlen("unix:") + 107] = '\0';
        leave_stale(path);
        OPENED o = open_usual(address);
        assert_string_equal(o.said, "");
        assert_true(o.ok);
        assert_serves(o.socks[0]);
}

/* While stale sockets are replaced again and again, whoever looks always finds a socket. */
static void there_is_never_a_moment_without_a_socket(void **state)
{
        struct place *p = *state;
        int stop[2];
        leave_stale(p->path);
        assert_int_equal(pipe2(stop, O_CLOEXEC), 0);
        pid_t child = fork();
        if (child == 0) {
                struct pollfd over = { .fd = stop[0], .events = POLLIN };
                int missing = 0;
                while (poll(&over, 1, 0) == 0)
                        missing |= access(p->path, F_OK) != 0;
                _exit(missing);
        }
        int failed = 0;
        for (int i = 0; i < 300; i++) {
                struct opened o = open_usual(p->address);
                failed |= !o.ok;
                /* As if killed: the path stays. */
                for (size_t j = 0; j < o.n; j++) {
                        free(o.socks[j]->unlink_path);
                        o.socks[j]->unlink_path = NULL;
                }
                opened_fini(&o);
        }
        int status;
        assert_int_equal(write(stop[1], "x", 1), 1);
        assert_int_equal(waitpid(child, &status, 0), child);
        close(stop[0]);
        close(stop[1]);
        assert_false(failed);
        assert_int_equal(status, 0);
}

static void a_socket_in_use_is_an_error_and_goes_on(void **state)
{
        struct place *p = *state;
        OPENED first = open_usual(p->address);
        OPENED second = open_usual(p->address);
        assert_false(second.ok);
        assert_says(&second, "in use by another process");
        assert_serves(first.socks[0]);
}

static void a_socket_whose_queue_is_full_is_in_use(void **state)
{
        struct place *p = *state;
        struct lsock_settings settings = usual;
        settings.backlog = 1;
        OPENED first = open_with(p->address, &settings);
        int waiting[8], n = 0;
        for (; n < 8; n++) {
                waiting[n] = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
                const struct sockaddress *a = &first.socks[0]->address;
                if (connect(waiting[n], &a->sa, a->len) < 0)
                        break;
        }
        assert_true(n < 8);
        OPENED second = open_usual(p->address);
        assert_false(second.ok);
        assert_says(&second, "in use by another process");
        for (int i = 0; i <= n; i++)
                close(waiting[i]);
}

static void a_datagram_socket_in_use_is_not_replaced(void **state)
{
        struct place *p = *state;
        struct sockaddr_un a = { .sun_family = AF_UNIX };
        strcpy(a.sun_path, p->path);
        OWN_FD int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof a), 0);
        OPENED o = open_usual(p->address);
        assert_false(o.ok);
        assert_says(&o, "in use by another process");
        assert_int_equal(access(p->path, F_OK), 0);
}

static void what_is_not_a_socket_is_left_alone(void **state)
{
        struct place *p = *state;
        struct stat st;
        OWN_FD int fd = open(p->path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
        assert_int_equal(write(fd, "precious", 8), 8);
        OPENED file = open_usual(p->address);
        assert_false(file.ok);
        assert_says(&file, "not a socket");
        assert_int_equal(stat(p->path, &st), 0);
        assert_int_equal(st.st_size, 8);
        unlink(p->path);

        char target[128];
        snprintf(target, sizeof target, "%s/elsewhere", p->dir);
        assert_int_equal(symlink(target, p->path), 0); /* to nowhere */
        OPENED link = open_usual(p->address);
        assert_false(link.ok);
        assert_says(&link, "not a socket");
        assert_int_equal(lstat(p->path, &st), 0);
        assert_int_equal(access(target, F_OK), -1);
}

static void a_path_that_is_anothers_by_now_is_not_removed(void **state)
{
        struct place *p = *state;
        OPENED first = open_usual(p->address);
        unlink(p->path);
        OPENED second = open_usual(p->address);
        assert_true(second.ok);
        opened_fini(&first);
        assert_serves(second.socks[0]);
}

static void a_missing_directory_is_named(void **state)
{
        struct place *p = *state;
        char address[256];
        snprintf(address, sizeof address, "unix:%s/no/s", p->dir);
        OPENED o = open_usual(address);
        assert_false(o.ok);
        assert_says(&o, "/no does not exist");
}

static void permissions_that_cannot_be_set_leave_nothing_behind(void **state)
{
        struct place *p = *state;
        pid_t child = fork();
        if (child == 0) {
                struct lsock_settings settings = usual;
                settings.uid = 12345;
                if (getuid() == 0 &&
                    (chown(p->dir, 65534, 65534) < 0 || setgid(65534) < 0 || setuid(65534) < 0))
                        _exit(2);
                struct opened o = open_with(p->address, &settings);
                _exit(o.ok || strstr(o.said, "owner cannot be changed") == NULL ||
                      access(p->path, F_OK) == 0);
        }
        int status;
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_int_equal(status, 0);
}

static void an_abstract_name_is_served_once(void **state)
{
        (void)state;
        char address[64];
        snprintf(address, sizeof address, "unix:@spliced-test-%ld", (long)getpid());
        OPENED first = open_usual(address);
        assert_true(first.ok);
        assert_null(first.socks[0]->unlink_path);
        assert_serves(first.socks[0]);
        OPENED second = open_usual(address);
        assert_false(second.ok);
        assert_says(&second, "in use by another process");
        opened_fini(&first);
        struct lsock_settings settings = usual;
        settings.mode = 0600;
        OPENED third = open_with(address, &settings);
        assert_true(third.ok);
        assert_says(&third, "warning: listen unix:@");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                PLACED(a_path_is_served_and_removed),
                PLACED(mode_and_owner_are_as_asked),
                PLACED(a_stale_socket_is_replaced),
                PLACED(a_stale_socket_with_the_longest_path_is_replaced),
                PLACED(there_is_never_a_moment_without_a_socket),
                PLACED(a_socket_in_use_is_an_error_and_goes_on),
                PLACED(a_socket_whose_queue_is_full_is_in_use),
                PLACED(a_datagram_socket_in_use_is_not_replaced),
                PLACED(what_is_not_a_socket_is_left_alone),
                PLACED(a_path_that_is_anothers_by_now_is_not_removed),
                PLACED(a_missing_directory_is_named),
                PLACED(permissions_that_cannot_be_set_leave_nothing_behind),
                cmocka_unit_test(an_abstract_name_is_served_once),
        };
        alarm(120); /* a test that waits for ever fails */
        return cmocka_run_group_tests_name("net/lsock_unix", tests, NULL, NULL);
}
