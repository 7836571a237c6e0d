/* SPDX-License-Identifier: ISC */
/* Texts that are not in the language, and what is said about them. */
#include "attempt.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/own.h"

#define ECHO_SERVICE "services: { a: { listen = \"*:1\"; connect = \"echo\" } }\n"

static const struct {
        const char *text, *messages;
} bad[] = {
        /* cut short */
        { "user = \"x\n" ECHO_SERVICE,
          "t:1: the text that begins on this line has no closing quote\n" },
        { ECHO_SERVICE "user = \"x\" \"y",
          "t:2: the text that begins on this line has no closing quote\n" },
        { ECHO_SERVICE "/* all\nthe rest", "t:2: the comment that begins here never ends\n" },
        { ECHO_SERVICE "/*", "t:2: the comment that begins here never ends\n" },
        { ECHO_SERVICE "/*/", "t:2: the comment that begins here never ends\n" },
        { "services: {\n  a: {\n    listen = [ \"*:1\",\n",
          "t:1: never closed: { of line 1, { of line 2, [ of line 3 (is "
          "the file "
          "complete?)\n" },
        { "services: {", "t:1: never closed: { of line 1 (is the file "
                         "complete?)\n" },
        /* brackets */
        { "services: {\n a: { listen = [\"*:1\" } }",
          "t:2: } where the [ of line 2 needs its ]\n" },
        { "services: {\n}\n}\n", "t:3: } without an opening bracket before it\n" },
        { "a = ((((((((((((((((((((1))))))))))))))))))))",
          "t:1: more than 16 brackets inside each other\n" },
        /* values */
        { "user = nobody\ngroup = 5s # x\nworkers = *:80//y\nlog: { level = [ info, 1.2.3 ] "
          "}\n" ECHO_SERVICE,
          "t:1: nobody: text needs quotes, \"nobody\"\n"
          "t:2: 5s: text needs quotes, \"5s\"\n"
          "t:3: *:80: text needs quotes, \"*:80\"\n"
          "t:4: info: text needs quotes, \"info\"\n"
          "t:4: 1.2.3: text needs quotes, \"1.2.3\"\n" },
        { "user =\ngroup = \"g\"\n" ECHO_SERVICE,
          "t:2: the directive before group has no value\n" },
        { "a = 2147483648\nb = -2147483649\nc = 0x80000000\nd = 3000000000LL\n",
          "t:1: 2147483648 is too large a number\n"
          "t:2: -2147483649 is too large a number\n"
          "t:3: 0x80000000 is too large a number\n"
          "t:4: 3000000000LL is too large a number\n" },
        { "user = \"a\\x00\"\ngroup = \"\\\\x00\\X00\"\n",
          "t:1: \\x00 in a text: no value can hold a NUL\n"
          "t:2: \\x00 in a text: no value can hold a NUL\n" },
        /* names */
        { "user = \"a\"\nlog: {\n level = \"info\"\n level = \"debug\" }\nuser = "
          "\"b\"\n" ECHO_SERVICE,
          "t:4: \"level\" is given twice: it stands at t:3 already\n"
          "t:5: \"user\" is given twice: it stands at t:1 already\n" },
        { "services: {\n ssh: { }\n web: { }\n ssh: { }\n}\n",
          "t:4: \"ssh\" is given twice: it stands at t:2 already\n" },
        /* libconfig's own */
        { "@include \"/etc/passwd\"\n",
          "t:1: @include is not part of this language: write include = "
          "\"FILE\"\n" },
        { ECHO_SERVICE "  @include \"x\"\n",
          "t:2: @include is not part of this language: write include = "
          "\"FILE\"\n" },
        /* what is missing or too much */
        { "# fine\nuser \"x\"\n", "t:2: expected = or :, not \"x\"\n" },
        { "user = \"x\";;\n", "t:1: expected a name, not ;\n" },
        { "workers = 1\n= 2\n", "t:2: expected a name, not = 2\n" },
        { "a.b = 1\n", "t:1: expected = or :, not .b = 1\n" },
        { "a = = 1\n", "t:1: expected a value, not = 1\n" },
        { "\xef\xbb\xbfuser = \"x\"\n", NULL },
        { "5 = 6\n", "t:1: expected a name, not 5 = 6\n" },
        { "true = 6\n", "t:1: expected a name, not true = 6\n" },
        { "a = ;\n", "t:1: expected a value, not ;\n" },
        { "a = { b }\n", "t:1: expected = or :, not }\n" },
        { "a = { b = }\n", "t:1: expected a value, not }\n" },
        { "a = 5 \"x\"\n", "t:1: expected a name, not \"x\"\n" },
        { "a = \"x\" 5\n", "t:1: expected a name, not 5\n" },
        { "a b = 5\n", "t:1: expected = or :, not b = 5\n" },
        { "{ a = 5 }\n", "t:1: expected a name, not { a = 5 }\n" },
        { "a = [ , ]\n", "t:1: expected a plain value, not , ]\n" },
        { "a = [ 1, ]\n", "t:1: expected a plain value, not ]\n" },
        { "a = [ 1; 2 ]\n", "t:1: expected , or ], not ; 2 ]\n" },
        { "a = [ 1 2 ]\n", "t:1: expected , or ], not 2 ]\n" },
        { "a = ( 1 { } )\n", "t:1: expected , or ), not { } )\n" },
        { "a = ( b = 1 )\n",
          "t:1: b: text needs quotes, \"b\"\nt:1: expected , or ), not = 1 )\n" },
        { "a = [ [ 1 ] ]\n", "t:1: expected a plain value, not [ 1 ] ]\n" },
        { "a = [ { } ]\n", "t:1: expected a plain value, not { } ]\n" },
        { "a\n\n", "t:1: the text ends in the middle of a directive\n" },
        { "a =", "t:1: the text ends in the middle of a directive\n" },
        /* libconfig's own */
        { "listen = [1, \"x\"]\n", "t:1: mismatched element type in array: listen = [1, \"x\"]\n" },
};

static void mistakes_in_the_language_are_told_where_they_are(void **state)
{
        (void)state;
        for (size_t i = 0; i < COUNTOF(bad); i++) {
                if (bad[i].messages != NULL)
                        assert_refused(bad[i].text, bad[i].messages);
                else
                        assert_refused_with(bad[i].text, "t:1: ");
        }
}

/* What begins none of the above. */
static const char *const fine[] = {
        "# \"a { [ ( /* @include\n// \" {\n/* \" # // { @include */ user = \"x\"\n" ECHO_SERVICE,
        "user = \"# // /* { [ @include \\\" \\\\\" # the rest\n" ECHO_SERVICE,
        "/**/ /***/ /* * / **/" ECHO_SERVICE,
        "user = \"a\", group = \"b\"; workers : 1 log = { level : \"info\" };" ECHO_SERVICE,
        "workers = +4\r\n" ECHO_SERVICE,
        ECHO_SERVICE "# the last line has no line end",
        ECHO_SERVICE "// nor here",
        "services: { *: { listen = \"*:1\"; connect = \"echo\" } a-b_c: { listen = \"*:2\"; "
        "connect = "
        "\"echo\" } }",
        "\t user\t=\t\"x\" " ECHO_SERVICE,
};

static void what_looks_like_a_mistake_inside_texts_and_comments_is_none(void **state)
{
        (void)state;
        for (size_t i = 0; i < COUNTOF(fine); i++)
                config_free(must_read(fine[i]));
}

static void the_same_names_in_different_groups_are_fine(void **state)
{
        (void)state;
        config_free(must_read("group = \"a\"; max-connections = 1; services: {\n"
                              "a: { listen = \"*:1\"; connect = \"h:1\"; max-connections = 1;\n"
                              "  listen-socket: { group = \"x\" } }\n"
                              "b: { listen = \"*:2\"; connect = \"h:1\"; max-connections = 1;\n"
                              "  listen-socket: { group = \"x\" } }\n"
                              "listen: { listen = \"*:3\"; connect = \"h:1\" } }"));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(mistakes_in_the_language_are_told_where_they_are),
                cmocka_unit_test(what_looks_like_a_mistake_inside_texts_and_comments_is_none),
                cmocka_unit_test(the_same_names_in_different_groups_are_fine),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
