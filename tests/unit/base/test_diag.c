/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/diag.h"
#include "base/own.h"

static char *printed(const struct diag *d)
{
        char *out = NULL;
        size_t n = 0;
        FILE *to = open_memstream(&out, &n);
        diag_print(d, to);
        fclose(to);
        return out;
}

static void messages_come_in_order_with_their_places(void **state)
{
        (void)state;
        struct origin line = { "a.conf", 7 }, whole = { "b.conf", 0 }, built_in = { NULL, 0 };
        struct diag *d = diag_new();
        diag_error(d, &line, "\"%s\" is not a size", "x");
        diag_warning(d, &line, "careful");
        diag_error(d, &whole, "ends too early");
        diag_error(d, NULL, "no place");
        diag_error(d, &built_in, "nowhere");
        OWN_FREE char *out = printed(d);
        assert_string_equal(out, "a.conf:7: \"x\" is not a size\n"
                                 "a.conf:7: warning: careful\n"
                                 "b.conf: ends too early\n"
                                 "no place\n"
                                 "nowhere\n");
        diag_free(d);
}

static void only_errors_count_as_errors(void **state)
{
        (void)state;
        struct diag *d = diag_new();
        assert_int_equal(diag_errors(d), 0);
        diag_warning(d, NULL, "w");
        assert_int_equal(diag_errors(d), 0);
        for (int i = 0; i < 100; i++)
                diag_error(d, NULL, "%d", i);
        assert_int_equal(diag_errors(d), 100);
        diag_free(d);
        diag_free(NULL);
}

static void a_quoted_line_end_does_not_begin_a_line(void **state)
{
        (void)state;
        struct diag *d = diag_new();
        diag_error(d, NULL, "unknown name \"%s\"", "x\ny.conf:1: all is well");
        OWN_FREE char *out = printed(d);
        assert_string_equal(out, "unknown name \"x\\x0ay.conf:1: all is well\"\n");
        diag_free(d);
}

static void count_severity(enum diag_severity severity, const char *line, void *arg)
{
        int *counts = arg;
        assert_non_null(line);
        counts[severity]++;
}

static void each_message_is_told_once_with_its_severity(void **state)
{
        (void)state;
        int counts[2] = { 0 };
        struct diag *d = diag_new();
        diag_each(d, count_severity, counts);
        assert_int_equal(counts[DIAG_ERROR] + counts[DIAG_WARNING], 0);
        diag_error(d, NULL, "e");
        diag_warning(d, NULL, "w");
        diag_warning(d, NULL, "w");
        diag_each(d, count_severity, counts);
        assert_int_equal(counts[DIAG_ERROR], 1);
        assert_int_equal(counts[DIAG_WARNING], 2);
        diag_free(d);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(messages_come_in_order_with_their_places),
                cmocka_unit_test(only_errors_count_as_errors),
                cmocka_unit_test(a_quoted_line_end_does_not_begin_a_line),
                cmocka_unit_test(each_message_is_told_once_with_its_severity),
        };
        return cmocka_run_group_tests_name("base/diag", tests, NULL, NULL);
}
