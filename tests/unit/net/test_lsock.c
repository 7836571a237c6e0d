/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <arpa/inet.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <netinet/tcp.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/own.h"
#include "lsock_fixture.h"
#include "net/lsock.h"

static bool has_ipv6(void)
{
        OWN_FD int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
        struct sockaddr_in6 a = { .sin6_family = AF_INET6, .sin6_addr = in6addr_loopback };
        return fd >= 0 && bind(fd, (struct sockaddr *)&a, sizeof a) == 0;
}

static void a_tcp_address_is_one_socket_that_serves(void **state)
{
        (void)state;
        static const char *const texts[] = { "127.0.0.1:0", "[::1]:0" };
        for (size_t i = 0; i < (has_ipv6() ? 2 : 1); i++) {
                OPENED o = open_usual(texts[i]);
                char text[SOCKADDRESS_TEXT_MAX];
                assert_true(o.ok);
                assert_int_equal(o.n, 1);
                int fd = o.socks[0]->fds[0];
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
        OWN_FD int server = accept(o.socks[0]->fds[0], NULL, NULL);
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
                assert_true(option(o.socks[1]->fds[0], IPPROTO_IPV6, IPV6_V6ONLY));
                assert_serves(o.socks[0]);
                assert_serves(o.socks[1]);
        }
}

/* Filters look at 32 bits at a time. */
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define LOW_HALF_OF_FIRST offsetof(struct seccomp_data, args[0])
#else
#define LOW_HALF_OF_FIRST (offsetof(struct seccomp_data, args[0]) + 4)
#endif

/* From now on this process has a kernel without IPv6. */
static bool forget_ipv6(void)
{
        struct sock_filter filter[] = {
                BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
                BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_socket, 0, 3),
                BPF_STMT(BPF_LD | BPF_W | BPF_ABS, LOW_HALF_OF_FIRST),
                BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AF_INET6, 0, 1),
                BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EAFNOSUPPORT),
                BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
        };
        struct sock_fprog program = { .len = COUNTOF(filter), .filter = filter };
        return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
               prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

static void where_there_is_no_ipv6_ipv4_is_enough(void **state)
{
        (void)state;
        pid_t child = fork();
        if (child == 0) {
                if (!forget_ipv6())
                        _exit(77);
                struct opened all = open_usual("*:0");
                if (!all.ok || all.n != 1 || all.said[0] != '\0' ||
                    all.socks[0]->address.sa.sa_family != AF_INET)
                        _exit(1);
                struct opened only = open_usual("[::1]:0");
                if (only.ok || strstr(only.said, "this kernel has no IPv6") == NULL)
                        _exit(2);
                _exit(0);
        }
        int status;
        assert_int_equal(waitpid(child, &status, 0), child);
        if (WIFEXITED(status) && WEXITSTATUS(status) == 77)
                skip();
        assert_int_equal(status, 0);
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

static struct opened open_for(size_t workers, const char *text)
{
        struct lsock_settings settings = usual;
        settings.workers = workers;
        return open_with(text, &settings);
}

static void each_worker_has_a_socket_of_its_own(void **state)
{
        (void)state;
        static const char *const texts[] = { "127.0.0.1:0", "*:0" };
        for (size_t i = 0; i < COUNTOF(texts); i++) {
                OPENED o = open_for(3, texts[i]);
                assert_string_equal(o.said, "");
                assert_true(o.ok);
                for (size_t j = 0; j < o.n; j++) {
                        const struct lsock *l = o.socks[j];
                        assert_int_equal(l->n_fds, 3);
                        struct sockaddress a = { .len = sizeof a.storage };
                        for (size_t k = 0; k < 3; k++) {
                                assert_int_equal(getsockname(l->fds[k], &a.sa, &a.len), 0);
                                assert_true(sockaddress_equal(&a, &l->address));
                                assert_true(option(l->fds[k], SOL_SOCKET, SO_ACCEPTCONN));
                                assert_true(option(l->fds[k], IPPROTO_TCP, TCP_NODELAY));
                                assert_true(fcntl(l->fds[k], F_GETFL) & O_NONBLOCK);
                                assert_int_equal(lsock_fd(l, k), l->fds[k]);
                        }
                }
        }
}

/* Accept all there are; returns how many. */
static size_t accept_all(int fd)
{
        size_t n = 0;
        for (int one; (one = accept(fd, NULL, NULL)) >= 0; n++)
                own_close(&one);
        assert_int_equal(errno, EAGAIN);
        return n;
}

static void the_kernel_spreads_connections_over_the_sockets(void **state)
{
        (void)state;
        int clients[64];
        size_t came = 0;
        OPENED o = open_for(2, "127.0.0.1:0");
        for (size_t i = 0; i < COUNTOF(clients); i++)
                clients[i] = dial(&o.socks[0]->address);
        for (size_t i = 0; i < 2; i++) {
                size_t n = accept_all(o.socks[0]->fds[i]);
                assert_in_range(n, 1, COUNTOF(clients) - 1);
                came += n;
        }
        assert_int_equal(came, COUNTOF(clients));
        for (size_t i = 0; i < COUNTOF(clients); i++)
                own_close(&clients[i]);
}

/* SO_REUSEPORT would let two daemons share a port, each with half of the connections. */
static void sockets_for_several_workers_are_not_shared_with_others(void **state)
{
        (void)state;
        char text[SOCKADDRESS_TEXT_MAX];
        OPENED several = open_for(2, "127.0.0.1:0");
        sockaddress_text(&several.socks[0]->address, text);
        for (size_t workers = 1; workers <= 2; workers++) {
                OPENED again = open_for(workers, text);
                assert_false(again.ok);
                assert_says(&again, "Address already in use: another program or service");
        }
        OPENED one = open_for(1, "127.0.0.1:0");
        sockaddress_text(&one.socks[0]->address, text);
        OPENED again = open_for(2, text);
        assert_false(again.ok);
        assert_says(&again, "Address already in use: another program or service");
        opened_fini(&several);
        opened_fini(&one);
        OPENED free_again = open_for(2, text);
        assert_true(free_again.ok);
}

static void a_port_can_be_used_again_at_once(void **state)
{
        (void)state;
        char text[SOCKADDRESS_TEXT_MAX];
        OPENED first = open_usual("127.0.0.1:0");
        sockaddress_text(&first.socks[0]->address, text);
        OWN_FD int client = dial(&first.socks[0]->address);
        OWN_FD int server = accept(first.socks[0]->fds[0], NULL, NULL);
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

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_tcp_address_is_one_socket_that_serves),
                cmocka_unit_test(accepted_connections_inherit_their_options),
                cmocka_unit_test(any_is_both_protocols_on_one_port),
                cmocka_unit_test(where_there_is_no_ipv6_ipv4_is_enough),
                cmocka_unit_test(a_port_in_use_is_an_error_that_says_so),
                cmocka_unit_test(each_worker_has_a_socket_of_its_own),
                cmocka_unit_test(the_kernel_spreads_connections_over_the_sockets),
                cmocka_unit_test(sockets_for_several_workers_are_not_shared_with_others),
                cmocka_unit_test(a_port_can_be_used_again_at_once),
                cmocka_unit_test(a_host_name_is_each_of_its_addresses),
                cmocka_unit_test(mistakes_say_what_to_do),
                cmocka_unit_test(a_low_port_names_the_capability),
        };
        alarm(120); /* a test that waits for ever fails */
        return cmocka_run_group_tests_name("net/lsock", tests, NULL, NULL);
}
