/* SPDX-License-Identifier: ISC */
/* Names: as clients ask for them, and who has them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/own.h"
#include "tls/names.h"
#include "tls/sni.h"

static void names_are_found(void **state)
{
        (void)state;
        static const struct {
                const char *asked;
                long set; /* -1: none */
        } table[] = {
                { "a.example", 1 },
                { "A.Example", 1 },
                { "a.example.", 1 },
                { "b.example", 2 },
                { "c.example", 3 },
                { "x.c.example", -1 },
                { "example", -1 },
                { "", -1 },
                { ".", -1 },
                { ".example", -1 },
                { "x.y.c.example", -1 },
                { "x.wild.example", 4 },
                { "wild.example", 3 },
                { "*.example", 3 },
                { "\xff.example", 3 },
                { "x.x.wild.example", -1 },
        };
        struct names t = { 0 };
        size_t set;
        assert_false(names_find(&t, "a.example", &set));
        assert_true(names_add(&t, "b.example", 2) && names_add(&t, "*.wild.example", 4) &&
                    names_add(&t, "*.example", 3) && names_add(&t, "a.example", 1));
        names_sort(&t);
        for (size_t i = 0; i < COUNTOF(table); i++) {
                bool found = names_find(&t, table[i].asked, &set);
                long got = found ? (long)set : -1;
                if (got != table[i].set)
                        fail_msg("%s: %ld, not %ld", table[i].asked, got, table[i].set);
        }
        char long_name[400];
        memset(long_name, 'a', sizeof long_name - 1);
        long_name[sizeof long_name - 1] = '\0';
        assert_false(names_find(&t, long_name, &set));
        names_fini(&t);
}

static void names_in_hellos(void **state)
{
        (void)state;
        static const struct {
                const char *octets;
                size_t n;
                const char *name; /* NULL: none */
        } table[] = {
                { "\0\4\0\0\1a", 6, "a" },
                { "\0\14\0\0\11a.example", 14, "a.example" },
                { "", 0, NULL },
                { "\0", 1, NULL },
                { "\0\0", 2, NULL },
                { "\0\3\0\0\0", 5, NULL },           /* empty */
                { "\0\4\1\0\1a", 6, NULL },          /* not a host name */
                { "\0\4\0\0\2a", 6, NULL },          /* longer than it is */
                { "\0\5\0\0\1a", 6, NULL },          /* the list, too */
                { "\0\4\0\0\1ab", 7, NULL },         /* something behind it */
                { "\0\10\0\0\1a\0\0\1b", 10, NULL }, /* two */
                { "\0\6\0\0\3a\0b", 8, NULL },       /* a NUL within */
        };
        char name[SNI_MAX + 1];
        for (size_t i = 0; i < COUNTOF(table); i++) {
                /* A copy of its exact size: whoever reads past its end is found out. */
                uint8_t *p = malloc(table[i].n + (table[i].n == 0));
                memcpy(p, table[i].octets, table[i].n);
                bool parsed = sni_parse(p, table[i].n, name);
                assert_int_equal(parsed, table[i].name != NULL);
                if (parsed)
                        assert_string_equal(name, table[i].name);
                free(p);
        }
}

static void a_name_too_long(void **state)
{
        (void)state;
        uint8_t hello[5 + 300] = { 0 };
        char name[SNI_MAX + 1];
        memset(hello + 5, 'x', 300);
        for (size_t len = 254; len <= 257; len++) {
                hello[0] = (uint8_t)((len + 3) >> 8);
                hello[1] = (uint8_t)(len + 3);
                hello[3] = (uint8_t)(len >> 8);
                hello[4] = (uint8_t)len;
                assert_int_equal(sni_parse(hello, len + 5, name), len <= 255);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(names_are_found),
                cmocka_unit_test(names_in_hellos),
                cmocka_unit_test(a_name_too_long),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
