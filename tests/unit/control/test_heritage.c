/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "../conn/records.h"
#include "../snapshot/made.h"
#include "base/own.h"
#include "control/heritage.h"
#include "moving.h"
#include "net/lsock_gate.h"

/* --- connections ------------------------------------------------------------------------------ */

static void a_connection_that_moves_all_the_time_is_as_any_other(void **state)
{
        (void)state;
        static const char *const pumps[] = { "; pump = \"auto\"", "; pump = \"buffer\"" };
        for (size_t i = 0; i < moving_rows_count; i++) {
                print_message("%s\n", moving_rows[i].promise);
                for (size_t j = 0; j < COUNTOF(pumps); j++)
                        for (unsigned every = 1; every <= 3; every++)
                                moving_play(&moving_rows[i], pumps[j], every, NULL);
        }
}

/* What nobody takes out is a cut for its peers, never an end. */
static void a_parcel_that_gets_lost_resets_both(void **state)
{
        (void)state;
        struct rig r;
        struct bundle b;
        struct parcel p;
        rig_open(&r, UPSTREAM_LISTENS, MOVING_FORWARD);
        rig_connect(&r, true);
        conn_start(r.conn);
        UNTIL(&r, strcmp(rig_stage(&r), "relay") == 0 && r.upstream.fd >= 0);
        assert_true(conn_pack(r.conn, &p));
        conn_free(TAKE(r.conn));
        assert_true(bundle_open(&b));
        heritage_add_connection(&b, &p);
        assert_true(bundle_close(&b));
        assert_int_equal(r.client.end, PEER_OPEN);
        bundle_fini(&b);
        UNTIL(&r, r.client.end == PEER_RESET && r.upstream.end == PEER_RESET);
        rig_close(&r);
}

/* --- listening sockets ------------------------------------------------------------------------ */

static void listeners_are_what_they_were(void **state)
{
        (void)state;
        struct rig r;
        struct bundle b;
        struct heritage h = { 0 };
        char path[] = "/tmp/spliced-heritage-XXXXXX", settings[128];
        assert_non_null(mkdtemp(path));
        snprintf(settings, sizeof settings, "connect = \"echo\"; listen = \"unix:%s/s\"", path);
        rig_open(&r, UPSTREAM_NONE, settings);
        struct lsock *l = r.service->socks[0];
        assert_true(bundle_open(&b));
        heritage_add_head(&b, 4711);
        heritage_add_listener(&b, l);
        heritage_add_drained(&b, "a");
        assert_true(bundle_close(&b));
        assert_null(heritage_read(&h, b.lines, b.take));
        bundle_fini(&b);
        assert_int_equal(h.last_number, 4711);
        assert_int_equal(h.n_socks, 1);
        assert_int_equal(json_array_size(h.drained), 1);
        assert_true(sockaddress_equal(&h.socks[0]->address, &l->address));
        assert_string_equal(h.socks[0]->unlink_path, l->unlink_path);
        assert_int_equal(h.socks[0]->unlink_ino, l->unlink_ino);
        assert_int_equal(lsock_gate(h.socks[0]), LSOCK_OPEN);
        lsock_leave(l);
        assert_int_equal(access(h.socks[0]->unlink_path, F_OK), 0);
        heritage_fini(&h);
        snprintf(settings, sizeof settings, "%s/s", path);
        assert_int_equal(access(settings, F_OK), -1);
        assert_int_equal(rmdir(path), 0);
        rig_close(&r);
}

/* --- bundles ---------------------------------------------------------------------------------- */

static void keep_last(json_t *about, int *fds, size_t n_fds, const char *octets, void *arg)
{
        (void)about;
        (void)octets;
        int *last = arg;
        if (n_fds == 1) {
                own_close(last);
                *last = TAKE_FD(fds[0]);
        }
}

/* More descriptors than a message takes, and more octets than the queue of a socket does. */
static void a_bundle_waits_for_whoever_comes(void **state)
{
        (void)state;
        enum { MANY = 700 };
        struct bundle b;
        struct text octets = { 0 };
        size_t before = open_descriptors();
        while (octets.len < 4096)
                text_add(&octets, "\n0123456789{}");
        assert_true(bundle_open(&b));
        for (int i = 0; i < MANY; i++) {
                json_t *about = json_pack("{s:i}", "number", i);
                int ends[2];
                assert_int_equal(pipe(ends), 0);
                close(ends[1]);
                bundle_add(&b, about, ends, 1, &octets, 1);
                assert_int_equal(ends[0], -1);
                json_decref(about);
        }
        assert_true(bundle_close(&b));
        int last = -1;
        assert_null(bundle_read(b.lines, b.take, keep_last, &last));
        assert_true(last >= 0);
        own_close(&last);
        text_fini(&octets);
        bundle_fini(&b);
        assert_int_equal(open_descriptors(), before);
}

static void what_is_no_bundle_is_refused(void **state)
{
        (void)state;
        static const char *const lines[] = {
                "no JSON\n", "{\"fds\":1}\n", "{\"octets\":[5]}\n1234", "{}", "{\"octets\":[-1]}\n",
        };
        for (size_t i = 0; i < COUNTOF(lines); i++) {
                struct bundle b;
                int last = -1;
                assert_true(bundle_open(&b));
                fputs(lines[i], b.file);
                bundle_close(&b);
                assert_non_null(bundle_read(b.lines, b.take, keep_last, &last));
                bundle_fini(&b);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_connection_that_moves_all_the_time_is_as_any_other),
                cmocka_unit_test(a_parcel_that_gets_lost_resets_both),
                cmocka_unit_test(listeners_are_what_they_were),
                cmocka_unit_test(a_bundle_waits_for_whoever_comes),
                cmocka_unit_test(what_is_no_bundle_is_refused),
        };
        return cmocka_run_group_tests(tests, records_set_up, records_tear_down);
}
