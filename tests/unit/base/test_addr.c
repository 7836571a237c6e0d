/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <arpa/inet.h>
#include <net/if.h>

#include <cmocka.h>

#include "base/addr.h"
#include "base/own.h"

enum { L = 1 << ADDR_FOR_LISTEN, C = 1 << ADDR_FOR_CONNECT };

static const struct {
        const char *text;
        int use;
        enum addr_kind kind;
        const char *host;
        uint16_t port;
        const char *literal; /* as sockaddress_text() has it; NULL: none */
} good[] = {
        { "127.0.0.1:80", L | C, ADDR_HOST, "127.0.0.1", 80, "127.0.0.1:80" },
        { "127.0.0.1:0", L, ADDR_HOST, "127.0.0.1", 0, "127.0.0.1:0" },
        { "0.0.0.0:65535", L | C, ADDR_HOST, "0.0.0.0", 65535, "0.0.0.0:65535" },
        { "example.net:http", L | C, ADDR_HOST, "example.net", 80, NULL },
        { "my_host-1.example.:443", L | C, ADDR_HOST, "my_host-1.example.", 443, NULL },
        { "[::1]:22", L | C, ADDR_HOST, "::1", 22, "[::1]:22" },
        { "[2001:DB8::0:1]:ssh", L | C, ADDR_HOST, "2001:DB8::0:1", 22, "[2001:db8::1]:22" },
        { "[::ffff:10.0.0.1]:1", L | C, ADDR_HOST, "::ffff:10.0.0.1", 1, "10.0.0.1:1" },
        { "[fe80::1%lo]:1", L | C, ADDR_HOST, "fe80::1%lo", 1, "[fe80::1%lo]:1" },
        { "[fe80::1%nosuchif]:1", L | C, ADDR_HOST, "fe80::1%nosuchif", 1, NULL },
        { "*:8080", L, ADDR_HOST, "*", 8080, NULL },
        { "*:0", L, ADDR_HOST, "*", 0, NULL },
        { "unix:/run/x.sock", L | C, ADDR_UNIX, "/run/x.sock", 0, "unix:/run/x.sock" },
        { "unix:/a:b@c", L | C, ADDR_UNIX, "/a:b@c", 0, "unix:/a:b@c" },
        { "unix:@name", L | C, ADDR_UNIX, "@name", 0, "unix:@name" },
        { "systemd:web", L, ADDR_SYSTEMD, "web", 0, NULL },
        { "systemd:spliced.socket", L, ADDR_SYSTEMD, "spliced.socket", 0, NULL },
        { "echo", C, ADDR_BUILTIN, "echo", 0, NULL },
        { "discard", C, ADDR_BUILTIN, "discard", 0, NULL },
        { "chargen", C, ADDR_BUILTIN, "chargen", 0, NULL },
        { "daytime", C, ADDR_BUILTIN, "daytime", 0, NULL },
        { "echo:7", L | C, ADDR_HOST, "echo", 7, NULL },
};

static void check_good(size_t i, enum addr_use use)
{
        struct addr a;
        struct sockaddress literal;
        char buf[SOCKADDRESS_TEXT_MAX];
        const char *wrong = addr_parse(good[i].text, use, &a);
        if (wrong != NULL)
                fail_msg("\"%s\" %s", good[i].text, wrong);
        assert_int_equal(a.kind, good[i].kind);
        assert_string_equal(a.text, good[i].text);
        assert_string_equal(a.host, good[i].host);
        assert_int_equal(a.port, good[i].port);
        assert_int_equal(a.any, strcmp(good[i].host, "*") == 0);
        assert_int_equal(addr_literal(&a, &literal), good[i].literal != NULL);
        if (good[i].literal != NULL)
                assert_string_equal(sockaddress_text(&literal, buf), good[i].literal);
        else
                assert_int_equal(literal.len, 0);
        addr_fini(&a);
        assert_null(a.text);
}

static void addresses_are_read_as_people_write_them(void **state)
{
        (void)state;
        for (size_t i = 0; i < COUNTOF(good); i++) {
                if (good[i].use & L)
                        check_good(i, ADDR_FOR_LISTEN);
                if (good[i].use & C)
                        check_good(i, ADDR_FOR_CONNECT);
        }
}

#define TEN     "0123456789"
#define HUNDRED TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN

static const struct {
        const char *text;
        int use;
        const char *says;
} bad[] = {
        { "", L | C, "is empty" },
        { "80", L | C, "has no host" },
        { "example.net", L | C, "has no port" },
        { "::1", L | C, "brackets" },
        { "::1:80", L | C, "brackets" },
        { "2001:db8::1", L | C, "brackets" },
        { "[::1]", L | C, "has no port" },
        { "[::1]:", L | C, "has no port" },
        { "[::1]80", L | C, "after the bracket" },
        { "[::1:80", L | C, "no closing bracket" },
        { "[]:80", L | C, "no IPv6 address" },
        { "[127.0.0.1]:80", L | C, "no IPv6 address" },
        { "[example.net]:80", L | C, "no IPv6 address" },
        { "[fe80::1%]:80", L | C, "no IPv6 address" },
        { "[" HUNDRED "]:80", L | C, "no IPv6 address" },
        { "host:", L | C, "has no port" },
        { "host:65536", L | C, "1 to 65535" },
        { "host:99999999999999999999999", L | C, "1 to 65535" },
        { "host:-1", L | C, "neither a number nor" },
        { "host:+1", L | C, "neither a number nor" },
        { "host: 80", L | C, "neither a number nor" },
        { "host:80 ", L | C, "neither a number nor" },
        { "host:0x50", L | C, "neither a number nor" },
        { "host:nosuchservice", L | C, "neither a number nor" },
        { "host:0", C, "port 0" },
        { "[::1]:0", C, "port 0" },
        { ":80", L | C, "has no host" },
        { "*:80", C, "every address" },
        { "256.0.0.1:80", L | C, "not an IPv4 address" },
        { "10.0.1:80", L | C, "not an IPv4 address" },
        { "ho st:80", L | C, "a character in its host" },
        { "user@host:80", L | C, "a character in its host" },
        { "*.example.net:80", L | C, "a character in its host" },
        { "h\xc3\xbcgel.example:80", L | C, "a character in its host" },
        { HUNDRED HUNDRED HUNDRED ":80", L | C, "253" },
        { "http://example.net", L | C, "is a URL" },
        { "http://example.net:80/", L | C, "is a URL" },
        { "/run/x.sock", L | C, "unix:/PATH" },
        { "unix:", L | C, "absolute path" },
        { "unix:x.sock", L | C, "absolute path" },
        { "unix:./x.sock", L | C, "absolute path" },
        { "unix:/", L | C, "directory" },
        { "unix:@", L | C, "no name" },
        { "unix:/" HUNDRED "1234567", L | C, "at most 107" },
        { "unix:@" HUNDRED "1234567", L | C, "at most 106" },
        { "systemd:", L, "no name" },
        { "systemd:a:b", L, "FileDescriptorName=" },
        { "systemd:a\nb", L, "FileDescriptorName=" },
        { "systemd:" HUNDRED HUNDRED HUNDRED, L, "at most 255" },
        { "systemd:web", C, "nobody can connect" },
        { "udp:127.0.0.1:53", L | C, "udp: addresses are not supported by this version" },
        { "echo", L, "built in" },
        { "daytime", L, "built in" },
        { "Echo", C, "has no port" },
};

static void check_bad(size_t i, enum addr_use use)
{
        struct addr a = { .port = 1 };
        const char *wrong = addr_parse(bad[i].text, use, &a);
        if (wrong == NULL)
                fail_msg("\"%s\" is taken", bad[i].text);
        else if (strstr(wrong, bad[i].says) == NULL)
                fail_msg("\"%s\" %s", bad[i].text, wrong);
        assert_null(a.text);
        assert_null(a.host);
}

static void each_mistake_is_called_by_its_name(void **state)
{
        (void)state;
        for (size_t i = 0; i < COUNTOF(bad); i++) {
                if (bad[i].use & L)
                        check_bad(i, ADDR_FOR_LISTEN);
                if (bad[i].use & C)
                        check_bad(i, ADDR_FOR_CONNECT);
        }
}

static void the_longest_path_and_name_fit(void **state)
{
        (void)state;
        static const char *const longest[] = { "unix:/" HUNDRED "123456",
                                               "unix:@" HUNDRED "123456" };
        for (size_t i = 0; i < COUNTOF(longest); i++) {
                struct addr a;
                struct sockaddress s;
                char buf[SOCKADDRESS_TEXT_MAX];
                assert_null(addr_parse(longest[i], ADDR_FOR_LISTEN, &a));
                assert_true(addr_literal(&a, &s));
                assert_string_equal(sockaddress_text(&s, buf), longest[i]);
                assert_in_range(s.len, 1, sizeof(struct sockaddr_un));
                addr_fini(&a);
        }
}

static struct sockaddress unix_of(const char *path, size_t n)
{
        struct sockaddress a = { .un.sun_family = AF_UNIX };
        memcpy(a.un.sun_path, path, n);
        a.len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n);
        return a;
}

static void addresses_from_the_kernel_are_shown_safely(void **state)
{
        (void)state;
        char buf[SOCKADDRESS_TEXT_MAX];
        struct sockaddress a = { 0 };
        assert_string_equal(sockaddress_text(&a, buf), "-");
        a = unix_of("", 0);
        assert_string_equal(sockaddress_text(&a, buf), "unix:");
        a = unix_of("/x\0garbage", 10);
        assert_string_equal(sockaddress_text(&a, buf), "unix:/x");
        a = unix_of("\0a\0b\n\xff", 6);
        assert_string_equal(sockaddress_text(&a, buf), "unix:@a?b??");
        a = unix_of(HUNDRED "12345678", 108); /* fills sun_path: no NUL */
        assert_string_equal(sockaddress_text(&a, buf), "unix:" HUNDRED "12345678");
        a = (struct sockaddress){ .in6 = { .sin6_family = AF_INET6, .sin6_scope_id = 4000000000 } };
        a.len = sizeof a.in6;
        assert_string_equal(sockaddress_text(&a, buf), "[::%4000000000]:0");
        a = (struct sockaddress){ .sa.sa_family = AF_NETLINK, .len = sizeof a.sa };
        assert_non_null(strstr(sockaddress_text(&a, buf), "family"));
}

static struct sockaddress literal(const char *text)
{
        struct addr a;
        struct sockaddress s;
        assert_null(addr_parse(text, ADDR_FOR_LISTEN, &a));
        assert_true(addr_literal(&a, &s));
        addr_fini(&a);
        return s;
}

static void addresses_are_equal_when_they_name_the_same(void **state)
{
        (void)state;
        static const char *const different[] = {
                "127.0.0.1:1", "127.0.0.1:2",    "127.0.0.2:1", "[::1]:1",
                "[::2]:1",     "[fe80::1%lo]:1", "[fe80::1]:1", "unix:/a",
                "unix:/b",     "unix:@a",        "unix:/aa",    "unix:@aa",
        };
        for (size_t i = 0; i < COUNTOF(different); i++)
                for (size_t j = 0; j < COUNTOF(different); j++) {
                        struct sockaddress a = literal(different[i]), b = literal(different[j]);
                        assert_int_equal(sockaddress_equal(&a, &b), i == j);
                }
        struct sockaddress none = { 0 }, other = { 0 }, some = literal("[::1]:1");
        assert_true(sockaddress_equal(&none, &other));
        assert_false(sockaddress_equal(&none, &some));
        struct sockaddress counted = unix_of("/x", 3), uncounted = unix_of("/x", 2);
        assert_true(sockaddress_equal(&counted, &uncounted));
}

/* Whatever surrounds it: one octet more than its room is not touched. */
static void check_packing(const struct sockaddress *a, size_t most)
{
        uint8_t room[160];
        struct sockaddress back;
        size_t n = sockaddress_packed_size(a);
        assert_in_range(n, 1, most);
        memset(room, 0xa5, sizeof room);
        sockaddress_pack(a, room);
        for (size_t i = n; i < sizeof room; i++)
                assert_int_equal(room[i], 0xa5);
        assert_ptr_equal(sockaddress_unpack(room, &back), room + n);
        assert_int_equal(back.len, a->len);
        assert_memory_equal(&back.storage, &a->storage, a->len);
}

static void a_packed_address_is_the_same_and_small(void **state)
{
        (void)state;
        static const struct {
                const char *text;
                size_t most;
        } table[] = { { "10.0.0.5:22", 9 },          { "[2001:db8::1]:22", 29 },
                      { "[fe80::1%lo]:22", 29 },     { "unix:/run/a.socket", 20 },
                      { "unix:@name", 12 },          { "unix:@0123456789", 20 },
                      { "255.255.255.255:65535", 9 } };
        for (size_t i = 0; i < COUNTOF(table); i++) {
                struct addr a;
                struct sockaddress literal;
                assert_null(addr_parse(table[i].text, ADDR_FOR_CONNECT, &a));
                assert_true(addr_literal(&a, &literal));
                check_packing(&literal, table[i].most);
                addr_fini(&a);
        }
        struct sockaddress none = { 0 }, unnamed = { .len = sizeof(sa_family_t) }, full = { 0 };
        unnamed.sa.sa_family = AF_UNIX;
        full.len = sizeof full.storage;
        memset(&full.storage, 0xff, sizeof full.storage);
        check_packing(&none, 1);
        check_packing(&unnamed, 3);
        check_packing(&full, 129);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(addresses_are_read_as_people_write_them),
                cmocka_unit_test(each_mistake_is_called_by_its_name),
                cmocka_unit_test(the_longest_path_and_name_fit),
                cmocka_unit_test(addresses_from_the_kernel_are_shown_safely),
                cmocka_unit_test(a_packed_address_is_the_same_and_small),
                cmocka_unit_test(addresses_are_equal_when_they_name_the_same),
        };
        return cmocka_run_group_tests_name("base/addr", tests, NULL, NULL);
}
