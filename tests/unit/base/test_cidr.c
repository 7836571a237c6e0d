/* SPDX-License-Identifier: ISC */
/* Ranges of addresses: what is one, and what lies in it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/cidr.h"
#include "base/own.h"

static struct sockaddress address(const char *text)
{
        struct addr a;
        struct sockaddress out;
        assert_null(addr_parse(text, ADDR_FOR_CONNECT, &a));
        assert_true(addr_literal(&a, &out));
        addr_fini(&a);
        return out;
}

static void what_lies_in_it(void **state)
{
        (void)state;
        static const struct {
                const char *range, *address;
                bool has;
        } table[] = {
                { "10.0.0.5", "10.0.0.5:1", true },
                { "10.0.0.5", "10.0.0.4:1", false },
                { "10.0.0.5/32", "10.0.0.5:1", true },
                { "10.1.2.3/8", "10.200.0.1:1", true },
                { "10.0.0.0/8", "11.0.0.1:1", false },
                { "10.0.0.0/9", "10.127.0.1:1", true },
                { "10.0.0.0/9", "10.128.0.1:1", false },
                { "10.0.0.254/31", "10.0.0.255:1", true },
                { "10.0.0.254/31", "10.0.0.253:1", false },
                { "0.0.0.0/0", "255.255.255.255:1", true },
                { "0.0.0.0/0", "[2001:db8::1]:1", false },
                { "::/0", "[2001:db8::1]:1", true },
                { "2001:db8::/32", "[2001:db8:1::1]:1", true },
                { "2001:db8::/32", "[2001:db9::1]:1", false },
                { "::1", "[::1]:1", true },
                { "::1", "[::2]:1", false },
                { "127.0.0.1", "[::ffff:127.0.0.1]:1", true },
                { "::ffff:10.0.0.0/104", "10.9.9.9:1", true },
                { "0.0.0.0/0", "unix:/run/x", false },
                { "::/0", "unix:@x", false },
        };
        for (size_t i = 0; i < COUNTOF(table); i++) {
                struct cidr c;
                struct sockaddress a = address(table[i].address);
                assert_null(cidr_parse(table[i].range, &c));
                if (cidr_has(&c, &a) != table[i].has)
                        fail_msg("%s in %s", table[i].address, table[i].range);
        }
}

static void what_is_none(void **state)
{
        (void)state;
        static const char *const table[] = {
                "",
                "/8",
                "10.0.0.0/",
                "10.0.0.0/33",
                "10.0.0.0/-1",
                "10.0.0/8",
                "10.0.0.0/8x",
                "::/129",
                "host.example",
                "10.0.0.5:22",
                "[::1]",
                "10.0.0.0/8/8",
                "1.2.3.4 ",
                "::/4294967296",
                "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
        };
        for (size_t i = 0; i < COUNTOF(table); i++) {
                struct cidr c;
                if (cidr_parse(table[i], &c) == NULL)
                        fail_msg("%s is taken for a range", table[i]);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(what_lies_in_it),
                cmocka_unit_test(what_is_none),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
