/* SPDX-License-Identifier: ISC */
/* What a configuration as a whole means: groups, defaults, names, all mistakes in one go. */
#include "attempt.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/own.h"

#define ECHO_SERVICE "services: { a: { listen = \"*:1\"; connect = \"echo\" } }\n"

static void independent_mistakes_are_all_told_in_one_run(void **state)
{
        (void)state;
        assert_refused(
                "wrokers = 4\n"
                "max-connections = \"many\"\n"
                "log: { level = \"loud\" }\n"
                "services: {\n"
                "  ssh: {\n"
                "    listen = \"*:22\"\n"
                "    conect-timeout = \"5s\"\n"
                "    idle-timeout = 10\n"
                "    connect = \"10.0.0.1\"\n"
                "  }\n"
                "  web: { listen = \"*:22\"; connect = [\"echo\", \"h:1\"]; listen-tls: { } }\n"
                "  none: { }\n"
                "}\n",
                "t:1: unknown directive \"wrokers\": did you mean \"workers\"?\n"
                "t:2: max-connections: \"many\" is not a number above 0, such as 100 or \"10k\", "
                "or \"off\"\n"
                "t:3: level in log: \"loud\" is not \"error\", \"warning\", \"notice\", \"info\" "
                "or "
                "\"debug\"\n"
                "t:7: unknown directive \"conect-timeout\" in service \"ssh\": did you mean "
                "\"connect-timeout\"?\n"
                "t:8: idle-timeout in service \"ssh\" expects a duration with its unit, in quotes, "
                "such as \"250ms\", \"5s\" or \"10m\", not the number 10\n"
                "t:9: connect in service \"ssh\": \"10.0.0.1\" has no port: write HOST:PORT\n"
                "t:11: listen-tls of service \"web\" has no certificate\n"
                "t:12: service \"none\" has no listen\n"
                "t:12: service \"none\" has no connect\n"
                "t:11: listen \"*:22\" in service \"web\": \"*:22\" of service \"ssh\" (t:6) is "
                "the same address\n"
                "t:11: connect in service \"web\": the built-in \"echo\" stands alone, without "
                "other addresses\n");
}

static void a_misspelt_directive_is_not_missing_too(void **state)
{
        (void)state;
        assert_refused(
                "services: { a: { lisen = \"*:1\"; connect = \"echo\" } }",
                "t:1: unknown directive \"lisen\" in service \"a\": did you mean \"listen\"?\n");
        assert_refused("servces: { a: { listen = \"*:1\"; connect = \"echo\" } }",
                       "t:1: unknown group \"servces\": did you mean \"services\"?\n");
}

static const struct {
        const char *text, *messages;
} groups[] = {
        { "workers = 1",
          "t: no services: nothing to do (services: { NAME: { listen = …; connect = … } })\n" },
        { "", "t: no services: nothing to do (services: { NAME: { listen = …; connect = … } })\n" },
        { "services: { }",
          "t:1: no services: nothing to do (services: { NAME: { listen = …; connect = … } })\n" },
        { "services = 5", "t:1: services is a group: services: { NAME: { … } }\n" },
        { "services: ( )", "t:1: services is a group: services: { NAME: { … } }\n" },
        { "services: { listen = \"*:1\" }", "t:1: \"listen\" does not belong in services but in a "
                                            "service: services: { NAME: { listen = … "
                                            "} }\n" },
        { "services: { ssh = \"*:1\" }", "t:1: \"ssh\" in services is a group: ssh: { … }\n" },
        { "log = 1\ndefaults = [ ]\n" ECHO_SERVICE,
          "t:1: log is a group: log: { … }\nt:2: defaults is a group: defaults: { … }\n" },
        { "services: { a: { listen = \"*:1\"; connect = \"echo\"; listen-socket = true } }",
          "t:1: listen-socket in service \"a\" is a group: listen-socket: { … }\n" },
        { "lgo: { level = \"info\" }\n" ECHO_SERVICE,
          "t:1: unknown group \"lgo\": did you mean \"log\"?\n" },
        { "default: { }\n" ECHO_SERVICE,
          "t:1: unknown group \"default\": did you mean \"defaults\"?\n" },
        { "services: { a: { listen = \"*:1\"; connect = \"h:1\"; connect-tsl: { } } }",
          "t:1: unknown group \"connect-tsl\" in service \"a\": did you mean \"connect-tls\"?\n" },
        { "quux: { }\nquuux = 1\n" ECHO_SERVICE,
          "t:1: unknown group \"quux\"\nt:2: unknown directive \"quuux\"\n" },
        { "listen-tls: { }\n" ECHO_SERVICE,
          "t:1: \"listen-tls\" does not belong at the top level but in a service\n" },
        { "group = \"g\"\nservices: { a: { listen = \"*:1\"; connect = \"echo\"; log: { }; owner = "
          "\"x\" } "
          "}",
          "t:2: \"log\" does not belong in service \"a\" but at the top level\n"
          "t:2: \"owner\" does not belong in service \"a\" but in listen-socket: {…}\n" },
        { "services: { a: { listen = [ ]; connect = \"echo\" } }",
          "t:1: listen in service \"a\" needs at least one value\n" },
};

static void groups_and_names_are_where_they_belong(void **state)
{
        (void)state;
        for (size_t i = 0; i < COUNTOF(groups); i++)
                assert_refused(groups[i].text, groups[i].messages);
}

static void services_take_from_defaults_what_they_do_not_say(void **state)
{
        (void)state;
        struct config *c =
                must_read("services: {\n"
                          "  a: { listen = \"*:1\"; connect = \"h:1\"; idle-timeout = \"5s\" }\n"
                          "  b: { listen = \"*:2\"; connect = \"h:2\"; listen-tls: {\n"
                          "       certificate = \"/own\"; alpn = [ ] } }\n"
                          "  c: { listen = \"*:3\"; listen-tls: { } }\n"
                          "}\n"
                          "defaults: { idle-timeout = \"9s\"; connect = \"h:9\"\n"
                          "  listen-tls: { certificate = [\"/d\", \"/e\"]; alpn = \"h2\" }\n"
                          "  listen-socket: { backlog = 7 } }\n");
        const struct config_service *a = c->services[0], *b = c->services[1], *s = c->services[2];
        assert_int_equal(a->idle_timeout, 5000);
        assert_int_equal(a->idle_timeout_at.line, 2);
        assert_false(a->listen_tls.present);
        assert_int_equal(a->listen_socket.backlog, 7);
        assert_false(a->listen_socket.present);
        assert_int_equal(b->idle_timeout, 9000);
        assert_int_equal(b->idle_timeout_at.line, 7);
        assert_string_equal(b->connect.items[0].host, "h");
        assert_int_equal(b->connect.items[0].port, 2);
        assert_string_equal(b->listen_tls.certificate.items[0], "/own");
        assert_int_equal(b->listen_tls.alpn.n, 0);
        assert_int_equal(s->connect.items[0].port, 9);
        assert_int_equal(s->connect.at[0].line, 7);
        assert_true(s->listen_tls.present);
        assert_int_equal(s->listen_tls.at.line, 5);
        assert_int_equal(s->listen_tls.certificate.n, 2);
        assert_string_equal(s->listen_tls.certificate.items[1], "/e");
        assert_string_equal(s->listen_tls.alpn.items[0], "h2");
        assert_int_equal(s->half_close_timeout, 3600000);
        assert_null(s->half_close_timeout_at.file);
        config_free(c);
}

static void a_mistake_in_defaults_is_told_once(void **state)
{
        (void)state;
        assert_refused(
                "defaults: { idle-timeout = \"x\"; lisen = \"*:1\"; certificate = \"x\"\n"
                "  listen-tls: { key = 5 } }\n"
                "services: { a: { listen = \"*:1\"; connect = \"h:1\"; listen-tls: { certificate = "
                "\"x\" } }\n"
                "  b: { listen = \"*:2\"; connect = \"h:2\" } }\n",
                "t:1: idle-timeout in defaults: \"x\" is not a duration such as \"250ms\", \"5s\", "
                "\"10m\", \"1h\", \"7d\" or \"off\"\n"
                "t:1: unknown directive \"lisen\" in defaults: did you mean \"listen\"?\n"
                "t:1: \"certificate\" does not belong in defaults but in listen-tls: {…} or in "
                "connect-tls: {…}\n"
                "t:2: key in listen-tls of defaults expects the path of a file in quotes, or "
                "several in [ ], not the number 5\n");
}

static void origins_tell_where_each_value_stands(void **state)
{
        (void)state;
        struct config *c = must_read("# one\n"
                                     "workers\n = 3\n"
                                     "services: {\n"
                                     "  a:\n  {\n"
                                     "    listen = [ \"*:1\",\n"
                                     "      \"*:2\"\n"
                                     "      ,\n"
                                     "      /* five\n"
                                     "      six */ \"*:3\"\n"
                                     "    ]; connect =\n"
                                     "      \"h:1\"\n"
                                     "  }\n"
                                     "}\n");
        const struct config_service *a = c->services[0];
        assert_string_equal(c->workers_at.file, "t");
        assert_int_equal(c->workers_at.line, 2);
        assert_null(c->user_at.file);
        assert_int_equal(a->at.line, 5);
        assert_int_equal(a->listen_at.line, 7);
        assert_int_equal(a->listen.at[0].line, 7);
        assert_int_equal(a->listen.at[1].line, 8);
        assert_int_equal(a->listen.at[2].line, 11);
        assert_int_equal(a->connect_at.line, 12);
        assert_int_equal(c->files.n, 1);
        assert_ptr_equal(c->workers_at.file, c->files.items[0]);
        config_free(c);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(independent_mistakes_are_all_told_in_one_run),
                cmocka_unit_test(a_misspelt_directive_is_not_missing_too),
                cmocka_unit_test(groups_and_names_are_where_they_belong),
                cmocka_unit_test(services_take_from_defaults_what_they_do_not_say),
                cmocka_unit_test(a_mistake_in_defaults_is_told_once),
                cmocka_unit_test(origins_tell_where_each_value_stands),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
