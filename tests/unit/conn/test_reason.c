/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/own.h"
#include "base/text.h"
#include "conn/reason.h"

static void every_reason_has_a_name_of_its_own(void **state)
{
        (void)state;
        for (int r = 0; r < REASONS; r++) {
                const char *name = reason_name((enum reason)r);
                assert_non_null(name);
                assert_true(strlen(name) > 0);
                assert_int_equal(strspn(name, "abcdefghijklmnopqrstuvwxyz-"), strlen(name));
                for (int other = 0; other < r; other++)
                        assert_string_not_equal(name, reason_name((enum reason)other));
        }
}

static void every_reason_has_a_sentence(void **state)
{
        (void)state;
        for (int r = 0; r < REASONS; r++) {
                const char *help = reason_help((enum reason)r);
                assert_non_null(help);
                size_t n = strlen(help);
                if (n < 10 || help[n - 1] != '.' || strchr(help, '\n') != NULL)
                        fail_msg("%s: \"%s\" is no sentence", reason_name((enum reason)r), help);
        }
}

/* client-… is the client's doing, upstream-… the upstream's; an end is whose the relay says. */
static void who_ended_it_agrees_with_the_name(void **state)
{
        (void)state;
        for (int i = 0; i < REASONS; i++) {
                enum reason r = (enum reason)i;
                const char *name = reason_name(r);
                if (strncmp(name, "client-", 7) == 0)
                        assert_int_equal(reason_by(r), BY_CLIENT);
                if (strncmp(name, "upstream-", 9) == 0)
                        assert_int_equal(reason_by(r), BY_UPSTREAM);
                if (strstr(name, "timeout") != NULL)
                        assert_int_equal(reason_by(r), BY_SPLICED);
                assert_int_equal(reason_by(r) == BY_SIDE, r == REASON_END);
        }
        assert_string_equal(ended_by_name(BY_CLIENT), "client");
        assert_string_equal(ended_by_name(BY_UPSTREAM), "upstream");
        assert_string_equal(ended_by_name(BY_SPLICED), "spliced");
}

/* --- the manual ------------------------------------------------------------------------------- */

/* One item of the manual's list. */
struct item {
        char name[512];
        struct text said;
};

struct items {
        struct item list[2 * REASONS];
        size_t n;
};

/* The list that stands under `.Ss Reasons`: `.It Cm NAME`, and below it the sentence. */
static void read_manual(struct items *items)
{
        FILE *page = fopen(TOP_SRCDIR "/conf/spliced.8", "r");
        assert_non_null(page);
        char line[512];
        bool inside = false;
        while (fgets(line, sizeof line, page) != NULL) {
                line[strcspn(line, "\n")] = '\0';
                if (strncmp(line, ".Ss ", 4) == 0 || strncmp(line, ".Sh ", 4) == 0) {
                        inside = strcmp(line, ".Ss Reasons") == 0;
                } else if (inside && strncmp(line, ".It Cm ", 7) == 0) {
                        assert_true(items->n < COUNTOF(items->list));
                        struct item *item = &items->list[items->n++];
                        snprintf(item->name, sizeof item->name, "%s", line + 7);
                } else if (inside && line[0] != '.' && items->n > 0) {
                        struct text *said = &items->list[items->n - 1].said;
                        text_addf(said, "%s%s", said->len > 0 ? " " : "", line);
                }
        }
        fclose(page);
}

static void the_manual_lists_these_reasons_and_no_others(void **state)
{
        (void)state;
        OWN_FREE struct items *items = calloc(1, sizeof *items);
        read_manual(items);
        for (size_t i = 0; i < items->n && i < REASONS; i++) {
                assert_string_equal(items->list[i].name, reason_name((enum reason)i));
                assert_string_equal(text_str(&items->list[i].said), reason_help((enum reason)i));
        }
        assert_int_equal(items->n, REASONS);
        for (size_t i = 0; i < items->n; i++)
                text_fini(&items->list[i].said);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(every_reason_has_a_name_of_its_own),
                cmocka_unit_test(every_reason_has_a_sentence),
                cmocka_unit_test(who_ended_it_agrees_with_the_name),
                cmocka_unit_test(the_manual_lists_these_reasons_and_no_others),
        };
        return cmocka_run_group_tests_name("conn/reason", tests, NULL, NULL);
}
