/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/own.h"
#include "options.h"

/* What goes to a stream of the process is caught in memory. */
struct caught {
        FILE *stream;
        int was, memory;
        char text[8192];
};

static void catch_begin(struct caught *c, FILE *stream)
{
        fflush(stream);
        *c = (struct caught){ .stream = stream,
                              .was = dup(fileno(stream)),
                              .memory = memfd_create("caught", MFD_CLOEXEC) };
        assert_true(c->was >= 0 && c->memory >= 0);
        dup2(c->memory, fileno(stream));
}

static void catch_end(struct caught *c)
{
        fflush(c->stream);
        dup2(c->was, fileno(c->stream));
        ssize_t n = pread(c->memory, c->text, sizeof c->text - 1, 0);
        c->text[n > 0 ? n : 0] = '\0';
        own_close(&c->was);
        own_close(&c->memory);
}

/* words: the command line after the program's name, with a blank between two. */
static bool parse(const char *words, struct options *out, char said[static 8192])
{
        static char line[256]; /* the options borrow from it */
        static char program[] = "spliced";
        char *argv[16] = { program };
        int argc = 1;
        snprintf(line, sizeof line, "%s", words);
        for (char *rest = line, *word; *words != '\0' && (word = strsep(&rest, " ")) != NULL;)
                argv[argc++] = word;
        struct caught err, output;
        optind = 0; /* getopt(3) begins anew */
        catch_begin(&err, stderr);
        catch_begin(&output, stdout);
        bool fine = options_parse(argc, argv, out);
        catch_end(&output);
        catch_end(&err);
        assert_string_equal(output.text, "");
        strcpy(said, err.text);
        return fine;
}

static bool same(const char *a, const char *b)
{
        return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

static void command_lines_that_mean_something(void **state)
{
        (void)state;
        static const char usual[] = "/default/spliced.conf";
        static const struct {
                const char *words;
                struct options wanted;
        } table[] = {
                { "", { .what = OPTIONS_RUN, .given.file = usual } },
                { "-c x.conf", { .what = OPTIONS_RUN, .given.file = "x.conf" } },
                { "-cx.conf", { .what = OPTIONS_RUN, .given.file = "x.conf" } },
                { "-e services:{}", { .what = OPTIONS_RUN, .given.text = "services:{}" } },
                { "-e ", { .what = OPTIONS_RUN, .given.text = "" } },
                { "-v", { .what = OPTIONS_RUN, .given.file = usual, .given.verbose = true } },
                { "-t", { .what = OPTIONS_CHECK, .given.file = usual } },
                { "-T", { .what = OPTIONS_DUMP, .given.file = usual } },
                { "-t -c x.conf", { .what = OPTIONS_CHECK, .given.file = "x.conf" } },
                { "-c x.conf -t", { .what = OPTIONS_CHECK, .given.file = "x.conf" } },
                { "-T -e x", { .what = OPTIONS_DUMP, .given.text = "x" } },
                { "-tvc x.conf",
                  { .what = OPTIONS_CHECK, .given.file = "x.conf", .given.verbose = true } },
                { "-c -t", { .what = OPTIONS_RUN, .given.file = "-t" } },
                { "-t --", { .what = OPTIONS_CHECK, .given.file = usual } },
        };
        for (size_t i = 0; i < COUNTOF(table); i++) {
                struct options got;
                char said[8192];
                bool fine = parse(table[i].words, &got, said);
                const struct options *wanted = &table[i].wanted;
                if (!fine || *said != '\0' || got.what != wanted->what ||
                    got.given.verbose != wanted->given.verbose ||
                    !same(got.given.file, wanted->given.file) ||
                    !same(got.given.text, wanted->given.text))
                        fail_msg("spliced %s", table[i].words);
        }
}

/* They ask about the program, not about a configuration. */
static void version_and_help_need_nothing_else(void **state)
{
        (void)state;
        static const struct {
                const char *words;
                enum options_do what;
        } table[] = {
                { "-V", OPTIONS_VERSION },      { "-h", OPTIONS_HELP },
                { "-t -V", OPTIONS_VERSION },   { "-c a -e b -h", OPTIONS_HELP },
                { "-h operand", OPTIONS_HELP },
        };
        for (size_t i = 0; i < COUNTOF(table); i++) {
                struct options got;
                char said[8192];
                assert_true(parse(table[i].words, &got, said));
                assert_string_equal(said, "");
                assert_int_equal(got.what, table[i].what);
        }
}

static void mistakes_are_told_with_the_usage(void **state)
{
        (void)state;
        static const struct {
                const char *words, *said;
        } table[] = {
                { "-c a -e b", "spliced: -c and -e exclude each other\n" },
                { "-e b -t -c a", "spliced: -c and -e exclude each other\n" },
                { "x.conf", "spliced: there are no operands: " },
                { "-t x.conf", "spliced: there are no operands: " },
                { "-t -- -c", "spliced: there are no operands: " },
                { "-c", "option requires an argument -- 'c'" },
                { "-e", "option requires an argument -- 'e'" },
                { "-x", "invalid option -- 'x'" },
                { "-tx", "invalid option -- 'x'" },
                { "--help", "invalid option -- '-'" },
        };
        for (size_t i = 0; i < COUNTOF(table); i++) {
                struct options got;
                char said[8192];
                if (parse(table[i].words, &got, said))
                        fail_msg("spliced %s is taken", table[i].words);
                if (strstr(said, table[i].said) == NULL ||
                    strstr(said, "usage: spliced [-c FILE") == NULL)
                        fail_msg("spliced %s says: %s", table[i].words, said);
        }
}

static void help_explains_every_option_of_the_usage(void **state)
{
        (void)state;
        struct caught output;
        catch_begin(&output, stdout);
        options_help();
        catch_end(&output);
        const char *end = strchr(output.text, '\n');
        assert_non_null(end);
        unsigned options = 0;
        for (const char *p = output.text; (p = strchr(p, '-')) != NULL && p < end; p++) {
                char line[8] = { '\n', ' ', ' ', '-', p[1], ' ', '\0' };
                assert_true(isalpha((unsigned char)p[1]));
                if (strstr(end, line) == NULL)
                        fail_msg("-%c is not explained", p[1]);
                options++;
        }
        assert_int_equal(options, 7);
        assert_non_null(strstr(output.text, "/default/spliced.conf"));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(command_lines_that_mean_something),
                cmocka_unit_test(version_and_help_need_nothing_else),
                cmocka_unit_test(mistakes_are_told_with_the_usage),
                cmocka_unit_test(help_explains_every_option_of_the_usage),
        };
        return cmocka_run_group_tests_name("options", tests, NULL, NULL);
}
