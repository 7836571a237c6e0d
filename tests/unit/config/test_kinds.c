/* SPDX-License-Identifier: ISC */
/* How each kind of value is written. */
#include "attempt.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/own.h"

static const struct table *table_named(const char *name)
{
        for (size_t i = 0; i < config_n_tables; i++) {
                if (strcmp(config_tables[i]->name, name) == 0)
                        return config_tables[i];
        }
        fail_msg("no table %s", name);
        return NULL;
}

/* What is written, and how the effective configuration writes it (NULL: as not set). */
static const struct {
        const char *table, *directive, *written, *effective;
} good[] = {
        { "global", "workers", "\"auto\"", "\"auto\"" },
        { "global", "workers", "4", "4" },
        { "global", "workers", "4L", "4" },
        { "global", "workers", "0x10", "16" },
        { "global", "workers", "\"16\"", "16" },
        { "global", "max-connections", "1", "1" },
        { "global", "max-connections", "\"10k\"", "10000" },
        { "global", "max-connections", "10000000", "10000000" },
        { "global", "max-connections", "\"off\"", "\"off\"" },
        { "global", "drain-timeout", "\"250ms\"", "\"250ms\"" },
        { "global", "drain-timeout", "\"60s\"", "\"1m\"" },
        { "global", "drain-timeout", "\"off\"", "\"off\"" },
        { "global", "drain-timeout", "\"365d\"", "\"365d\"" },
        { "global", "user", "\"nobody\"", "\"nobody\"" },
        { "global", "user", "\"no\" \"body\"", "\"nobody\"" },
        { "global", "user", "\"a\\\"b\\\\c\\x01\\n\"", "\"a\\\"b\\\\c\\x01\\x0A\"" },
        { "global", "user", "\"\xc3\xa9t\xc3\xa9\"", "\"\xc3\xa9t\xc3\xa9\"" },
        { "log", "level", "\"debug\"", "\"debug\"" },
        { "service", "connect-timeout", "\"1ms\"", "\"1ms\"" },
        { "service", "connect-timeout", "\"60m\"", "\"1h\"" },
        { "service", "half-close", "\"hold\"", "\"hold\"" },
        { "service", "balance", "\"first\"", "\"first\"" },
        { "service", "listen", "\"*:443\"", "[\"*:443\"]" },
        { "service", "listen", "[\"[::1]:80\", \"unix:@a\"]", "[\"[::1]:80\", \"unix:@a\"]" },
        { "service", "listen", "( \"systemd:web\" )", "[\"systemd:web\"]" },
        { "service", "connect", "\"daytime\"", "[\"daytime\"]" },
        { "listen-tls", "min-version", "\"TLSv1.3\"", "\"TLSv1.3\"" },
        { "listen-tls", "min-version", "\"1.3\"", "\"TLSv1.3\"" },
        { "listen-tls", "min-version", "\"tlsv1.2\"", "\"TLSv1.2\"" },
        { "listen-tls", "min-version", "\"TLS1.2\"", "\"TLSv1.2\"" },
        { "listen-tls", "tickets", "false", "false" },
        { "listen-tls", "tickets", "True", "true" },
        { "listen-tls", "certificate", "\"/a//b.pem\"", "[\"/a//b.pem\"]" },
        { "listen-tls", "alpn", "[\"h2\", \"http/1.1\"]", "[\"h2\", \"http/1.1\"]" },
        { "listen-tls", "alpn", "[]", NULL },
        { "listen-socket", "backlog", "1", "1" },
        { "listen-socket", "backlog", "\"4k\"", "4000" },
        { "listen-socket", "busy-poll", "\"50us\"", "\"50us\"" },
        { "listen-socket", "mode", "\"0660\"", "\"0660\"" },
        { "connect-socket", "busy-poll", "\"1000us\"", "\"1ms\"" },
        { "connect-socket", "congestion", "\"cubic\"", "\"cubic\"" },
        { "listen-socket", "mode", "\"7\"", "\"0007\"" },
};

static void each_kind_is_read_as_it_may_be_written(void **state)
{
        (void)state;
        for (size_t i = 0; i < COUNTOF(good); i++) {
                const struct table *t = table_named(good[i].table);
                const struct row *r = table_row(t, good[i].directive);
                OWN(text_fini) struct text setting = { 0 }, value = { 0 };
                text_addf(&setting, "%s = %s", good[i].directive, good[i].written);
                OWN_FREE char *text = wrap(t, r, text_str(&setting));
                struct config *c = must_read(text);
                bool set = value_print(r->kind, row_value(r, wrapped(c, t)), &value);
                assert_int_equal(set, good[i].effective != NULL);
                if (set)
                        assert_string_equal(text_str(&value), good[i].effective);
                config_free(c);
        }
}

static const struct {
        const char *table, *setting, *message; /* what comes after the place */
} bad[] = {
        { "global", "workers = 0", "workers: 0 is out of range: 1 to 1024, or auto" },
        { "global", "workers = \"0\"", "workers: \"0\" is not a number above 0" },
        { "global", "workers = 1025", "workers: 1025 is out of range" },
        { "global", "workers = \"off\"", "workers: \"off\" is not a number above 0" },
        { "global", "workers = 2147483648", "2147483648 is too large a number" },
        { "global", "workers = -2147483649L", "-2147483649L is too large a number" },
        { "global", "workers = 0xFFFFFFFFFF", "0xFFFFFFFFFF is too large a number" },
        { "global", "workers = 99999999999999999999", "99999999999999999999 is too large" },
        { "global", "workers = two", "two: text needs quotes, \"two\"" },
        { "global", "max-connections = 0", "max-connections: 0 is out of range: 1 to 10M, or off" },
        { "global", "max-connections = \"auto\"", "max-connections: \"auto\" is not a number" },
        { "global", "drain-timeout = 5s", "5s: text needs quotes, \"5s\"" },
        { "global", "drain-timeout = 5", "drain-timeout expects a duration with its unit" },
        { "global", "drain-timeout = \"5\"", "drain-timeout: \"5\" needs a unit" },
        { "global", "drain-timeout = \"366d\"",
          "drain-timeout: \"366d\" is out of range: off to 365d" },
        { "global", "user = \"\"", "user: \"\" is empty" },
        { "global", "user = \"a\\x00b\"", "no value can hold a NUL" },
        { "log", "level = \"Info\"", "did you mean \"info\"?" },
        { "log", "access = \"yaml\"", "\"yaml\" is not \"off\", \"text\" or \"json\"" },
        { "service", "connect-timeout = \"off\"", "\"off\" is out of range: 1ms to 1h" },
        { "service", "connect-timeout = \"61m\"", "\"61m\" is out of range: 1ms to 1h" },
        { "service", "idle-timeout = \"0s\"", "write \"off\"" },
        { "service", "half-close = \"propogate\"", "did you mean \"propagate\"?" },
        { "listen-tls", "min-version = 1.2",
          "expects \"default\", \"TLSv1.2\" or \"TLSv1.3\", not a" },
        { "listen-tls", "min-version = \"SSLv3\"", "\"SSLv3\" is not \"default\", \"TLSv1.2\" or" },
        { "listen-tls", "tickets = \"true\"",
          "expects true or false, without quotes, not the text" },
        { "listen-tls", "tickets = yes", "yes: text needs quotes" },
        { "listen-tls", "alpn = [\"h2\", \"\"]",
          "alpn in listen-tls of service \"a\": \"\" is empty" },
        { "listen-tls", "key = \"\"", "key in listen-tls of service \"a\": \"\" is empty" },
        { "connect-socket", "busy-poll = \"1001us\"", "\"1001us\" is out of range: off to 1ms" },
        { "connect-socket", "busy-poll = 50", "expects a duration with its unit, in quotes, such" },
        { "listen-socket", "mode = 0660", "expects a file mode in quotes" },
        { "listen-socket", "mode = \"888\"", "\"888\" is not a file mode in octal" },
        { "listen-socket", "mode = \"1777\"", "\"1777\" is out of range: 0 to 0777" },
        { "listen-socket", "mode = \"000000\"", "\"000000\" is not a file mode in octal" },
        { "listen-socket", "backlog = 65536", "65536 is out of range: 1 to 65535" },
};

static void each_bad_value_is_told_what_is_wrong_with_it(void **state)
{
        (void)state;
        for (size_t i = 0; i < COUNTOF(bad); i++) {
                OWN_FREE char *text = wrap(table_named(bad[i].table), NULL, bad[i].setting);
                assert_refused_with(text, bad[i].message);
        }
}

static void bad_addresses_are_told_one_by_one(void **state)
{
        (void)state;
        assert_refused(
                "services: { a: {\n"
                "listen = [\"*:1\",\n"
                "  \"80\",\n"
                "  \"echo\",\n"
                "  \"host:99999\"\n"
                "]; connect = [\n"
                "  \"*:1\"\n"
                "] } }\n",
                "t:3: listen in service \"a\": \"80\" has no host: write HOST:PORT\n"
                "t:4: listen in service \"a\": \"echo\" is built in as something to connect to: "
                "it has no address to listen on\n"
                "t:5: listen in service \"a\": \"host:99999\" has a port out of range: 1 to "
                "65535\n"
                "t:7: connect in service \"a\": \"*:1\" stands for every address of this "
                "machine, to which nobody can connect\n");
}

static void paths_are_relative_to_the_text_that_names_them(void **state)
{
        (void)state;
        OWN_FREE char *here = realpath(".", NULL);
        OWN_FREE char *text = wrap(table_named("listen-tls"), NULL, "key = \"sub/k.pem\"");
        OWN(text_fini) struct text expected = { 0 };
        text_addf(&expected, "%s/sub/k.pem", here);
        struct config *c = must_read(text);
        assert_string_equal(c->services[0]->listen_tls.key.items[0], text_str(&expected));
        config_free(c);
}

static void constants_and_types_are_what_others_count_on(void **state)
{
        (void)state;
        struct config *c =
                must_read("log: { level = \"debug\"; access = \"off\" }\n"
                          "services: { a: { listen = \"*:1\"; connect = \"h:2\";\n"
                          "half-close = \"close\"; truncation = \"forward\";\n"
                          "balance = \"round-robin\"; idle-timeout = \"90s\";\n"
                          "connect-tls: { verify = false; max-version = \"1.2\" } } }\n");
        const struct config_service *s = c->services[0];
        assert_int_equal(c->log.level, CONFIG_LOG_LEVEL_DEBUG);
        assert_int_equal(c->log.access, CONFIG_LOG_ACCESS_OFF);
        assert_int_equal(c->workers, 0);
        assert_null(c->user);
        assert_int_equal(s->half_close, CONFIG_HALF_CLOSE_CLOSE);
        assert_int_equal(s->truncation, CONFIG_TRUNCATION_FORWARD);
        assert_int_equal(s->balance, CONFIG_BALANCE_ROUND_ROBIN);
        assert_int_equal(s->idle_timeout, 90000);
        assert_int_equal(s->max_connections, 0);
        assert_int_equal(s->listen_socket.mode, -1);
        assert_true(s->listen.items[0].any);
        assert_true(s->connect_tls.present);
        assert_false(s->listen_tls.present);
        assert_false(s->connect_tls.verify);
        assert_int_equal(s->connect_tls.max_version, CONFIG_TLS_VERSION_1_2);
        assert_int_equal(s->connect_tls.profile, CONFIG_TLS_PROFILE_INTERMEDIATE);
        config_free(c);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(each_kind_is_read_as_it_may_be_written),
                cmocka_unit_test(each_bad_value_is_told_what_is_wrong_with_it),
                cmocka_unit_test(bad_addresses_are_told_one_by_one),
                cmocka_unit_test(paths_are_relative_to_the_text_that_names_them),
                cmocka_unit_test(constants_and_types_are_what_others_count_on),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
