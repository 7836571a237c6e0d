/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/own.h"
#include "base/text.h"

static void text_grows_and_stays_a_string(void **state)
{
        (void)state;
        struct text t = { 0 };
        assert_string_equal(text_str(&t), "");
        for (int i = 0; i < 1000; i++) {
                text_addf(&t, "%d,", i);
                assert_int_equal(t.s[t.len], '\0');
        }
        text_add(&t, "end");
        text_addn(&t, "!?", 1);
        assert_int_equal(t.len, 10 + 90 * 2 + 900 * 3 + 1000 + 4);
        assert_string_equal(t.s + t.len - 8, "999,end!");
        assert_false(t.failed);
        text_fini(&t);
        assert_null(t.s);
}

static void text_take_leaves_an_empty_text(void **state)
{
        (void)state;
        struct text t = { 0 };
        char *s = text_take(&t);
        assert_string_equal(s, "");
        free(s);
        text_add(&t, "x");
        s = text_take(&t);
        assert_string_equal(s, "x");
        assert_int_equal(t.len, 0);
        assert_null(t.s);
        free(s);
}

static void a_failed_text_never_becomes_half_a_string(void **state)
{
        (void)state;
        struct text t = { 0 };
        text_add(&t, "before");
        text_addn(&t, "x", SIZE_MAX / 2); /* more than there can be */
        assert_true(t.failed);
        text_add(&t, "after");
        assert_string_equal(text_str(&t), "before");
        assert_null(text_take(&t));
        assert_false(t.failed);
}

typedef const char *reader(const char *s, int64_t *out);
typedef const char *writer(int64_t value, char buf[static TEXT_QUANTITY_MAX]);

/* Everything that is read, and (back) what the value is written as. */
static const struct {
        reader *read;
        const char *text;
        int64_t value;
        writer *write;
        const char *back;
} good[] = {
        { text_to_duration, "off", 0, text_from_duration, "off" },
        { text_to_duration, "1ms", 1, text_from_duration, "1ms" },
        { text_to_duration, "250ms", 250, text_from_duration, "250ms" },
        { text_to_duration, "1000ms", 1000, text_from_duration, "1s" },
        { text_to_duration, "1500ms", 1500, text_from_duration, "1500ms" },
        { text_to_duration, "90s", 90000, text_from_duration, "90s" },
        { text_to_duration, "120s", 120000, text_from_duration, "2m" },
        { text_to_duration, "60m", 3600000, text_from_duration, "1h" },
        { text_to_duration, "24h", 86400000, text_from_duration, "1d" },
        { text_to_duration, "7d", 604800000, text_from_duration, "7d" },
        { text_to_duration, "007s", 7000, text_from_duration, "7s" },
        { text_to_duration, "9223372036854775807ms", INT64_MAX, text_from_duration,
          "9223372036854775807ms" },
        { text_to_microseconds, "off", 0, text_from_microseconds, "off" },
        { text_to_microseconds, "1us", 1, text_from_microseconds, "1us" },
        { text_to_microseconds, "50us", 50, text_from_microseconds, "50us" },
        { text_to_microseconds, "1000us", 1000, text_from_microseconds, "1ms" },
        { text_to_microseconds, "1500us", 1500, text_from_microseconds, "1500us" },
        { text_to_microseconds, "2s", 2000000, text_from_microseconds, "2s" },
        { text_to_size, "0", 0, text_from_size, "0" },
        { text_to_size, "4095", 4095, text_from_size, "4095" },
        { text_to_size, "4096", 4096, text_from_size, "4k" },
        { text_to_size, "64K", 65536, text_from_size, "64k" },
        { text_to_size, "1M", 1048576, text_from_size, "1M" },
        { text_to_size, "1m", 1048576, text_from_size, "1M" },
        { text_to_size, "2G", INT64_C(2147483648), text_from_size, "2G" },
        { text_to_size, "1024G", INT64_C(1) << 40, text_from_size, "1T" },
        { text_to_rate, "1/s", 1, text_from_rate, "1/s" },
        { text_to_rate, "10M/s", 10485760, text_from_rate, "10M/s" },
        { text_to_rate, "1024k/s", 1048576, text_from_rate, "1M/s" },
        { text_to_count, "0", 0, NULL, NULL },
        { text_to_count, "10000", 10000, NULL, NULL },
        { text_to_count, "10k", 10000, NULL, NULL },
        { text_to_count, "1M", 1000000, NULL, NULL },
        { text_to_count, "9223372036854775807", INT64_MAX, NULL, NULL },
};

static void quantities_are_read_and_written_back_shortest(void **state)
{
        (void)state;
        for (size_t i = 0; i < COUNTOF(good); i++) {
                int64_t value = -1;
                char buf[TEXT_QUANTITY_MAX];
                const char *wrong = good[i].read(good[i].text, &value);
                if (wrong != NULL)
                        fail_msg("\"%s\" %s", good[i].text, wrong);
                if (value != good[i].value)
                        fail_msg("\"%s\" reads as %lld", good[i].text, (long long)value);
                if (good[i].write != NULL)
                        assert_string_equal(good[i].write(value, buf), good[i].back);
        }
}

static const struct {
        reader *read;
        const char *text;
        const char *says; /* a part of the message */
} bad[] = {
        { text_to_duration, "", "is not a duration" },
        { text_to_duration, "10 apples", "is not a duration" },
        { text_to_duration, "5", "needs a unit" },
        { text_to_duration, "0", "needs a unit" },
        { text_to_duration, "0s", "write \"off\"" },
        { text_to_duration, "0ms", "write \"off\"" },
        { text_to_duration, "s", "is not a duration" },
        { text_to_duration, "5us", "is not a duration" },
        { text_to_microseconds, "5", "needs a unit: \"50us\"" },
        { text_to_microseconds, "5m", "is not a duration such as \"50us\"" },
        { text_to_microseconds, "0us", "write \"off\"" },
        { text_to_microseconds, "-1us", "is not a duration" },
        { text_to_microseconds, "9223372036854775807ms", "is too long a duration" },
        { text_to_duration, " 5s", "is not a duration" },
        { text_to_duration, "5s ", "is not a duration" },
        { text_to_duration, "5 s", "is not a duration" },
        { text_to_duration, "+5s", "is not a duration" },
        { text_to_duration, "-5s", "is not a duration" },
        { text_to_duration, "1.5h", "is not a duration" },
        { text_to_duration, "0x5s", "is not a duration" },
        { text_to_duration, "5S", "is not a duration" },
        { text_to_duration, "5M", "is not a duration" },
        { text_to_duration, "1h30m", "is not a duration" },
        { text_to_duration, "5s/s", "is not a duration" },
        { text_to_duration, "OFF", "is not a duration" },
        { text_to_duration, "9223372036854775808ms", "too long" },
        { text_to_duration, "9223372036854775807s", "too long" },
        { text_to_duration, "106751991168d", "too long" },
        { text_to_duration, "99999999999999999999999999999999d", "too long" },
        { text_to_size, "", "is not a size" },
        { text_to_size, "k", "is not a size" },
        { text_to_size, "64kB", "is not a size" },
        { text_to_size, "-1", "is not a size" },
        { text_to_size, "1e3", "is not a size" },
        { text_to_size, "off", "is not a size" },
        { text_to_size, "8388608T", "too large" },
        { text_to_rate, "10M", "is not a rate" },
        { text_to_rate, "10/M", "is not a rate" },
        { text_to_rate, "/s", "is not a rate" },
        { text_to_rate, "99999999999999999999/s", "too large" },
        { text_to_count, "", "is not a number" },
        { text_to_count, "-1", "is not a number" },
        { text_to_count, "many", "is not a number" },
        { text_to_count, "10T", "is not a number" },
        { text_to_count, "9223372036854775808", "too large" },
};

static void bad_quantities_are_refused_and_leave_the_value_alone(void **state)
{
        (void)state;
        for (size_t i = 0; i < COUNTOF(bad); i++) {
                int64_t value = 4711;
                const char *wrong = bad[i].read(bad[i].text, &value);
                if (wrong == NULL)
                        fail_msg("\"%s\" reads as %lld", bad[i].text, (long long)value);
                else if (strstr(wrong, bad[i].says) == NULL)
                        fail_msg("\"%s\" %s", bad[i].text, wrong);
                assert_int_equal(value, 4711);
        }
}

/* Small values one by one, then ever larger ones around the units. */
static void what_is_written_reads_back_the_same(void **state)
{
        (void)state;
        static const struct {
                reader *read;
                writer *write;
        } pairs[] = { { text_to_duration, text_from_duration },
                      { text_to_size, text_from_size },
                      { text_to_rate, text_from_rate } };
        for (size_t i = 0; i < COUNTOF(pairs); i++)
                for (int64_t v = 0; v < INT64_MAX / 3; v += 1 + v / 500) {
                        char buf[TEXT_QUANTITY_MAX];
                        int64_t back;
                        assert_null(pairs[i].read(pairs[i].write(v, buf), &back));
                        assert_int_equal(back, v);
                }
}

static const char *directive(size_t i, void *arg)
{
        static const char *const names[] = { "listen",  "listen-tls", "connect",
                                             "balance", "ca",         "connect-timeout",
                                             "alpn",    "user",       NULL };
        (void)arg;
        return names[i];
}

static void the_nearest_word_is_the_one_that_was_meant(void **state)
{
        (void)state;
        static const struct {
                const char *word, *nearest;
        } table[] = {
                { "listen", "listen" },
                { "lsiten", "listen" },
                { "listn", "listen" },
                { "listten", "listen" },
                { "LISTEN", "listen" },
                { "listen_tls", "listen-tls" },
                { "listentls", "listen-tls" },
                { "conect", "connect" },
                { "connect_timeut", "connect-timeout" },
                { "conection-timeout", "connect-timeout" },
                { "aplpn", "alpn" },
                { "usr", "user" },
                { "cb", "ca" },
                { "x", NULL },
                { "", NULL },
                { "xy", NULL },
                { "alarm", NULL },
                { "users-group", NULL },
                { "keepalive", NULL },
                { "listenlistenlistenlistenlistenlistenlistenlistenlistenlistenlistenlisten",
                  NULL },
        };
        for (size_t i = 0; i < COUNTOF(table); i++) {
                const char *found = text_nearest(table[i].word, directive, NULL);
                if (table[i].nearest == NULL && found != NULL)
                        fail_msg("\"%s\": did you mean \"%s\"?", table[i].word, found);
                if (table[i].nearest != NULL &&
                    (found == NULL || strcmp(found, table[i].nearest) != 0))
                        fail_msg("\"%s\": found %s", table[i].word, found ? found : "nothing");
        }
}

static void what_a_peer_wrote_cannot_forge_a_line(void **state)
{
        (void)state;
        static const struct {
                const char *in;
                size_t n;
                const char *out;
        } table[] = {
                { "plain text, \"quoted\"", 20, "plain text, \"quoted\"" },
                { "gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x90\x9f", 15,
                  "gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x90\x9f" },
                { "a\nb\r\tc", 6, "a\\x0ab\\x0d\\x09c" },
                { "nul\0end", 7, "nul\\x00end" },
                { "\x1b[31m\x7f", 6, "\\x1b[31m\\x7f" },
                { "\xff\xfe", 2, "\\xff\\xfe" },
                { "\xc3", 1, "\\xc3" },                            /* cut short */
                { "\xc3(", 2, "\\xc3(" },                          /* not continued */
                { "\x80", 1, "\\x80" },                            /* continues nothing */
                { "\xc0\xaf", 2, "\\xc0\\xaf" },                   /* overlong */
                { "\xe0\x80\xaf", 3, "\\xe0\\x80\\xaf" },          /* overlong */
                { "\xed\xa0\x80", 3, "\\xed\\xa0\\x80" },          /* a surrogate */
                { "\xf4\x90\x80\x80", 4, "\\xf4\\x90\\x80\\x80" }, /* above U+10FFFF */
                { "\xf8\x88\x80\x80", 4, "\\xf8\\x88\\x80\\x80" },
                { "\xc2\x9b"
                  "31m",
                  5, "\\xc2\\x9b31m" },                   /* C1: CSI */
                { "\xe2\x80\xa8", 3, "\\xe2\\x80\\xa8" }, /* line separator */
                { "\xe2\x80\xae", 3, "\\xe2\\x80\\xae" }, /* right to left */
                { "", 0, "" },
        };
        for (size_t i = 0; i < COUNTOF(table); i++) {
                struct text t = { 0 };
                text_add_printable(&t, table[i].in, table[i].n);
                assert_string_equal(text_str(&t), table[i].out);
                text_fini(&t);
        }
}

static void numbers_are_written_whole(void **state)
{
        (void)state;
        OWN(text_fini) struct text t = { 0 };
        static const int64_t numbers[] = { 0, 7, 10, -1, 65535, INT64_MAX, INT64_MIN };
        text_expect(&t, 10);
        for (size_t i = 0; i < COUNTOF(numbers); i++) {
                text_add_int(&t, numbers[i]);
                text_add(&t, " ");
        }
        text_add_uint(&t, UINT64_MAX);
        assert_string_equal(text_str(&t), "0 7 10 -1 65535 9223372036854775807 "
                                          "-9223372036854775808 18446744073709551615");
}

static void room_is_no_text(void **state)
{
        (void)state;
        OWN(text_fini) struct text t = { 0 };
        text_expect(&t, 1000);
        assert_string_equal(text_str(&t), "");
        assert_int_equal(t.len, 0);
        assert_in_range(t.cap, 1001, SIZE_MAX);
        const char *before = t.s;
        for (size_t i = 0; i < 1000; i++)
                text_add(&t, "x");
        assert_ptr_equal(t.s, before);
        text_expect(&t, SIZE_MAX);
        assert_false(t.failed);
        assert_int_equal(strlen(text_str(&t)), 1000);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(text_grows_and_stays_a_string),
                cmocka_unit_test(text_take_leaves_an_empty_text),
                cmocka_unit_test(a_failed_text_never_becomes_half_a_string),
                cmocka_unit_test(numbers_are_written_whole),
                cmocka_unit_test(room_is_no_text),
                cmocka_unit_test(quantities_are_read_and_written_back_shortest),
                cmocka_unit_test(bad_quantities_are_refused_and_leave_the_value_alone),
                cmocka_unit_test(what_is_written_reads_back_the_same),
                cmocka_unit_test(the_nearest_word_is_the_one_that_was_meant),
                cmocka_unit_test(what_a_peer_wrote_cannot_forge_a_line),
        };
        return cmocka_run_group_tests_name("base/text", tests, NULL, NULL);
}
