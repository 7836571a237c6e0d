/* SPDX-License-Identifier: ISC */
/* The rules between directives. */
#include "attempt.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/own.h"

/* Two addresses to listen on, on lines 1 and 2: do they clash? */
static const struct {
        const char *a, *b;
        bool clash;
} pairs[] = {
        { "*:80", "*:80", true },
        { "*:80", "*:81", false },
        { "*:80", "127.0.0.1:80", true },
        { "*:80", "[::1]:80", true },
        { "*:80", "0.0.0.0:80", true },
        { "*:80", "[::]:80", true },
        { "*:80", "localhost:80", true },
        { "0.0.0.0:80", "127.0.0.1:80", true },
        { "0.0.0.0:80", "[::1]:80", false },
        { "0.0.0.0:80", "[::]:80", false },
        { "[::]:80", "[::1]:80", true },
        { "[::]:80", "127.0.0.1:80", false },
        { "127.0.0.1:80", "127.0.0.2:80", false },
        { "127.0.0.1:80", "127.0.0.1:80", true },
        { "127.0.0.1:80", "127.0.0.1:http", true },
        { "[::1]:80", "[0:0::1]:80", true },
        { "[::1]:80", "127.0.0.1:80", false },
        { "example:80", "EXAMPLE:80", true },
        { "example:80", "elsewhere:80", false },
        { "example:80", "0.0.0.0:80", true },
        { "*:0", "*:0", false },
        { "127.0.0.1:0", "127.0.0.1:0", false },
        { "unix:/a", "unix:/a", true },
        { "unix:/a", "unix:/b", false },
        { "unix:@a", "unix:@a", true },
        { "unix:/@a", "unix:@a", false },
        { "systemd:a", "systemd:a", true },
        { "systemd:a", "systemd:b", false },
        { "systemd:/a", "unix:/a", false },
};

static void assert_pair(const char *text, const char *a, const char *b, bool clash)
{
        struct attempt result = attempt_text(text);
        OWN(text_fini) struct text place = { 0 };
        text_addf(&place, "t:2: listen \"%s\" in service ", b);
        if (result.errors != clash ||
            (clash && strstr(result.messages, text_str(&place)) == NULL) ||
            (clash && strstr(result.messages, "(t:1)") == NULL))
                fail_msg("%s and %s %s:\n%s", a, b, clash ? "clash" : "do not clash",
                         result.messages);
        attempt_end(&result);
}

static void two_listeners_on_one_address_are_told_with_both_places(void **state)
{
        (void)state;
        for (size_t i = 0; i < 2 * COUNTOF(pairs); i++) {
                const char *a = i % 2 ? pairs[i / 2].a : pairs[i / 2].b;
                const char *b = i % 2 ? pairs[i / 2].b : pairs[i / 2].a;
                OWN(text_fini) struct text two = { 0 }, one = { 0 };
                text_addf(&two,
                          "services: { a: { connect = \"echo\"; listen = \"%s\" }\n"
                          "  b: { connect = \"echo\"; listen = \"%s\" } }\n",
                          a, b);
                assert_pair(text_str(&two), a, b, pairs[i / 2].clash);
                text_addf(&one,
                          "services: { a: { connect = \"echo\"; listen = [\"%s\",\n"
                          "  \"%s\"] } }\n",
                          a, b);
                assert_pair(text_str(&one), a, b, pairs[i / 2].clash);
        }
}

static void every_clash_is_told_among_many_listeners(void **state)
{
        (void)state;
        OWN(text_fini) struct text t = { 0 };
        text_add(&t, "services: {\n");
        for (unsigned i = 0; i < 1000; i++)
                text_addf(&t, "s%u: { listen = \"127.0.0.%u:%u\"; connect = \"echo\" }\n", i,
                          i % 7 + 1, 1000 + i % 500);
        text_add(&t, "}\n");
        config_free(must_read(text_str(&t)));
        t.len -= 2;
        text_add(&t, "all: { listen = \"*:1100\"; connect = \"echo\" } }\n");
        struct attempt a = attempt_text(text_str(&t));
        assert_int_equal(a.errors, 1);
        assert_non_null(strstr(a.messages, "t:1002: listen \"*:1100\" in service \"all\""));
        attempt_end(&a);
}

/* In a service that listens on line 1; the rest is on line 2. NULL: it is fine. */
static const struct {
        const char *rest, *message;
} rules[] = {
        /* versions */
        { "connect = \"h:1\"; connect-tls: { min-version = \"1.3\"; max-version = \"1.2\" }",
          "t:2: connect-tls of service \"a\": max-version TLSv1.2 is below min-version TLSv1.3" },
        { "connect = \"h:1\"; listen-tls: { certificate = \"/c\"; profile = \"modern\"; "
          "max-version = "
          "\"1.2\" }",
          "t:2: listen-tls of service \"a\": max-version TLSv1.2 is below the profile's oldest, "
          "TLSv1.3" },
        { "connect = \"h:1\"; connect-tls: { profile = \"modern\"; min-version = \"1.2\"; "
          "max-version = "
          "\"1.2\" }",
          NULL },
        { "connect = \"h:1\"; connect-tls: { min-version = \"1.3\"; max-version = \"1.3\" }",
          NULL },
        { "connect = \"h:1\"; connect-tls: { max-version = \"1.2\" }", NULL },
        /* certificates and keys */
        { "connect = \"h:1\"; listen-tls: { certificate = [\"/c\", \"/d\"]; key = \"/k\" }",
          "t:2: listen-tls of service \"a\": 1 keys for 2 certificates" },
        { "connect = \"h:1\"; listen-tls: { certificate = \"/c\"; key = [\"/k\", \"/l\"] }",
          "t:2: listen-tls of service \"a\": 2 keys for 1 certificates" },
        { "connect = \"h:1\"; listen-tls: { certificate = [\"/c\", \"/d\"]; key = [\"/k\", \"/l\"] "
          "}",
          NULL },
        { "connect = \"h:1\"; listen-tls: { certificate = [\"/c\", \"/d\"] }", NULL },
        { "connect = \"h:1\"; connect-tls: { key = \"/k\" }",
          "t:2: connect-tls of service \"a\" has a key, but no certificate" },
        { "connect = \"h:1\"; connect-tls: { certificate = \"/c\"; key = \"/k\" }", NULL },
        /* built-ins */
        { "connect = [\"h:1\", \"echo\"]",
          "t:2: connect in service \"a\": the built-in \"echo\" stands alone" },
        { "connect = [\"daytime\", \"echo\"]",
          "t:2: connect in service \"a\": the built-in \"daytime\" stands alone" },
        { "connect = \"echo\"; connect-tls: { }",
          "t:2: connect-tls of service \"a\": the built-in \"echo\" is inside this process" },
        { "connect = \"echo\"; listen-tls: { certificate = \"/c\" }", NULL },
        /* a name to verify */
        { "connect = [\"h:1\", \"unix:/u\"]; connect-tls: { }",
          "t:2: connect \"unix:/u\" in service \"a\" has no host name to verify the certificate "
          "for" },
        { "connect = \"unix:/u\"; connect-tls: { verify = false }", NULL },
        { "connect = \"unix:/u\"; connect-tls: { server-name = \"h\" }", NULL },
        { "connect = \"unix:/u\"", NULL },
        { "connect = \"10.0.0.1:1\"; connect-tls: { }", NULL },
};

static void directives_fit_together(void **state)
{
        (void)state;
        for (size_t i = 0; i < COUNTOF(rules); i++) {
                OWN(text_fini) struct text t = { 0 };
                text_addf(&t, "services: { a: { listen = \"*:1\"\n%s } }\n", rules[i].rest);
                if (rules[i].message == NULL) {
                        config_free(must_read(text_str(&t)));
                        continue;
                }
                struct attempt a = attempt_text(text_str(&t));
                if (a.errors != 1 ||
                    strncmp(a.messages, rules[i].message, strlen(rules[i].message)) != 0)
                        fail_msg("%s\nsays:\n%snot: %s", rules[i].rest, a.messages,
                                 rules[i].message);
                attempt_end(&a);
        }
}

static void the_log_goes_to_a_known_target_or_an_absolute_path(void **state)
{
        (void)state;
        static const struct {
                const char *target, *message;
        } targets[] = {
                { "auto", NULL },
                { "stderr", NULL },
                { "journal", NULL },
                { "syslog", NULL },
                { "/var/log/spliced.log", NULL },
                { "stdrr",
                  "t:1: target in log: \"stdrr\" is not \"auto\", \"stderr\", \"syslog\", "
                  "\"journal\" or the absolute path of a file: did you mean \"stderr\"?\n" },
                { "spliced.log", "t:1: target in log: \"spliced.log\" is not \"auto\", \"stderr\", "
                                 "\"syslog\", \"journal\" or the absolute path of a file\n" },
        };
        for (size_t i = 0; i < COUNTOF(targets); i++) {
                OWN(text_fini) struct text t = { 0 };
                text_addf(&t,
                          "log: { target = \"%s\" }\n"
                          "services: { a: { listen = \"*:1\"; connect = \"echo\" } }\n",
                          targets[i].target);
                if (targets[i].message == NULL)
                        config_free(must_read(text_str(&t)));
                else
                        assert_refused(text_str(&t), targets[i].message);
        }
}

static void names_in_alpn_have_a_length_it_can_carry(void **state)
{
        (void)state;
        for (size_t n = 255; n <= 256; n++) {
                char name[257] = "";
                memset(name, 'x', n);
                OWN(text_fini) struct text t = { 0 };
                text_addf(&t,
                          "services: { a: { listen = \"*:1\"; connect = \"h:1\"; connect-tls: {\n"
                          "alpn = [\"h2\",\n\"%s\"] } } }\n",
                          name);
                if (n == 255)
                        config_free(must_read(text_str(&t)));
                else
                        assert_refused(text_str(&t),
                                       "t:3: connect-tls of service \"a\": the name in "
                                       "alpn is longer than 255 octets\n");
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(two_listeners_on_one_address_are_told_with_both_places),
                cmocka_unit_test(every_clash_is_told_among_many_listeners),
                cmocka_unit_test(directives_fit_together),
                cmocka_unit_test(the_log_goes_to_a_known_target_or_an_absolute_path),
                cmocka_unit_test(names_in_alpn_have_a_length_it_can_carry),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
