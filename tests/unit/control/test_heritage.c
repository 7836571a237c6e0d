/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "../conn/records.h"
#include "../conn/rig.h"
#include "../snapshot/made.h"
#include "base/own.h"
#include "control/heritage.h"
#include "net/lsock_gate.h"

/* --- connections ------------------------------------------------------------------------------ */

#define FORWARD "connect = \"127.0.0.1:%1\""

/* As in test_conn.c: what each does, what it is due, how it sees the end. */
static const struct row {
        const char *promise;
        enum upstream_kind kind;
        const char *settings;
        const char *client, *client_due;
        enum peer_end client_end;
        const char *upstream, *upstream_due;
        enum peer_end upstream_end;
        const char *reason, *ended_by;
} rows[] = {
        { "the client ends first and still gets the whole answer", UPSTREAM_LISTENS, FORWARD,
          "ping|FIN", "pong", PEER_FIN, "?|pong|FIN", "ping", PEER_FIN, "end", "client" },
        { "the upstream ends first and still gets everything", UPSTREAM_LISTENS, FORWARD,
          "?|ping|FIN", "pong", PEER_FIN, "pong|FIN", "ping", PEER_FIN, "end", "upstream" },
        { "a client's reset travels on", UPSTREAM_LISTENS, FORWARD, "ping|?|RST", "pong", PEER_OPEN,
          "?|pong", "ping", PEER_RESET, "client-reset", "client" },
        { "an upstream's reset travels on", UPSTREAM_LISTENS, FORWARD, "ping|?", "pong", PEER_RESET,
          "?|pong|RST", "ping", PEER_OPEN, "upstream-reset", "upstream" },
        { "an upstream that refuses", UPSTREAM_REFUSES, FORWARD, "ping", "", PEER_RESET, "", "",
          PEER_OPEN, "connect-refused", "upstream" },
        { "an end is held back until the other one", UPSTREAM_LISTENS,
          FORWARD "; half-close = \"hold\"", "ping|FIN", "pong", PEER_FIN, "?|pong|FIN", "ping",
          PEER_FIN, "end", "client" },
        { "the first end closes both", UPSTREAM_LISTENS, FORWARD "; half-close = \"close\"",
          "?|FIN", "pong", PEER_FIN, "pong|?", "", PEER_FIN, "end", "client" },
        { "it is idle for as long as it was all the same", UPSTREAM_LISTENS,
          FORWARD "; idle-timeout = \"300ms\"", "ping", "pong", PEER_RESET, "?|pong", "ping",
          PEER_RESET, "idle-timeout", "spliced" },
        { "its time is limited from when it was accepted", UPSTREAM_LISTENS,
          FORWARD "; max-lifetime = \"300ms\"", "ping", "pong", PEER_RESET, "?|pong", "ping",
          PEER_RESET, "max-lifetime", "spliced" },
        { "an echo says what it has not said yet", UPSTREAM_NONE, "connect = \"echo\"",
          "one|two|FIN", "onetwo", PEER_FIN, "", "", PEER_OPEN, "end", "client" },
        { "a built-in that says nothing", UPSTREAM_NONE, "connect = \"discard\"", "one|two|FIN", "",
          PEER_FIN, "", "", PEER_OPEN, "end", "client" },
};

/* To another process and back, as far as the connection can tell: out of its streams, through a
 * bundle, into others. */
static void move(struct rig *r)
{
        struct bundle b;
        struct parcel p;
        struct heritage h = { 0 };
        if (r->conn == NULL || r->ended > 0 || !conn_pack(r->conn, &p))
                return;
        r->ended = 0;
        conn_free(TAKE(r->conn));
        assert_true(bundle_open(&b));
        heritage_add_connection(&b, &p);
        assert_true(bundle_close(&b));
        assert_null(heritage_read(&h, b.lines, b.take));
        bundle_fini(&b);
        assert_int_equal(h.n_parcels, 1);
        assert_ptr_equal(parcel_service(&h.parcels[0], r->snapshot), r->service);
        tally_add(&r->service->counts->tally);
        tally_add(&r->snapshot->counts->tally);
        r->conn = conn_unpack(&r->env, r->snapshot, r->service, &h.parcels[0]);
        assert_non_null(r->conn);
        conn_go_on(r->conn, &h.parcels[0]);
        heritage_fini(&h);
}

static bool got_its_due(const struct peer *p)
{
        return p->due == NULL || strcmp(p->got, p->due) == 0;
}

/* every: it moves after so many turns of the loop, again and again. */
static void play(const struct row *row, const char *more, unsigned every)
{
        struct rig r;
        char settings[256];
        snprintf(settings, sizeof settings, "%s%s", row->settings, more);
        rig_open(&r, row->kind, settings);
        r.upstream_script = row->upstream;
        r.upstream_due = row->upstream_due;
        rig_connect(&r, true);
        r.client.script = row->client;
        r.client.due = row->client_due;
        uint64_t id = r.conn->id;
        conn_start(r.conn);
        int64_t began = clock_ms();
        for (unsigned turn = 1; r.conn != NULL; turn++) {
                assert_in_range(clock_ms() - began, 0, 60000);
                if (turn % every == 0)
                        move(&r);
                rig_turn(&r);
        }
        UNTIL(&r, r.client.end == row->client_end && r.upstream.end == row->upstream_end);
        if (!got_its_due(&r.client) || !got_its_due(&r.upstream))
                fail_msg("%s: the client got \"%s\", the upstream \"%s\"", row->promise,
                         r.client.got, r.upstream.got);
        json_t *record = records_one();
        assert_string_equal(string_member(record, "reason"), row->reason);
        assert_string_equal(string_member(record, "ended_by"), row->ended_by);
        assert_int_equal(integer_member(record, "id"), id);
        json_decref(record);
        rig_close(&r);
}

static void a_connection_that_moves_all_the_time_is_as_any_other(void **state)
{
        (void)state;
        static const char *const pumps[] = { "; pump = \"auto\"", "; pump = \"buffer\"" };
        for (size_t i = 0; i < COUNTOF(rows); i++) {
                print_message("%s\n", rows[i].promise);
                for (size_t j = 0; j < COUNTOF(pumps); j++)
                        for (unsigned every = 1; every <= 3; every++)
                                play(&rows[i], pumps[j], every);
        }
}

/* What nobody takes out is a cut for its peers, never an end. */
static void a_parcel_that_gets_lost_resets_both(void **state)
{
        (void)state;
        struct rig r;
        struct bundle b;
        struct parcel p;
        rig_open(&r, UPSTREAM_LISTENS, FORWARD);
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
