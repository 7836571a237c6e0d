/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/own.h"
#include "conn/recent.h"

static char name[200], detail[300];
static struct config_service conf = { .name = name };
static struct service service = { .conf = &conf };
static const struct addr target = { .text = detail };

/* A connection from 10.0.0.1:7 that could be reached. */
static struct conn *conn_of(uint64_t id)
{
        struct sockaddress client = { .len = sizeof client.in };
        client.in = (struct sockaddr_in){ .sin_family = AF_INET, .sin_port = htons(7) };
        client.in.sin_addr.s_addr = htonl(0x0a000001);
        struct conn *c = calloc(1, sizeof *c + sockaddress_packed_size(&client));
        assert_non_null(c);
        c->service = &service;
        c->target = &target;
        c->id = id;
        sockaddress_pack(&client, c->client_address);
        return c;
}

static void the_last_hundred_come_newest_first(void **state)
{
        (void)state;
        static const uint64_t counts[] = {
                0, 1, RECENT_ENDS - 1, RECENT_ENDS, RECENT_ENDS + 1, 3 * RECENT_ENDS + 7
        };
        const struct relay_stats moved = { .bytes_up = 5, .bytes_down = 6 };
        strcpy(name, "web");
        for (size_t k = 0; k < COUNTOF(counts); k++) {
                struct recent_end ends[RECENT_ENDS];
                OWN_FREE struct recent *r = recent_new();
                assert_non_null(r);
                for (uint64_t id = 1; id <= counts[k]; id++) {
                        OWN_FREE struct conn *c = conn_of(id);
                        recent_add(r, c, REASON_CLIENT_RESET, &moved);
                }
                size_t n = recent_copy(r, ends);
                assert_int_equal(n, counts[k] < RECENT_ENDS ? counts[k] : RECENT_ENDS);
                for (size_t i = 0; i < n; i++) {
                        assert_int_equal(ends[i].id, counts[k] - i);
                        assert_int_equal(ends[i].reason, REASON_CLIENT_RESET);
                        assert_int_equal(ends[i].by, BY_CLIENT);
                        assert_int_equal(ends[i].bytes_up, 5);
                        assert_string_equal(ends[i].service, "web");
                        assert_string_equal(ends[i].upstream, "");
                }
        }
}

static const char *string_of(const json_t *end, const char *member)
{
        return json_string_value(json_object_get(end, member));
}

static void names_that_are_too_long_or_no_text_are_shown_all_the_same(void **state)
{
        (void)state;
        struct recent_end ends[RECENT_ENDS];
        const struct relay_stats moved = { 0 };
        OWN_FREE struct recent *r = recent_new();
        OWN_FREE struct conn *c = conn_of(1);
        assert_non_null(r);
        memset(name, 'n', sizeof name - 1);
        memset(detail, 0xff, sizeof detail - 1);
        c->reached = true;
        c->detail = detail;
        recent_add(r, c, REASON_END, &moved);
        assert_int_equal(recent_copy(r, ends), 1);
        json_t *end = recent_json(&ends[0]);
        assert_non_null(end);
        assert_int_equal(strlen(string_of(end, "service")), sizeof ends[0].service - 1);
        assert_ptr_equal(strstr(string_of(end, "upstream"), "\\xff\\xff"),
                         string_of(end, "upstream"));
        assert_int_equal(strlen(string_of(end, "detail")), 4 * (sizeof ends[0].detail - 1));
        assert_string_equal(string_of(end, "client"), "10.0.0.1:7");
        assert_string_equal(string_of(end, "reason"), "end");
        json_decref(end);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(the_last_hundred_come_newest_first),
                cmocka_unit_test(names_that_are_too_long_or_no_text_are_shown_all_the_same),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
