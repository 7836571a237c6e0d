/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <malloc.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <event2/event.h>

#include "base/own.h"
#include "records.h"
#include "rig.h"

/* --- how a connection ends -------------------------------------------------------------------- */

#define FORWARD     "connect = \"127.0.0.1:%1\""
#define LISTEN_TLS  "; listen-tls: { certificate = \"%2\"; alpn = \"h2\" }"
#define CONNECT_TLS "; connect-tls: { verify = false }"

/* Of the client and the upstream: what it does, what it is due, how it sees the end. OPEN: it does
 * not get to see one, since it is gone itself or was never there. */
struct row {
        const char *promise;
        enum upstream_kind kind;
        const char *settings;
        bool client_tls;
        const char *client, *client_due;
        enum peer_end client_end;
        const char *upstream, *upstream_due;
        enum peer_end upstream_end;
        const char *reason, *ended_by;
};

static const struct row rows[] = {
        { "a built-in answers, and ends when the client does", UPSTREAM_NONE, "connect = \"echo\"",
          false, "ping|FIN", "ping", PEER_FIN, "", "", PEER_OPEN, "end", "client" },
        { "the client ends first and still gets the whole answer", UPSTREAM_LISTENS, FORWARD, false,
          "ping|FIN", "pong", PEER_FIN, "?|pong|FIN", "ping", PEER_FIN, "end", "client" },
        { "the upstream ends first and still gets everything", UPSTREAM_LISTENS, FORWARD, false,
          "?|ping|FIN", "pong", PEER_FIN, "pong|FIN", "ping", PEER_FIN, "end", "upstream" },
        { "a client's reset travels on", UPSTREAM_LISTENS, FORWARD, false, "ping|?|RST", "pong",
          PEER_OPEN, "?|pong", "ping", PEER_RESET, "client-reset", "client" },
        { "an upstream's reset travels on", UPSTREAM_LISTENS, FORWARD, false, "ping|?", "pong",
          PEER_RESET, "?|pong|RST", "ping", PEER_OPEN, "upstream-reset", "upstream" },
        { "an upstream that refuses", UPSTREAM_REFUSES, FORWARD, false, "ping", "", PEER_RESET, "",
          "", PEER_OPEN, "connect-refused", "upstream" },
        { "an upstream that never answers", UPSTREAM_SILENT, FORWARD "; connect-timeout = \"30ms\"",
          false, "ping", "", PEER_RESET, "", "", PEER_OPEN, "connect-timeout", "spliced" },
        { "a name that there is not", UPSTREAM_NONE, "connect = \"nowhere.example:1\"", false,
          "ping", "", PEER_RESET, "", "", PEER_OPEN, "resolve-failed", "spliced" },
        { "a path where nobody listens", UPSTREAM_NONE, "connect = \"unix:/nonexistent/socket\"",
          false, "", "", PEER_RESET, "", "", PEER_OPEN, "connect-failed", "upstream" },
        { "however busy it is, max-lifetime ends it", UPSTREAM_LISTENS,
          FORWARD "; max-lifetime = \"500ms\"", false, "ping", "pong", PEER_RESET, "?|pong", "ping",
          PEER_RESET, "max-lifetime", "spliced" },
        { "max-lifetime begins when it is accepted, not when it is forwarded", UPSTREAM_SILENT,
          FORWARD "; max-lifetime = \"30ms\"", false, "ping", "", PEER_RESET, "", "", PEER_OPEN,
          "max-lifetime", "spliced" },
        { "a client that says nothing has handshake-timeout to begin TLS", UPSTREAM_NONE,
          "connect = \"echo\"; handshake-timeout = \"30ms\"" LISTEN_TLS, false, "", "", PEER_RESET,
          "", "", PEER_OPEN, "handshake-timeout", "spliced" },
        { "an upstream that says nothing has it too", UPSTREAM_LISTENS,
          FORWARD "; handshake-timeout = \"30ms\"" CONNECT_TLS, false, "ping", "", PEER_RESET, "",
          NULL, PEER_RESET, "handshake-timeout", "spliced" },
        { "nothing moves", UPSTREAM_LISTENS, FORWARD "; idle-timeout = \"500ms\"", false, "ping",
          "pong", PEER_RESET, "?|pong", "ping", PEER_RESET, "idle-timeout", "spliced" },
        { "a client that speaks no TLS is told so", UPSTREAM_NONE, "connect = \"echo\"" LISTEN_TLS,
          false, "GET / HTTP/1.1\r\n\r\n", NULL, PEER_FIN, "", "", PEER_OPEN, "client-tls-failed",
          "client" },
        { "an upstream that speaks no TLS", UPSTREAM_LISTENS, FORWARD CONNECT_TLS, false, "ping",
          "", PEER_RESET, "HTTP/1.1 400 Bad Request\r\n\r\n", NULL, PEER_FIN, "upstream-tls-failed",
          "upstream" },
        { "TLS on the client's leg", UPSTREAM_NONE, "connect = \"echo\"" LISTEN_TLS, true,
          "ping|FIN", "ping", PEER_FIN, "", "", PEER_OPEN, "end", "client" },
        { "TLS on the upstream's leg", UPSTREAM_TLS, FORWARD CONNECT_TLS, false, "ping|FIN", "pong",
          PEER_FIN, "?|pong|FIN", "ping", PEER_FIN, "end", "client" },
        { "TLS on both", UPSTREAM_TLS, FORWARD LISTEN_TLS CONNECT_TLS, true, "?|ping|FIN", "pong",
          PEER_FIN, "pong|FIN", "ping", PEER_FIN, "end", "upstream" },
        { "no upstream: a TLS client can tell it from a fault of the network", UPSTREAM_REFUSES,
          FORWARD LISTEN_TLS, true, "ping", "", PEER_ALERT, "", "", PEER_OPEN, "connect-refused",
          "upstream" },
};

static bool got_its_due(const struct peer *p)
{
        return p->due == NULL || strcmp(p->got, p->due) == 0;
}

static void begin(struct rig *r, const struct row *row)
{
        rig_open(r, row->kind, row->settings);
        r->upstream_script = row->upstream;
        r->upstream_due = row->upstream_due;
        rig_connect(r, true);
        r->client.script = row->client;
        r->client.due = row->client_due;
        if (row->client_tls)
                peer_use_tls(&r->client, false);
        conn_start(r->conn);
}

static void check_record(const struct row *row)
{
        json_t *record = records_one();
        if (strcmp(string_member(record, "reason"), row->reason) != 0 ||
            strcmp(string_member(record, "ended_by"), row->ended_by) != 0)
                fail_msg("%s: %s by %s", row->promise, string_member(record, "reason"),
                         string_member(record, "ended_by"));
        assert_string_equal(string_member(record, "service"), "a");
        if (strcmp(row->reason, "end") == 0)
                assert_true(is_null(record, "detail"));
        assert_int_equal(is_null(record, "tls"), strstr(row->settings, "listen-tls") == NULL);
        json_decref(record);
}

static void every_end_is_told_once_with_its_reason(void **state)
{
        (void)state;
        for (size_t i = 0; i < COUNTOF(rows); i++) {
                const struct row *row = &rows[i];
                struct rig r;
                print_message("%s\n", row->promise);
                begin(&r, row);
                UNTIL(&r, r.conn == NULL);
                UNTIL(&r, r.client.end == row->client_end && r.upstream.end == row->upstream_end);
                if (!got_its_due(&r.client) || !got_its_due(&r.upstream))
                        fail_msg("%s: the client got \"%s\", the upstream \"%s\"", row->promise,
                                 r.client.got, r.upstream.got);
                check_record(row);
                rig_close(&r);
        }
}

/* --- what the record says of it --------------------------------------------------------------- */

/* One connection from beginning to end; its record. */
static json_t *record_of(const struct row *row)
{
        struct rig r;
        begin(&r, row);
        UNTIL(&r, r.conn == NULL);
        rig_close(&r);
        return records_one();
}

static void a_forwarded_connection_is_recorded(void **state)
{
        (void)state;
        struct rig r;
        begin(&r, &(struct row){ .kind = UPSTREAM_LISTENS,
                                 .settings = FORWARD,
                                 .client = "a question|FIN",
                                 .client_due = "its answer",
                                 .upstream = "?|its answer|FIN",
                                 .upstream_due = "a question" });
        char client[SOCKADDRESS_TEXT_MAX], listen[SOCKADDRESS_TEXT_MAX];
        char upstream[SOCKADDRESS_TEXT_MAX];
        sockaddress_text(&r.from, client);
        sockaddress_text(&r.service->socks[0]->address, listen);
        snprintf(upstream, sizeof upstream, "%s", r.service->conf->connect.items[0].text);
        UNTIL(&r, r.conn == NULL);
        json_t *record = records_one();
        assert_string_equal(string_member(record, "client"), client);
        assert_string_equal(string_member(record, "listen"), listen);
        assert_string_equal(string_member(record, "local"), listen);
        assert_string_equal(string_member(record, "upstream"), upstream);
        assert_string_equal(string_member(record, "path"), "splice");
        assert_int_equal(integer_member(record, "bytes_up"), 10);
        assert_int_equal(integer_member(record, "bytes_down"), 10);
        json_int_t whole = integer_member(record, "duration_ms");
        assert_in_range(integer_member(record, "connect_ms"), 0, whole);
        assert_in_range(integer_member(record, "half_closed_ms"), 0, whole);
        assert_true(is_null(record, "handshake_ms"));
        assert_int_equal(json_array_size(member(record, "attempts")), 1);
        json_t *attempt = json_array_get(member(record, "attempts"), 0);
        assert_string_equal(string_member(attempt, "address"), upstream);
        assert_true(is_null(attempt, "error"));
        json_decref(record);
        rig_close(&r);
}

/* What a listener on every address is bound to is not what the client asked for. Nobody needs the
 * latter until the end, and the kernel knows it even of a connection that was reset. */
static void the_address_the_client_asked_for_is_recorded(void **state)
{
        (void)state;
        static const struct {
                const char *client, *reason;
        } table[] = { { "ping|FIN", "end" }, { "ping|?|RST", "client-reset" } };
        for (size_t i = 0; i < COUNTOF(table); i++) {
                json_t *record = record_of(
                        &(struct row){ .settings = "connect = \"echo\"; listen = \"0.0.0.0:0\"",
                                       .client = table[i].client,
                                       .client_due = "ping" });
                const char *listen = string_member(record, "listen");
                const char *local = string_member(record, "local");
                assert_string_equal(string_member(record, "reason"), table[i].reason);
                assert_int_equal(strncmp(listen, "0.0.0.0:", 8), 0);
                assert_int_equal(strncmp(local, "127.0.0.1:", 10), 0);
                assert_string_equal(strchr(local, ':'), strchr(listen, ':'));
                json_decref(record);
        }
}

/* The sockets are closed while connections that came by them go on. */
static void the_listener_may_be_gone_by_then(void **state)
{
        (void)state;
        struct rig r;
        begin(&r, &rows[0]);
        char listen[SOCKADDRESS_TEXT_MAX];
        sockaddress_text(&r.service->socks[0]->address, listen);
        snapshot_close_sockets(r.snapshot, NULL);
        UNTIL(&r, r.conn == NULL);
        json_t *record = records_one();
        assert_string_equal(string_member(record, "listen"), listen);
        json_decref(record);
        rig_close(&r);
}

static void both_handshakes_are_recorded(void **state)
{
        (void)state;
        json_t *record = record_of(&(struct row){ .kind = UPSTREAM_TLS,
                                                  .settings = FORWARD LISTEN_TLS CONNECT_TLS,
                                                  .client_tls = true,
                                                  .client = "ping|FIN",
                                                  .client_due = "pong",
                                                  .upstream = "?|pong|FIN",
                                                  .upstream_due = "ping" });
        static const char *const legs[] = { "tls", "connect_tls" };
        for (size_t i = 0; i < COUNTOF(legs); i++) {
                json_t *leg = member(record, legs[i]);
                assert_string_equal(string_member(leg, "version"), "TLSv1.3");
                assert_true(strlen(string_member(leg, "cipher")) > 0);
                assert_true(strlen(string_member(leg, "group")) > 0);
                assert_true(json_is_false(member(leg, "resumed")));
                assert_in_range(integer_member(leg, "handshake_ms"), 0,
                                integer_member(record, "duration_ms"));
        }
        assert_string_equal(string_member(record, "tls.sni"), "www.example.com");
        assert_true(is_null(record, "tls.peer"));
        assert_string_equal(string_member(record, "connect_tls.peer"), "CN=test");
        assert_string_equal(string_member(record, "path"), "tls");
        json_decref(record);
}

static void a_handshake_that_ran_out_of_time_has_none(void **state)
{
        (void)state;
        json_t *record = record_of(&(struct row){
                .settings = "connect = \"echo\"; handshake-timeout = \"1ms\"" LISTEN_TLS,
                .client = "" });
        assert_string_equal(string_member(record, "reason"), "handshake-timeout");
        assert_true(is_null(record, "handshake_ms"));
        assert_true(is_null(record, "tls.version"));
        assert_true(is_null(record, "upstream"));
        assert_true(is_null(record, "path"));
        json_decref(record);
}

static void every_address_that_was_tried_is_recorded(void **state)
{
        (void)state;
        struct row row = { .kind = UPSTREAM_LISTENS,
                           .client = "ping|FIN",
                           .client_due = "pong",
                           .settings = "connect = [\"unix:/nonexistent/socket\", "
                                       "\"nowhere.example:1\", \"here.example:%1\"]\n"
                                       "balance = \"first\"",
                           .upstream = "?|pong|FIN",
                           .upstream_due = "ping" };
        json_t *record = record_of(&row), *attempts = member(record, "attempts");
        assert_string_equal(string_member(record, "reason"), "end");
        assert_int_equal(json_array_size(attempts), 3);
        json_t *path = json_array_get(attempts, 0), *name = json_array_get(attempts, 1);
        json_t *reached = json_array_get(attempts, 2);
        assert_string_equal(string_member(path, "target"), "unix:/nonexistent/socket");
        assert_string_equal(string_member(path, "error"), "No such file or directory");
        assert_string_equal(string_member(name, "target"), "nowhere.example:1");
        assert_true(is_null(name, "address"));
        assert_true(strlen(string_member(name, "error")) > 0);
        assert_int_equal(strncmp(string_member(reached, "target"), "here.example:", 13), 0);
        assert_string_equal(string_member(reached, "address"), string_member(record, "upstream"));
        assert_true(is_null(reached, "error"));
        json_decref(record);
}

static void the_detail_names_what_was_tried_last(void **state)
{
        (void)state;
        json_t *record = record_of(&(struct row){
                .settings = "connect = \"unix:/nonexistent/socket\"", .client = "" });
        assert_string_equal(string_member(record, "detail"),
                            "unix:/nonexistent/socket: No such file or directory");
        assert_true(is_null(record, "upstream"));
        assert_true(is_null(record, "connect_ms"));
        json_decref(record);
}

static void no_two_connections_have_the_same_number(void **state)
{
        (void)state;
        json_int_t last = 0;
        for (int i = 0; i < 3; i++) {
                json_t *record = record_of(&rows[0]);
                assert_true(integer_member(record, "id") > last);
                last = integer_member(record, "id");
                json_decref(record);
        }
}

static void the_record_has_the_form_that_was_asked_for(void **state)
{
        (void)state;
        static const struct {
                int access;
                const char *begins, *holds;
        } table[] = { { CONFIG_LOG_ACCESS_JSON, "{\"id\":", "\"service\":\"a\"" },
                      { CONFIG_LOG_ACCESS_TEXT, "20", "Z a: 127.0.0.1:" },
                      { CONFIG_LOG_ACCESS_OFF, "", "" } };
        for (size_t i = 0; i < COUNTOF(table); i++) {
                struct rig r;
                begin(&r, &rows[0]);
                r.snapshot->conf->log.access = table[i].access;
                UNTIL(&r, r.conn == NULL);
                rig_close(&r);
                OWN_FREE char *raw = records_raw();
                size_t n = strlen(table[i].begins);
                if (strncmp(raw, table[i].begins, n) != 0 || (n == 0) != (*raw == '\0') ||
                    strstr(raw, table[i].holds) == NULL)
                        fail_msg("%s", raw);
        }
}

/* --- limits and timers ------------------------------------------------------------------------ */

static void whoever_is_too_many_is_reset_and_recorded(void **state)
{
        (void)state;
        struct rig r;
        rig_open(&r, UPSTREAM_NONE, "connect = \"echo\"");
        rig_connect(&r, false);
        assert_int_equal(tally_live(&r.service->counts->tally), 0);
        conn_end(r.conn, REASON_LIMIT);
        UNTIL(&r, r.conn == NULL && r.client.end == PEER_RESET);
        assert_int_equal(r.ended, 1);
        json_t *record = records_one();
        assert_string_equal(string_member(record, "reason"), "limit");
        assert_string_equal(string_member(record, "ended_by"), "spliced");
        assert_int_equal(integer_member(record, "bytes_up"), 0);
        json_decref(record);
        rig_close(&r);
}

/* It waits in the relay, past every stage that has a timer of its own. */
static void what_was_in_time_is_not_cut_later(void **state)
{
        (void)state;
        struct rig r;
        begin(&r, &(struct row){ .kind = UPSTREAM_TLS,
                                 .settings = FORWARD LISTEN_TLS CONNECT_TLS,
                                 .client_tls = true,
                                 .client = "ping|?|FIN",
                                 .client_due = "pong",
                                 .upstream = "?|pong|FIN",
                                 .upstream_due = "ping" });
        UNTIL(&r, strcmp(rig_stage(&r), "client-tls") == 0);
        assert_non_null(r.conn->stage_timer);
        UNTIL(&r, strcmp(rig_stage(&r), "upstream-tls") == 0);
        assert_non_null(r.conn->stage_timer);
        UNTIL(&r, strcmp(rig_stage(&r), "relay") == 0);
        assert_null(r.conn->stage_timer);
        UNTIL(&r, r.conn == NULL);
        rig_close(&r);
        json_decref(records_one());
}

/* Of an idle connection this is what conn/ and net/dial may keep: malloc's own included, 320
 * octets. The streams and the relay have their own. */
static void an_established_connection_keeps_little(void **state)
{
        (void)state;
        struct rig r;
        begin(&r, &(struct row){ .kind = UPSTREAM_LISTENS,
                                 .settings = FORWARD,
                                 .client = "ping|?",
                                 .client_due = "pong",
                                 .upstream = "?|pong",
                                 .upstream_due = "ping" });
        UNTIL(&r, r.client.n == 4);
        const struct conn *c = r.conn;
        assert_null(c->stage_timer);
        assert_null(c->lifetime);
        assert_null(c->dial);
        assert_null(c->order);
        assert_null(c->detail);
        assert_null(c->attempts->next);
        size_t head = sizeof(size_t);
        assert_in_range(malloc_usable_size(r.conn) + head + malloc_usable_size(c->attempts) + head,
                        1, 320);
        conn_end(r.conn, REASON_SHUTDOWN);
        UNTIL(&r, r.conn == NULL);
        rig_close(&r);
        json_decref(records_one());
}

/* --- being cut from outside ------------------------------------------------------------------- */

/* Where a connection can be waiting, and how it gets there. */
struct wait {
        const char *stage;
        enum upstream_kind kind;
        const char *settings;
        bool client_tls;
        const char *client, *upstream;
        bool moving; /* octets have gone down to the client */
};

static const struct wait waits[] = {
        { "client-tls", UPSTREAM_NONE, "connect = \"echo\"" LISTEN_TLS, false, "", "", false },
        { "client-tls", UPSTREAM_NONE, "connect = \"echo\"" LISTEN_TLS, false, "\x16\x03\x01\x02",
          "", false },
        { "dial", UPSTREAM_SILENT, FORWARD, false, "ping", "", false },
        { "dial", UPSTREAM_SILENT, FORWARD LISTEN_TLS, true, "ping", "", false },
        { "dial", UPSTREAM_NONE, "connect = \"silent.example:1\"", false, "", "", false },
        { "upstream-tls", UPSTREAM_LISTENS, FORWARD CONNECT_TLS, false, "ping", "STILL", false },
        { "upstream-tls", UPSTREAM_LISTENS, FORWARD LISTEN_TLS CONNECT_TLS, true, "ping", "STILL",
          false },
        { "relay", UPSTREAM_NONE, "connect = \"echo\"", false, "", "", false },
        { "relay", UPSTREAM_LISTENS, FORWARD, false, "ping", "pong", true },
        { "relay", UPSTREAM_LISTENS, FORWARD, false, "ping|FIN", "pong", true },
        { "relay", UPSTREAM_TLS, FORWARD LISTEN_TLS CONNECT_TLS, true, "ping", "pong", true },
        { "relay", UPSTREAM_NONE, "connect = \"chargen\"", false, "STILL", "", true },
        { "relay", UPSTREAM_NONE, "connect = \"chargen\"" LISTEN_TLS, true, "ping|STILL", "",
          true },
};

static void begin_to_wait(struct rig *r, const struct wait *w)
{
        begin(r, &(struct row){ .kind = w->kind,
                                .settings = w->settings,
                                .client_tls = w->client_tls,
                                .client = w->client,
                                .client_due = "",
                                .upstream = w->upstream,
                                .upstream_due = "" });
}

static uint64_t octets_down(const struct rig *r)
{
        struct relay_stats stats = { 0 };
        if (r->conn != NULL && r->conn->relay != NULL)
                relay_stats(r->conn->relay, &stats);
        return stats.bytes_down;
}

/* From the loop, as a worker does: it ends once, and whoever still listens sees a reset. */
static void cut(struct rig *r)
{
        conn_end(r->conn, REASON_SHUTDOWN);
        assert_int_equal(r->ended, 1);
        conn_free(TAKE(r->conn));
        r->client.script = ""; /* one that kept still looks up */
        UNTIL(r, r->client.end != PEER_OPEN);
        assert_int_equal(r->client.end, PEER_RESET);
        assert_int_equal(r->ended, 1);
}

static void check_cut(const struct wait *w, uint64_t octets)
{
        json_t *record = records_one();
        assert_string_equal(string_member(record, "reason"), "shutdown");
        assert_string_equal(string_member(record, "ended_by"), "spliced");
        assert_int_equal(integer_member(record, "bytes_down"), octets);
        if (strcmp(w->stage, "dial") == 0) {
                json_t *attempt = json_array_get(member(record, "attempts"), 0);
                assert_string_equal(string_member(attempt, "error"), "given up");
        }
        json_decref(record);
}

static void it_can_be_cut_wherever_it_waits(void **state)
{
        (void)state;
        for (size_t i = 0; i < COUNTOF(waits); i++) {
                const struct wait *w = &waits[i];
                struct rig r;
                begin_to_wait(&r, w);
                UNTIL(&r, strcmp(rig_stage(&r), w->stage) == 0);
                if (w->moving)
                        UNTIL(&r, octets_down(&r) > 0);
                for (int turn = 0; turn < 5; turn++)
                        rig_turn(&r);
                assert_string_equal(rig_stage(&r), w->stage);
                uint64_t octets = octets_down(&r);
                cut(&r);
                check_cut(w, octets);
                rig_close(&r);
        }
}

static void it_can_be_cut_before_anything_has_happened(void **state)
{
        (void)state;
        for (size_t i = 0; i < COUNTOF(waits); i++) {
                struct rig r;
                begin_to_wait(&r, &waits[i]);
                cut(&r);
                json_decref(records_one());
                rig_close(&r);
        }
}

/* After its end nothing of it runs: no timer is left, and a peer that goes on finds nobody. */
static void a_dead_connection_is_silent(void **state)
{
        (void)state;
        for (size_t i = 0; i < COUNTOF(waits); i++) {
                const struct wait *w = &waits[i];
                struct rig r;
                begin_to_wait(&r, w);
                UNTIL(&r, strcmp(rig_stage(&r), w->stage) == 0);
                conn_end(r.conn, REASON_SHUTDOWN);
                assert_null(r.conn->stage_timer);
                for (int turn = 0; turn < 5; turn++) {
                        /* not yet freed: what comes in finds the dead */
                        event_base_loop(r.net.base, EVLOOP_NONBLOCK);
                        peer_turn(&r.client);
                }
                assert_int_equal(r.ended, 1);
                UNTIL(&r, r.conn == NULL);
                json_decref(records_one());
                rig_close(&r);
        }
}

#define RECORDED(name) cmocka_unit_test_setup_teardown(name, records_set_up, records_tear_down)

int main(void)
{
        const struct CMUnitTest tests[] = {
                RECORDED(every_end_is_told_once_with_its_reason),
                RECORDED(a_forwarded_connection_is_recorded),
                RECORDED(the_address_the_client_asked_for_is_recorded),
                RECORDED(the_listener_may_be_gone_by_then),
                RECORDED(both_handshakes_are_recorded),
                RECORDED(a_handshake_that_ran_out_of_time_has_none),
                RECORDED(every_address_that_was_tried_is_recorded),
                RECORDED(the_detail_names_what_was_tried_last),
                RECORDED(no_two_connections_have_the_same_number),
                RECORDED(the_record_has_the_form_that_was_asked_for),
                RECORDED(whoever_is_too_many_is_reset_and_recorded),
                RECORDED(what_was_in_time_is_not_cut_later),
                RECORDED(an_established_connection_keeps_little),
                RECORDED(it_can_be_cut_wherever_it_waits),
                RECORDED(it_can_be_cut_before_anything_has_happened),
                RECORDED(a_dead_connection_is_silent),
        };
        return cmocka_run_group_tests_name("conn/conn", tests, NULL, NULL);
}
