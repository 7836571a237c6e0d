/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/own.h"
#include "control/admin_request.h"

#define LONG64 "/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

static const struct {
        const char *head;
        int status;
        bool head_only;
        const char *path, *host;
} cases[] = {
        { "GET / HTTP/1.1\r\nHost: localhost:9000\r\n\r\n", 0, false, "/", "localhost" },
        { "GET /metrics HTTP/1.0\r\n\r\n", 0, false, "/metrics", "" },
        { "HEAD /readyz?verbose=1 HTTP/1.1\nhost:\t[::1]:80 \n\n", 0, true, "/readyz", "[::1]" },
        { "GET /x HTTP/1.1\r\nHost: [::1]\r\n\r\n", 0, false, "/x", "[::1]" },
        { "GET http://a.example:80/status.json HTTP/1.1\r\nHost: b\r\n\r\n", 0, false,
          "/status.json", "b" },
        { "GET http://a.example HTTP/1.1\r\n\r\n", 0, false, "/", "" },
        { "GET " LONG64 " HTTP/1.1\r\n\r\n", 0, false, "", "" },
        { "POST / HTTP/1.1\r\n\r\n", 405, false, NULL, NULL },
        { "get / HTTP/1.1\r\n\r\n", 405, false, NULL, NULL },
        { "GET / HTTP/2.0\r\n\r\n", 505, false, NULL, NULL },
        { "GET /\r\n\r\n", 400, false, NULL, NULL },
        { "GET  / HTTP/1.1\r\n\r\n", 400, false, NULL, NULL },
        { "GET / HTTP/1.1 \r\n\r\n", 400, false, NULL, NULL },
        { "GET x HTTP/1.1\r\n\r\n", 400, false, NULL, NULL },
        { "\r\n\r\n", 400, false, NULL, NULL },
        { "", 400, false, NULL, NULL },
        { "\x16\x03\x01\x02 / HTTP/1.1\r\n\r\n", 400, false, NULL, NULL },
        { "GET / HTTP/1.1\r\nno colon\r\n\r\n", 400, false, NULL, NULL },
        { "GET / HTTP/1.1\r\nHost : a\r\n\r\n", 400, false, NULL, NULL },
        { "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400, false, NULL, NULL },
        { "GET / HTTP/1.1\r\n folded: a\r\n\r\n", 400, false, NULL, NULL },
};

/* A copy without a NUL behind it, so that reading too far is noticed by tools that watch. */
static char *exact(const char *s, size_t n)
{
        char *copy = malloc(n > 0 ? n : 1);
        assert_non_null(copy);
        memcpy(copy, s, n);
        return copy;
}

static void requests_are_read(void **state)
{
        (void)state;
        for (size_t i = 0; i < COUNTOF(cases); i++) {
                struct admin_request r;
                size_t n = strlen(cases[i].head);
                OWN_FREE char *head = exact(cases[i].head, n);
                assert_int_equal(admin_request_parse(head, n, &r), cases[i].status);
                if (cases[i].status != 0)
                        continue;
                assert_int_equal(r.head_only, cases[i].head_only);
                assert_string_equal(r.path, cases[i].path);
                assert_string_equal(r.host, cases[i].host);
        }
}

static void no_beginning_of_a_request_is_read_beyond_its_end(void **state)
{
        (void)state;
        for (size_t i = 0; i < COUNTOF(cases); i++)
                for (size_t n = 0; n < strlen(cases[i].head); n++) {
                        struct admin_request r;
                        OWN_FREE char *head = exact(cases[i].head, n);
                        admin_request_parse(head, n, &r);
                        assert_int_equal(admin_request_end(head, n), 0);
                }
}

static void a_nul_is_nothing_for_a_head(void **state)
{
        (void)state;
        struct admin_request r;
        static const char head[] = "GET / HTTP/1.1\r\nA: \0\r\n\r\n";
        assert_int_equal(admin_request_parse(head, sizeof head - 1, &r), 400);
}

static void the_end_of_a_head_is_its_empty_line(void **state)
{
        (void)state;
        static const struct {
                const char *s;
                size_t end;
        } ends[] = {
                { "a\r\n\r\nrest", 5 }, { "a\n\nrest", 3 }, { "a\r\n\nrest", 4 },
                { "a\r\nb\r\n", 0 },    { "a\r\n\r", 0 },   { "\n\r\n", 3 },
                { "a\n\rb\n\n", 6 },
        };
        for (size_t i = 0; i < COUNTOF(ends); i++) {
                size_t n = strlen(ends[i].s);
                OWN_FREE char *s = exact(ends[i].s, n);
                assert_int_equal(admin_request_end(s, n), ends[i].end);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(requests_are_read),
                cmocka_unit_test(no_beginning_of_a_request_is_read_beyond_its_end),
                cmocka_unit_test(a_nul_is_nothing_for_a_head),
                cmocka_unit_test(the_end_of_a_head_is_its_empty_line),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
