/* SPDX-License-Identifier: ISC */
/* What differs between two configurations, and the files one names. */
#include "attempt.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "config/changes.h"
#include "config/files.h"

#define BASE                                                        \
        "services: { a: { listen = \"*:1\"; connect = \"echo\" }; " \
        "b: { listen = \"*:2\"; connect = \"h:1\" } }"

static void add_line(const char *line, void *text)
{
        text_addf(text, "%s\n", line);
}

/* before and after, and all lines there should be. */
static void assert_changes(const char *before, const char *after, const char *wanted)
{
        struct config *a = must_read(before), *b = must_read(after);
        struct text said = { 0 };
        struct config_changes c = config_changes(a, b, add_line, &said);
        assert_string_equal(text_str(&said), wanted);
        assert_false(c.failed);
        text_fini(&said);
        config_free(a);
        config_free(b);
}

static void nothing_changes_by_order_place_or_notation(void **state)
{
        (void)state;
        assert_changes(BASE, BASE, "");
        assert_changes(
                BASE,
                "\n\ndefaults: { idle-timeout = \"off\" }\n"
                "services: { b: { listen = [\"*:2\"]; connect = \"h:1\"; };\n"
                "a: { listen = \"*:1\"; connect = \"echo\"; connect-timeout = \"10000ms\" } }",
                "");
}

static void each_service_has_a_line(void **state)
{
        (void)state;
        assert_changes(BASE,
                       "services: { b: { listen = \"*:3\"; connect = [\"h:1\", \"h:2\"] }\n"
                       "c: { listen = \"*:1\"; connect = \"echo\" } }",
                       "service \"a\": removed\n"
                       "service \"b\": listen, connect changed\n"
                       "service \"c\": added\n");
}

static void defaults_change_those_who_inherit(void **state)
{
        (void)state;
        assert_changes(BASE,
                       "defaults: { idle-timeout = \"1s\" }\n"
                       "services: { a: { listen = \"*:1\"; connect = \"echo\" }; "
                       "b: { listen = \"*:2\"; connect = \"h:1\"; idle-timeout = \"off\" } }",
                       "service \"a\": idle-timeout changed\n");
}

static void groups_are_named(void **state)
{
        (void)state;
        const char *plain = "services: { a: { listen = \"*:1\"; connect = \"h:1\" } }";
        const char *tls = "services: { a: { listen = \"*:1\"; connect = \"h:1\"\n"
                          "listen-tls: { certificate = \"/c\" } } }";
        const char *other = "services: { a: { listen = \"*:1\"; connect = \"h:1\"\n"
                            "listen-tls: { certificate = \"/d\"; tickets = false }\n"
                            "listen-socket: { mode = \"0600\" } } }";
        assert_changes(plain, tls, "service \"a\": listen-tls changed\n");
        assert_changes(tls, plain, "service \"a\": listen-tls changed\n");
        assert_changes(tls, other,
                       "service \"a\": listen-tls.certificate, listen-tls.tickets, "
                       "listen-socket.mode changed\n");
}

static void what_needs_a_restart_says_so(void **state)
{
        (void)state;
        struct config *a = must_read(BASE), *b = must_read("workers = 9; drain-timeout = \"1s\"\n"
                                                           "log: { level = \"error\" }\n" BASE);
        struct text said = { 0 };
        struct config_changes c = config_changes(a, b, add_line, &said);
        assert_string_equal(text_str(&said),
                            "drain-timeout, log.level changed\n"
                            "workers changed, which takes effect after a restart\n");
        assert_true(c.needs_restart);
        assert_true(c.elsewhere);
        assert_int_equal(c.added + c.removed + c.changed, 0);
        text_fini(&said);
        config_free(a);
        config_free(b);
}

static void files_are_those_in_effect(void **state)
{
        (void)state;
        struct config *c = must_read(
                "defaults: { listen-tls: { certificate = \"/default\" } }\n"
                "services: { a: { listen = \"*:1\"; connect = \"h:1\"\n"
                "              listen-tls: { certificate = [\"/c\", \"/d\"]; key = [\"/k\", "
                "\"/l\"] } }\n"
                "b: { listen = \"*:2\"; connect = \"h:1\"; connect-tls: { ca = \"/ca\" } } }");
        struct text said = { 0 };
        config_each_file(c, add_line, &said);
        assert_string_equal(text_str(&said), "/c\n/d\n/k\n/l\n/ca\n");
        text_fini(&said);
        config_free(c);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(nothing_changes_by_order_place_or_notation),
                cmocka_unit_test(each_service_has_a_line),
                cmocka_unit_test(defaults_change_those_who_inherit),
                cmocka_unit_test(groups_are_named),
                cmocka_unit_test(what_needs_a_restart_says_so),
                cmocka_unit_test(files_are_those_in_effect),
        };
        return cmocka_run_group_tests_name("config/changes", tests, NULL, NULL);
}
