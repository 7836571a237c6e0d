/* SPDX-License-Identifier: ISC */
/* The effective configuration: complete, in its own language, with the origin of every value. */
#include "attempt.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/own.h"

static const char *const texts[] = {
        "services: { a: { listen = \"*:1\"; connect = \"echo\" } }",
        /* values that need care */
        "user = \"a\\\"b\\\\\\x01\\x7f # x\"; group = \" # \"; drain-timeout = \"off\"\n"
        "max-connections = \"off\"; workers = 7\n"
        "services: { a: { listen = [\"*:1\", \"unix:@a # b\"]; connect = [\"h:1\", \"[::1]:2\"]\n"
        "  listen-socket: { mode = \"0\"; owner = \"\xc3\xa9\" }\n"
        "  listen-tls: { certificate = \"c # d.pem\"; alpn = [ ]; min-version = \"1.2\" }\n"
        "  connect-tls: { verify = false; ca = [\"x\", \"y\"] } } }",
        /* values from defaults, blocks that stand there only */
        "defaults: { connect = \"h:1\"; listen-tls: { certificate = \"c\" }; connect-tls: { }\n"
        "  listen-socket: { mode = \"0600\" }; idle-timeout = \"90s\" }\n"
        "services: { a: { listen = \"unix:/a\" }; b: { listen = \"*:2\"; listen-tls: { } } }",
};

/* dump(parse(dump(x))) == dump(x), but for the places. */
static void assert_fixpoint(const char *text)
{
        struct config *first = must_read(text);
        OWN_FREE char *once = dump_of(first);
        struct config *second = must_read(once);
        OWN_FREE char *twice = dump_of(second);
        assert_string_not_equal(once, twice); /* the places */
        strip_comments(once);
        strip_comments(twice);
        assert_string_equal(once, twice);
        config_free(first);
        config_free(second);
}

static void reading_the_effective_configuration_gives_the_same(void **state)
{
        (void)state;
        OWN_FREE char *sample = slurp(SAMPLE("spliced.conf")), *whole = whole_sample();
        assert_fixpoint(sample);
        assert_fixpoint(whole);
        for (size_t i = 0; i < COUNTOF(texts); i++)
                assert_fixpoint(texts[i]);
}

/* The line that begins with setting, blanks apart; ends the test if there is none. */
static const char *find_line(const char *dump, const char *setting)
{
        const char *p = dump;
        while ((p = strstr(p, setting)) != NULL) {
                const char *begin = p;
                while (begin > dump && begin[-1] == ' ')
                        begin--;
                if (begin == dump || begin[-1] == '\n')
                        return p;
                p++;
        }
        fail_msg("no %s in\n%s", setting, dump);
        return NULL;
}

static void assert_origin(const char *dump, const char *setting, const char *origin)
{
        const char *line = find_line(dump, setting), *comment = strstr(line, " # ");
        size_t n = strlen(origin);
        assert_non_null(comment);
        if (strncmp(comment + 3, origin, n) != 0 || comment[3 + n] != '\n')
                fail_msg("%s comes from %s:\n%s", setting, origin, dump);
}

static void every_value_tells_its_origin(void **state)
{
        (void)state;
        struct config *c = must_read("workers = 2\n"
                                     "defaults: {\n"
                                     "  idle-timeout = \"5s\"; listen-socket: { backlog = 7 }\n"
                                     "  write-timeout = \"6s\"\n"
                                     "}\n"
                                     "services: { a: {\n"
                                     "  listen = \"*:1\"\n"
                                     "  connect = \"h:1\"\n"
                                     "  write-timeout = \"7s\"\n"
                                     "} }\n");
        OWN_FREE char *dump = dump_of(c);
        assert_origin(dump, "workers = 2;", "t:1");
        assert_origin(dump, "drain-timeout = \"30s\";", "default");
        assert_origin(dump, "# user is not set", "default");
        assert_origin(dump, "level = \"info\";", "default");
        assert_origin(dump, "a: {", "t:6");
        assert_origin(dump, "listen = [\"*:1\"];", "t:7");
        assert_origin(dump, "idle-timeout = \"5s\";", "defaults at t:3");
        assert_origin(dump, "write-timeout = \"7s\";", "t:9");
        assert_origin(dump, "half-close-timeout = \"1h\";", "default");
        assert_origin(dump, "backlog = 7;", "defaults at t:3");
        assert_null(strstr(dump, "connect-tls"));
        config_free(c);
}

static void on_one_line_a_service_and_defaults_are_told_apart(void **state)
{
        (void)state;
        struct config *c =
                must_read("defaults: { idle-timeout = \"5s\"; write-timeout = \"5s\" } services: "
                          "{ a: { listen = \"*:1\"; connect = \"h:1\"; write-timeout = \"6s\" } "
                          "}");
        OWN_FREE char *dump = dump_of(c);
        assert_origin(dump, "idle-timeout = \"5s\";", "defaults at t:1");
        assert_origin(dump, "write-timeout = \"6s\";", "t:1");
        config_free(c);
}

static void every_row_is_in_the_dump(void **state)
{
        (void)state;
        OWN_FREE char *whole = whole_sample();
        struct config *c = must_read(whole);
        OWN_FREE char *dump = dump_of(c);
        for (size_t i = 0; i < config_n_tables; i++) {
                for (size_t j = 0; j < config_tables[i]->n_rows; j++) {
                        OWN(text_fini) struct text setting = { 0 };
                        char name[ROW_NAME_MAX];
                        text_addf(&setting, "%s = ", row_name(&config_tables[i]->rows[j], name));
                        find_line(dump, text_str(&setting));
                }
        }
        config_free(c);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(reading_the_effective_configuration_gives_the_same),
                cmocka_unit_test(every_value_tells_its_origin),
                cmocka_unit_test(on_one_line_a_service_and_defaults_are_told_apart),
                cmocka_unit_test(every_row_is_in_the_dump),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
