/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/own.h"
#include "net/lsock.h"

static const struct lsock_settings usual = { .mode = (mode_t)-1,
                                             .uid = (uid_t)-1,
                                             .gid = (gid_t)-1 };
static const struct origin here = { "x.conf", 3 };

/* What one lsock_open() gave. */
struct opened {
        bool ok;
        struct lsock **socks;
        size_t n;
        char *said; /* the messages */
};

static struct opened open_with(const char *text, const struct lsock_settings *settings)
{
        struct opened o = { 0 };
        struct addr a;
        size_t said_n;
        const char *wrong = addr_parse(text, ADDR_FOR_LISTEN, &a);
        if (wrong != NULL)
                fail_msg("\"%s\" %s", text, wrong);
        struct diag *d = diag_new();
        o.ok = lsock_open(&a, settings, d, &here, &o.socks, &o.n);
        assert_int_equal(o.ok, diag_errors(d) == 0);
        FILE *to = open_memstream(&o.said, &said_n);
        diag_print(d, to);
        fclose(to);
        diag_free(d);
        addr_fini(&a);
        if (!o.ok)
                assert_int_equal(o.n, 0);
        return o;
}

static struct opened open_usual(const char *text)
{
        return open_with(text, &usual);
}

static void opened_fini(struct opened *o)
{
        for (size_t i = 0; i < o->n; i++)
                lsock_free(o->socks[i]);
        free(o->socks);
        free(o->said);
        *o = (struct opened){ 0 };
}
#define OPENED OWN(opened_fini) struct opened

static int option(int fd, int level, int name)
{
        int value = -1;
        socklen_t len = sizeof value;
        assert_int_equal(getsockopt(fd, level, name, &value, &len), 0);
        return value;
}

static void assert_says(const struct opened *o, const char *part)
{
        if (strstr(o->said, part) == NULL)
                fail_msg("not in what was said: \"%s\"\n%s", part, o->said);
}

/* Connect to it; -1 and errno when that fails. */
static int dial(const struct sockaddress *a)
{
        OWN_FD int fd = socket(a->sa.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
        assert_true(fd >= 0);
        return connect(fd, &a->sa, a->len) == 0 ? TAKE_FD(fd) : -1;
}

static void assert_serves(const struct lsock *l)
{
        OWN_FD int client = dial(&l->address);
        if (client < 0)
                fail_msg("connect: %s", strerror(errno));
        struct pollfd ready = { .fd = l->fd, .events = POLLIN };
        assert_int_equal(poll(&ready, 1, 10000), 1);
        OWN_FD int server = accept(l->fd, NULL, NULL);
        assert_true(server >= 0);
}

static bool has_ipv6(void)
{
        OWN_FD int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
        struct sockaddr_in6 a = { .sin6_family = AF_INET6, .sin6_addr = in6addr_loopback };
        return fd >= 0 && bind(fd, (struct sockaddr *)&a, sizeof a) == 0;
}

/* --- TCP ------------------------------------------------------------------------------------- */

static void a_tcp_address_is_one_socket_that_serves(void **state)
{
        (void)state;
        static const char *const texts[] = { "127.0.0.1:0", "[::1]:0" };
        for (size_t i = 0; i < (has_ipv6() ? 2 : 1); i++) {
                OPENED o = open_usual(texts[i]);
                char text[SOCKADDRESS_TEXT_MAX];
                assert_true(o.ok);
                assert_int_equal(o.n, 1);
                int fd = o.socks[0]->fd;
                assert_true(ntohs(o.socks[0]->address.in.sin_port) > 0);
                assert_memory_equal(sockaddress_text(&o.socks[0]->address, text), texts[i],
                                    strlen(texts[i]) - 1);
                assert_true(fcntl(fd, F_GETFL) & O_NONBLOCK);
                assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
                assert_true(option(fd, SOL_SOCKET, SO_REUSEADDR));
                assert_false(option(fd, SOL_SOCKET, SO_REUSEPORT));
                assert_null(o.socks[0]->unlink_path);
                assert_serves(o.socks[0]);
        }
}

static void accepted_connections_inherit_their_options(void **state)
{
        (void)state;
        OPENED o = open_usual("127.0.0.1:0");
        OWN_FD int client = dial(&o.socks[0]->address);
        OWN_FD int server = accept(o.socks[0]->fd, NULL, NULL);
        assert_true(client >= 0 && server >= 0);
        assert_true(option(server, IPPROTO_TCP, TCP_NODELAY));
        assert_true(option(server, SOL_SOCKET, SO_KEEPALIVE));
}

static void any_is_both_protocols_on_one_port(void **state)
{
        (void)state;
        if (!has_ipv6())
                skip();
        for (int i = 0; i < 20; i++) {
                OPENED o = open_usual("*:0");
                assert_true(o.ok);
                assert_int_equal(o.n, 2);
                assert_int_equal(o.socks[0]->address.sa.sa_family, AF_INET);
                assert_int_equal(o.socks[1]->address.sa.sa_family, AF_INET6);
                assert_int_equal(o.socks[0]->address.in.sin_port,
                                 o.socks[1]->address.in6.sin6_port);
                assert_true(option(o.socks[1]->fd, IPPROTO_IPV6, IPV6_V6ONLY));
                assert_serves(o.socks[0]);
                assert_serves(o.socks[1]);
        }
}

static void a_port_in_use_is_an_error_that_says_so(void **state)
{
        (void)state;
        OPENED first = open_usual("127.0.0.1:0");
        char text[SOCKADDRESS_TEXT_MAX];
        OPENED second = open_usual(sockaddress_text(&first.socks[0]->address, text));
        assert_false(second.ok);
        assert_says(&second, "x.conf:3: listen 127.0.0.1:");
        assert_says(&second, "Address already in use: another program or service listens there");
        char all[32];
        snprintf(all, sizeof all, "*:%u", ntohs(first.socks[0]->address.in.sin_port));
        OPENED third = open_usual(all);
        assert_false(third.ok);
        assert_says(&third, ": 0.0.0.0:");
        assert_serves(first.socks[0]);
}

static void a_port_can_be_used_again_at_once(void **state)
{
        (void)state;
        char text[SOCKADDRESS_TEXT_MAX];
        OPENED first = open_usual("127.0.0.1:0");
        sockaddress_text(&first.socks[0]->address, text);
        OWN_FD int client = dial(&first.socks[0]->address);
        OWN_FD int server = accept(first.socks[0]->fd, NULL, NULL);
        own_close(&server); /* we close first: TIME_WAIT is ours */
        own_close(&client);
        opened_fini(&first);
        OPENED again = open_usual(text);
        assert_string_equal(again.said, "");
        assert_true(again.ok);
}

static void a_host_name_is_each_of_its_addresses(void **state)
{
        (void)state;
        OPENED o = open_usual("localhost:0");
        assert_true(o.ok);
        assert_true(o.n >= 1);
        for (size_t i = 0; i < o.n; i++)
                assert_serves(o.socks[i]);
        for (size_t i = 1; i < o.n; i++)
                assert_false(sockaddress_equal(&o.socks[0]->address, &o.socks[i]->address));
}

static void mistakes_say_what_to_do(void **state)
{
        (void)state;
        static const struct {
                const char *text, *says;
        } table[] = {
                { "192.0.2.1:0", "no interface of this machine has it" },
                { "no-such-host.invalid:80", "the name \"no-such-host.invalid\" has no address" },
                { "[fe80::1%nosuchif]:0", "no interface \"nosuchif\"" },
        };
        for (size_t i = 0; i < COUNTOF(table); i++) {
                OPENED o = open_usual(table[i].text);
                assert_false(o.ok);
                assert_says(&o, table[i].says);
        }
}

static void a_low_port_names_the_capability(void **state)
{
        (void)state;
        pid_t child = fork();
        if (child == 0) {
                if (getuid() == 0 && (setgid(65534) < 0 || setuid(65534) < 0))
                        _exit(77);
                struct opened o = open_usual("127.0.0.1:1");
                if (o.ok)
                        _exit(77); /* this machine lets everybody */
                _exit(strstr(o.said, "need CAP_NET_BIND_SERVICE") != NULL ? 0 : 1);
        }
        int status;
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_true(WIFEXITED(status));
        if (WEXITSTATUS(status) == 77)
                skip();
        assert_int_equal(WEXITSTATUS(status), 0);
}

/* --- Unix sockets ---------------------------------------------------------------------------- */

struct place {
        char dir[64];
        char address[128]; /* unix:DIR/s */
        const char *path;
};

static int make_place(void **state)
{
        struct place *p = calloc(1, sizeof *p);
        snprintf(p->dir, sizeof p->dir, "/tmp/spliced-lsock-XXXXXX");
        if (mkdtemp(p->dir) == NULL)
                return -1;
        snprintf(p->address, sizeof p->address, "unix:%s/s", p->dir);
        p->path = p->address + strlen("unix:");
        *state = p;
        return 0;
}

/* The directory must be empty: what is opened leaves nothing behind. */
static int leave_place(void **state)
{
        struct place *p = *state;
        unlink(p->path);
        int gone = rmdir(p->dir);
        free(p);
        return gone;
}

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
        assert_true(fcntl(o.socks[0]->fd, F_GETFL) & O_NONBLOCK);
        assert_true(fcntl(o.socks[0]->fd, F_GETFD) & FD_CLOEXEC);
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

/* --- systemd --------------------------------------------------------------------------------- */

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
        struct opened web = open_usual("systemd:web");
        CHECK(web.ok && web.n == 2);
        for (size_t i = 0; i < 2; i++) {
                CHECK(fcntl(web.socks[i]->fd, F_GETFL) & O_NONBLOCK);
                CHECK(fcntl(web.socks[i]->fd, F_GETFD) & FD_CLOEXEC);
                CHECK(fcntl((int)(3 + 2 * i), F_GETFD) & FD_CLOEXEC);
                CHECK(web.socks[i]->unlink_path == NULL);
        }
        CHECK(web.socks[0]->address.sa.sa_family == AF_INET);
        CHECK(web.socks[1]->address.sa.sa_family == AF_UNIX);
        CHECK(option(web.socks[0]->fd, IPPROTO_TCP, TCP_NODELAY));
        assert_serves(web.socks[0]);
        assert_serves(web.socks[1]);
        opened_fini(&web);
        /* The next configuration names it again. */
        web = open_usual("systemd:web");
        CHECK(web.ok && web.n == 2);
        assert_serves(web.socks[0]);
        struct opened other = open_usual("systemd:other");
        CHECK(other.ok && other.n == 1);
        struct opened none = open_usual("systemd:none");
        CHECK(!none.ok);
        CHECK(strstr(none.said, "it passed \"web\", \"other\", \"web\"") != NULL);
        return 0;
}

static void sockets_are_adopted_by_their_name(void **state)
{
        struct place *p = *state;
        OPENED a = open_usual("127.0.0.1:0"), b = open_usual("127.0.0.1:0"),
               c = open_usual(p->address);
        int fds[] = { a.socks[0]->fd, b.socks[0]->fd, c.socks[0]->fd };
        assert_int_equal(passed(fds, 3, "web:other:web", two_are_web), 0);
        assert_int_equal(access(p->path, F_OK), 0); /* it is systemd's to remove */
}

static int unknown_is_one(void)
{
        struct opened o = open_usual("systemd:unknown");
        CHECK(o.ok && o.n == 1);
        return 0;
}

static void without_names_a_socket_is_unknown(void **state)
{
        (void)state;
        OPENED a = open_usual("127.0.0.1:0");
        unsetenv("LISTEN_FDNAMES");
        assert_int_equal(passed(&a.socks[0]->fd, 1, NULL, unknown_is_one), 0);
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
                struct opened o = open_usual(table[i].address);
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
        struct opened o = open_usual("systemd:web");
        CHECK(!o.ok);
        CHECK(strstr(o.said, "passed no sockets") != NULL);
        return 0;
}

static void what_was_passed_to_another_process_is_not_ours(void **state)
{
        (void)state;
        OPENED a = open_usual("127.0.0.1:0");
        assert_int_equal(passed(&a.socks[0]->fd, 1, "web", nothing_is_ours), 0);
}

/* This program again, started by systemd-socket-activate: adopt, serve one connection. */
static int serve_activated(void)
{
        OPENED o = open_usual("systemd:web");
        if (!o.ok || o.n != 1) {
                fputs(o.said, stderr);
                return 1;
        }
        struct pollfd ready = { .fd = o.socks[0]->fd, .events = POLLIN };
        poll(&ready, 1, 10000);
        OWN_FD int client = accept(o.socks[0]->fd, NULL, NULL);
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

#define PLACED(name) cmocka_unit_test_setup_teardown(name, make_place, leave_place)

int main(int argc, char **argv)
{
        if (argc == 2 && strcmp(argv[1], "adopt") == 0)
                return serve_activated();
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_tcp_address_is_one_socket_that_serves),
                cmocka_unit_test(accepted_connections_inherit_their_options),
                cmocka_unit_test(any_is_both_protocols_on_one_port),
                cmocka_unit_test(a_port_in_use_is_an_error_that_says_so),
                cmocka_unit_test(a_port_can_be_used_again_at_once),
                cmocka_unit_test(a_host_name_is_each_of_its_addresses),
                cmocka_unit_test(mistakes_say_what_to_do),
                cmocka_unit_test(a_low_port_names_the_capability),
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
                PLACED(sockets_are_adopted_by_their_name),
                cmocka_unit_test(without_names_a_socket_is_unknown),
                cmocka_unit_test(what_cannot_be_accepted_from_is_refused),
                cmocka_unit_test(what_was_passed_to_another_process_is_not_ours),
                PLACED(systemd_itself_passes_one),
        };
        return cmocka_run_group_tests_name("net/lsock", tests, NULL, NULL);
}
