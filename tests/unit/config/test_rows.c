/* SPDX-License-Identifier: ISC */
/* What holds for every directive, because it holds for every row. */
#include "attempt.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/own.h"

typedef void row_promise(const struct table *t, const struct row *r, const char *name);

static void for_each_row(row_promise *promise)
{
        size_t n = 0;
        for (size_t i = 0; i < config_n_tables; i++) {
                for (size_t j = 0; j < config_tables[i]->n_rows; j++, n++) {
                        char name[ROW_NAME_MAX];
                        const struct row *r = &config_tables[i]->rows[j];
                        promise(config_tables[i], r, row_name(r, name));
                }
        }
        assert_true(n > 40);
}

/* Default and value are compared as they are printed. */
static char *printed(const struct config *c, const struct table *t, const struct row *r)
{
        struct text out = { 0 };
        value_print(r->kind, row_value(r, wrapped(c, t)), &out);
        return text_take(&out);
}

static void has_default_in_range(const struct table *t, const struct row *r, const char *name)
{
        if (r->preset == NULL)
                return;
        OWN_FREE char *without = wrap(t, r, "");
        struct config *c = must_read(without);
        OWN_FREE char *preset = printed(c, t, r);
        config_free(c);
        OWN(text_fini) struct text setting = { 0 };
        text_addf(&setting, "%s = %s;", name, preset);
        OWN_FREE char *with = wrap(t, r, text_str(&setting));
        c = must_read(with);
        OWN_FREE char *given = printed(c, t, r);
        assert_string_equal(given, preset);
        assert_string_equal(row_at(r, wrapped(c, t))->file, "t");
        config_free(c);
}

static void every_default_is_a_value_in_range(void **state)
{
        (void)state;
        for_each_row(has_default_in_range);
}

static void has_help(const struct table *t, const struct row *r, const char *name)
{
        (void)t;
        (void)name;
        size_t n = strlen(r->help);
        assert_true(n > 10 && isupper((unsigned char)r->help[0]) && r->help[n - 1] == '.');
        assert_true(!r->required || r->preset == NULL);
        assert_true((r->lo == NULL) == (r->hi == NULL));
}

static void every_row_has_whole_sentences(void **state)
{
        (void)state;
        for_each_row(has_help);
}

/* Typing mistakes; word is long enough for them. */
static void swap(const char *word, size_t at, char *out)
{
        strcpy(out, word);
        out[at] = word[at + 1];
        out[at + 1] = word[at];
}

static void leave_out(const char *word, size_t at, char *out)
{
        memcpy(out, word, at);
        strcpy(out + at, word + at + 1);
}

static void type_twice(const char *word, size_t at, char *out)
{
        memcpy(out, word, at + 1);
        strcpy(out + at + 1, word + at);
}

static void mistype(const char *word, size_t at, char *out)
{
        strcpy(out, word);
        out[at] = 'z';
}

static void is_meant_by(const struct table *t, const char *name, const char *typed)
{
        OWN(text_fini) struct text setting = { 0 }, expected = { 0 };
        text_addf(&setting, "%s = \"x\";", typed);
        text_addf(&expected, "unknown directive \"%s\"%s: did you mean \"%s\"?", typed,
                  wrapped_place(t), name);
        OWN_FREE char *text = wrap(t, NULL, text_str(&setting));
        assert_refused_with(text, text_str(&expected));
}

static void has_did_you_mean(const struct table *t, const struct row *r, const char *name)
{
        (void)r;
        char typed[ROW_NAME_MAX + 1];
        void (*const mistakes[])(const char *, size_t, char *) = { swap, leave_out, type_twice,
                                                                   mistype };
        for (size_t i = 0; i < COUNTOF(mistakes); i++) {
                for (size_t at = 0; at + 1 < strlen(name); at++) {
                        mistakes[i](name, at, typed);
                        /* Two letters with a mistake in one, or nothing to swap: any word. */
                        if (strcmp(typed, name) != 0 && strlen(typed) > 2 &&
                            isalpha((unsigned char)typed[0]))
                                is_meant_by(t, name, typed);
                }
        }
        snprintf(typed, sizeof typed, "%sz", name);
        is_meant_by(t, name, typed);
        snprintf(typed, sizeof typed, "%s", r->member);
        if (strcmp(typed, name) != 0)
                is_meant_by(t, name, typed);
}

static void every_directive_misspelt_is_recognised(void **state)
{
        (void)state;
        for_each_row(has_did_you_mean);
}

/* Something of every type, and what no kind of number or word can be read from. */
static const struct {
        const char *value;
        unsigned type;
        const char *said; /* what the message calls it */
} wrongs[] = {
        { "77777777", NODE_NUMBER, "not the number 77777777" },
        { "1.5", NODE_FRACTION, "not a number with a fraction" },
        { "true", NODE_TRUTH, "not true" },
        { "\"t e x t\"", NODE_TEXT, "not the text \"t e x t\"" },
        { "{ x = 1 }", NODE_GROUP, "not a group" },
        { "[1]", NODE_LIST, "" },
        { "( )", NODE_LIST, "" },
        { "( ( \"a\" ) )", NODE_LIST, "" },
};

static void refuses_wrong_types(const struct table *t, const struct row *r, const char *name)
{
        for (size_t i = 0; i < COUNTOF(wrongs); i++) {
                if (r->kind->takes & wrongs[i].type)
                        continue;
                bool empty = strcmp(wrongs[i].value, "( )") == 0;
                if (empty && kind_is_list(r->kind) && !r->required)
                        continue;
                OWN(text_fini) struct text setting = { 0 }, begin = { 0 };
                text_addf(&setting, "\n%s = %s;\n", name, wrongs[i].value);
                unsigned line = t == &config_global_table || strcmp(t->name, "log") == 0 ? 2 : 3;
                text_addf(&begin, "t:%u: %s%s", line, name, wrapped_place(t));
                OWN_FREE char *text = wrap(t, r, text_str(&setting));
                struct attempt a = attempt_text(text);
                if (a.errors != 1 || strncmp(a.messages, text_str(&begin), begin.len) != 0 ||
                    strstr(a.messages, empty ? "" : wrongs[i].said) == NULL)
                        fail_msg("%s\nsays:\n%snot: %s", text, a.messages, text_str(&begin));
                attempt_end(&a);
        }
}

static void every_wrong_type_is_refused_where_it_stands(void **state)
{
        (void)state;
        for_each_row(refuses_wrong_types);
}

/* Numbers far out of every range, texts that are no number, no address, no word. */
static void refuses_wrong_values(const struct table *t, const struct row *r, const char *name)
{
        static const char *const texts[] = { "\"t e x t\"", "\"\"", "\"-1\"", "7777777777777777",
                                             "-1" };
        bool any_text = r->kind->storage == STORE_TEXT || r->kind->storage == STORE_TEXTS;
        for (size_t i = 0; i < COUNTOF(texts); i++) {
                bool is_text = *texts[i] == '"';
                if (is_text ? any_text && strcmp(texts[i], "\"\"") != 0
                            : !(r->kind->takes & NODE_NUMBER))
                        continue;
                if (is_text && !(r->kind->takes & NODE_TEXT))
                        continue;
                OWN(text_fini) struct text setting = { 0 };
                text_addf(&setting, "%s = %s;", name, texts[i]);
                OWN_FREE char *text = wrap(t, r, text_str(&setting));
                struct attempt a = attempt_text(text);
                if (a.errors != 1 || strstr(a.messages, texts[i]) == NULL)
                        fail_msg("%s\nsays:\n%s", text, a.messages);
                attempt_end(&a);
        }
}

static void every_wrong_value_is_refused_and_quoted(void **state)
{
        (void)state;
        for_each_row(refuses_wrong_values);
}

/* A directive of one table in every other table. */
static void names_its_place(const struct table *t, const struct row *r, const char *name)
{
        for (size_t i = 0; i < config_n_tables; i++) {
                const struct table *other = config_tables[i];
                if (table_row(other, name) != NULL || table_block(other, name) != NULL)
                        continue;
                OWN(text_fini) struct text setting = { 0 }, begin = { 0 };
                text_addf(&setting, "%s = \"x\";", name);
                text_addf(&begin, "\"%s\" does not belong%s but ", name,
                          other == &config_global_table ? " at the top level"
                                                        : wrapped_place(other));
                OWN_FREE char *text = wrap(other, NULL, text_str(&setting));
                assert_refused_with(text, text_str(&begin));
                assert_refused_with(text, t->place);
        }
        (void)r;
}

static void every_directive_at_the_wrong_level_is_told_its_place(void **state)
{
        (void)state;
        for_each_row(names_its_place);
}

static struct config *sample;

static const struct row *find_in_sample(const struct table *t, const struct row *r)
{
        for (size_t i = 0; i < sample->n_services; i++) {
                struct config one = *sample;
                one.services = &sample->services[i];
                if (row_at(r, wrapped(&one, t))->file != NULL)
                        return r;
        }
        return NULL;
}

static void is_in_sample(const struct table *t, const struct row *r, const char *name)
{
        if (find_in_sample(t, r) == NULL)
                fail_msg("%s (%s) is not in the sample", name, t->name);
}

static void shows_its_default(const struct table *t, const struct row *r, const char *name)
{
        if (r->preset == NULL || strcmp(t->name, "listen-socket") == 0)
                return;
        OWN_FREE char *without = wrap(t, r, "");
        struct config *c = must_read(without);
        OWN_FREE char *preset = printed(c, t, r);
        config_free(c);
        for (size_t i = 0; i < sample->n_services; i++) {
                struct config one = *sample;
                one.services = &sample->services[i];
                OWN_FREE char *shown = printed(&one, t, r);
                if (row_at(r, wrapped(&one, t))->file != NULL && strcmp(shown, preset) != 0)
                        fail_msg("%s is %s in the sample, its default is %s", name, shown, preset);
        }
}

static void every_row_is_in_the_sample(void **state)
{
        (void)state;
        OWN_FREE char *text = whole_sample();
        sample = must_read(text);
        for_each_row(is_in_sample);
        for_each_row(shows_its_default);
        config_free(sample);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(every_default_is_a_value_in_range),
                cmocka_unit_test(every_row_has_whole_sentences),
                cmocka_unit_test(every_directive_misspelt_is_recognised),
                cmocka_unit_test(every_wrong_type_is_refused_where_it_stands),
                cmocka_unit_test(every_wrong_value_is_refused_and_quoted),
                cmocka_unit_test(every_directive_at_the_wrong_level_is_told_its_place),
                cmocka_unit_test(every_row_is_in_the_sample),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
