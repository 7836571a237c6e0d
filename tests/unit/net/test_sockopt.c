/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "base/own.h"
#include "base/text.h"
#include "net/sockopt.h"

static int new_socket(void)
{
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        assert_true(fd >= 0);
        return fd;
}

static const char *congestion_of(int fd, char name[static 32])
{
        socklen_t len = 31;
        memset(name, 0, 32);
        assert_int_equal(getsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, name, &len), 0);
        return name;
}

static bool is_on(int fd, int level, int option)
{
        int value = 0;
        socklen_t len = sizeof value;
        assert_int_equal(getsockopt(fd, level, option, &value, &len), 0);
        return value != 0;
}

static struct sockaddress parsed(const char *text)
{
        struct addr a;
        struct sockaddress s;
        assert_null(addr_parse(text, ADDR_FOR_CONNECT, &a));
        assert_true(addr_literal(&a, &s));
        addr_fini(&a);
        return s;
}

/* What is to be set at once and what later, by what is configured and who is there. */
static void the_set_follows_from_the_other_side(void **state)
{
        (void)state;
        static const struct {
                const char *congestion, *address, *at_once, *later;
        } table[] = {
                { "auto", "127.0.0.1:1", NULL, "reno" },
                { "auto", "127.255.0.9:1", NULL, "reno" },
                { "auto", "[::1]:1", NULL, "reno" },
                { "auto", "[::ffff:127.0.0.1]:1", NULL, "reno" },
                { "auto", "10.0.0.1:1", NULL, NULL },
                { "auto", "0.0.0.0:1", NULL, NULL },
                { "auto", "[::]:1", NULL, NULL },
                { "auto", "[::2]:1", NULL, NULL },
                { "auto", "[::ffff:10.0.0.1]:1", NULL, NULL },
                { "system", "127.0.0.1:1", NULL, NULL },
                { "system", "10.0.0.1:1", NULL, NULL },
                { "cubic", "127.0.0.1:1", "cubic", NULL },
                { "cubic", "[2001:db8::1]:1", "cubic", NULL },
        };
        for (size_t i = 0; i < COUNTOF(table); i++) {
                struct sockopt_sets sets = sockopt_sets(table[i].congestion);
                struct sockaddress a = parsed(table[i].address);
                const struct sockopts *o = sockopts_for(&sets, &a);
                assert_non_null(o);
                assert_string_equal(o->congestion != NULL ? o->congestion : "",
                                    table[i].at_once != NULL ? table[i].at_once : "");
                assert_string_equal(o->bulk_congestion != NULL ? o->bulk_congestion : "",
                                    table[i].later != NULL ? table[i].later : "");
        }
}

static void without_tcp_or_sets_nothing_is_asked_for(void **state)
{
        (void)state;
        struct sockopt_sets sets = sockopt_sets("cubic");
        struct sockaddress tcp = parsed("127.0.0.1:1"), path = parsed("unix:/x");
        assert_null(sockopts_for(&sets, &path));
        assert_null(sockopts_for(NULL, &path));
        assert_null(sockopts_for(NULL, &tcp)->congestion);
        assert_null(sockopts_for(NULL, &tcp)->bulk_congestion);
        OWN_FD int fd = new_socket();
        assert_int_equal(sockopt_begin(fd, NULL), 0);
        assert_int_equal(sockopt_listen(fd, NULL), 0);
        sockopt_tune(fd, NULL);
        assert_false(is_on(fd, IPPROTO_TCP, TCP_NODELAY));
}

static void what_can_wait_waits(void **state)
{
        (void)state;
        char before[32], name[32];
        const struct sockopts later = { .bulk_congestion = "reno" },
                              at_once = { .congestion = "reno" };
        OWN_FD int fd = new_socket();
        congestion_of(fd, before);
        assert_int_equal(sockopt_begin(fd, &later), 0);
        assert_string_equal(congestion_of(fd, name), before);
        assert_false(is_on(fd, IPPROTO_TCP, TCP_NODELAY));
        assert_true(is_on(fd, SOL_SOCKET, SO_KEEPALIVE));
        sockopt_tune(fd, &later);
        assert_string_equal(congestion_of(fd, name), "reno");
        assert_true(is_on(fd, IPPROTO_TCP, TCP_NODELAY));
        OWN_FD int other = new_socket();
        assert_int_equal(sockopt_begin(other, &at_once), 0);
        assert_string_equal(congestion_of(other, name), "reno");
}

static void what_is_on_this_machine_does_not_vanish(void **state)
{
        (void)state;
        static const struct {
                const char *congestion, *address;
                bool at_once;
        } table[] = {
                { "auto", "127.0.0.1:1", false },    { "auto", "[::1]:1", false },
                { "system", "127.0.0.1:1", false },  { "reno", "127.0.0.1:1", false },
                { "auto", "10.0.0.1:1", true },      { "system", "10.0.0.1:1", true },
                { "reno", "[2001:db8::1]:1", true },
        };
        for (size_t i = 0; i < COUNTOF(table); i++) {
                struct sockopt_sets sets = sockopt_sets(table[i].congestion);
                struct sockaddress a = parsed(table[i].address);
                const struct sockopts *o = sockopts_for(&sets, &a);
                OWN_FD int fd = new_socket();
                assert_int_equal(sockopt_begin(fd, o), 0);
                assert_int_equal(is_on(fd, SOL_SOCKET, SO_KEEPALIVE), table[i].at_once);
                sockopt_tune(fd, o);
                assert_true(is_on(fd, SOL_SOCKET, SO_KEEPALIVE));
        }
}

static void a_listener_has_all_at_once(void **state)
{
        (void)state;
        char name[32];
        const struct sockopts both[] = { { .congestion = "reno" }, { .bulk_congestion = "reno" } };
        for (size_t i = 0; i < COUNTOF(both); i++) {
                OWN_FD int fd = new_socket();
                assert_int_equal(sockopt_listen(fd, &both[i]), 0);
                assert_string_equal(congestion_of(fd, name), "reno");
                assert_true(is_on(fd, IPPROTO_TCP, TCP_NODELAY));
                assert_true(is_on(fd, SOL_SOCKET, SO_KEEPALIVE));
        }
}

static void an_algorithm_nobody_has_is_refused(void **state)
{
        (void)state;
        const struct sockopts wrong = { .congestion = "nosuch" };
        OWN_FD int fd = new_socket();
        assert_int_equal(sockopt_begin(fd, &wrong), ENOENT);
        assert_int_equal(sockopt_listen(fd, &wrong), ENOENT);
        assert_int_equal(sockopt_congestion_try("nosuch"), ENOENT);
        assert_int_equal(sockopt_congestion_try("reno"), 0);
        assert_true(sockopt_congestion_for_all("reno"));
        assert_false(sockopt_congestion_for_all("ren"));
}

static void those_offered_can_be_listed(void **state)
{
        (void)state;
        char buf[64];
        OWN(text_fini) struct text offered = { 0 };
        text_add(&offered, ", ");
        sockopt_congestion_offered(&offered);
        text_add(&offered, ",");
        assert_null(strchr(text_str(&offered), '\n'));
        snprintf(buf, sizeof buf, ", %s,", "reno");
        assert_non_null(strstr(text_str(&offered), buf));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(the_set_follows_from_the_other_side),
                cmocka_unit_test(without_tcp_or_sets_nothing_is_asked_for),
                cmocka_unit_test(what_can_wait_waits),
                cmocka_unit_test(what_is_on_this_machine_does_not_vanish),
                cmocka_unit_test(a_listener_has_all_at_once),
                cmocka_unit_test(an_algorithm_nobody_has_is_refused),
                cmocka_unit_test(those_offered_can_be_listed),
        };
        return cmocka_run_group_tests_name("net/sockopt", tests, NULL, NULL);
}
