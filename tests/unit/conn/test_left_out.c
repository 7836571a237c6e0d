/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/own.h"
#include "conn/left_out.h"
#include "records.h"

static int open_log(void **state)
{
        (void)state;
        records_open();
        return 0;
}

static int close_log(void **state)
{
        (void)state;
        records_close();
        return 0;
}

static void each_kind_is_told_once(void **state)
{
        (void)state;
        char name[] = "web"; /* copied: it goes before it is told of */
        for (int i = 0; i < 3; i++)
                left_out_add(name, REASON_CLIENT_RESET);
        left_out_add(name, REASON_CONNECT_REFUSED);
        strcpy(name, "dns");
        left_out_add(name, REASON_CLIENT_RESET);
        left_out_tell();
        OWN_FREE char *said = records_raw();
        assert_non_null(strstr(said, "service web: 3 more connections ended by client-reset,"));
        assert_non_null(strstr(said, "service web: 1 more connection ended by connect-refused,"));
        assert_non_null(strstr(said, "service dns: 1 more connection ended by client-reset,"));
        left_out_tell();
        OWN_FREE char *again = records_raw();
        assert_string_equal(again, "");
}

static void what_finds_no_place_is_counted_together(void **state)
{
        (void)state;
        char name[16];
        unsigned long lines = 0, told = 0, n;
        for (int i = 0; i < 1000; i++) {
                snprintf(name, sizeof name, "s%d", i);
                left_out_add(name, REASON_LIMIT);
                left_out_add(name, REASON_LIMIT);
        }
        left_out_tell();
        OWN_FREE char *said = records_raw();
        assert_non_null(strstr(said, "other services: "));
        char *rest = said, *line;
        while ((line = strsep(&rest, "\n")) != NULL && *line != '\0') {
                const char *from = strstr(line, "ervice");
                assert_non_null(from);
                assert_int_equal(sscanf(strchr(from, ':'), ": %lu more connections", &n), 1);
                told += n;
                lines++;
        }
        assert_int_equal(told, 2000);
        assert_in_range(lines, 2, 100);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(each_kind_is_told_once, open_log, close_log),
                cmocka_unit_test_setup_teardown(what_finds_no_place_is_counted_together, open_log,
                                                close_log),
        };
        return cmocka_run_group_tests_name("conn/left_out", tests, NULL, NULL);
}
