/* SPDX-License-Identifier: ISC */
/* Legs on their way to another process that are, or were, TLS. tests/ktls runs the same where the
 * kernel has it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../conn/records.h"
#include "../net/dial_fixture.h"
#include "../snapshot/made.h"
#include "../tls/cert.h"
#include "base/own.h"
#include "conn/parcel_members.h"
#include "moving.h"

/* --- TLS -------------------------------------------------------------------------------------- */

#define LISTEN_TLS  "; listen-tls: { certificate = \"%2\"; "
#define CONNECT_TLS "; connect-tls: { verify = false; "
#define TLS_1_2     "ktls = \"on\"; max-version = \"TLSv1.2\" }"
#define TLS_1_3     "ktls = \"on\"; min-version = \"TLSv1.3\" }"

static const struct leg_row {
        const char *name, *settings, *version;
} leg_rows[] = {
        { "TLS 1.2, and plain", LISTEN_TLS TLS_1_2, "TLSv1.2" },
        { "plain, and TLS 1.2", CONNECT_TLS TLS_1_2, "TLSv1.2" },
        { "TLS 1.2 twice", LISTEN_TLS TLS_1_2 CONNECT_TLS TLS_1_2, "TLSv1.2" },
        { "TLS 1.3, and plain", LISTEN_TLS TLS_1_3, "TLSv1.3" },
        { "plain, and TLS 1.3", CONNECT_TLS TLS_1_3, "TLSv1.3" },
        { "TLS 1.3 twice", LISTEN_TLS TLS_1_3 CONNECT_TLS TLS_1_3, "TLSv1.3" },
};

/* As tests/ktls says; elsewhere nothing is left to it. */
static bool is_kernels(const struct leg_row *legs)
{
        const char *name = strcmp(legs->version, "TLSv1.2") == 0 ? "KTLS_TLS12" : "KTLS_TLS13";
        const char *has = getenv(name);
        return has != NULL && atoi(has) == KTLS_BOTH;
}

static void check_leg(json_t *record, const char *name, const struct leg_row *legs, const char *by)
{
        char path[64];
        if (strstr(legs->settings, by) == NULL) {
                assert_true(is_null(record, name));
                return;
        }
        snprintf(path, sizeof path, "%s.version", name);
        assert_string_equal(string_member(record, path), legs->version);
        snprintf(path, sizeof path, "%s.handshake_ms", name);
        assert_in_range(integer_member(record, path), 0, 60000);
}

/* Time runs the same on all legs, and slowly where the processor is qemu's. */
static bool is_for_tls(const struct moving_row *row)
{
        return row->kind != UPSTREAM_NONE && strstr(row->settings, "ms\"") == NULL;
}

static void play(const struct leg_row *legs, const struct moving_row *row, unsigned every)
{
        json_t *record;
        bool reaches = row->kind != UPSTREAM_REFUSES;
        print_message("%s: %s\n", legs->name, row->promise);
        unsigned moves = moving_play(row, legs->settings, every, &record);
        check_leg(record, "tls", legs, "listen-tls");
        if (reaches) {
                assert_true(moves > 0);
                check_leg(record, "connect_tls", legs, "connect-tls");
                assert_string_equal(string_member(record, "path"), "ktls");
        }
        json_decref(record);
}

static void the_kernels_tls_is_as_any_other(void **state)
{
        (void)state;
        bool any = false;
        for (size_t j = 0; j < COUNTOF(leg_rows); j++) {
                if (!is_kernels(&leg_rows[j]))
                        continue;
                any = true;
                for (unsigned i = 0; i < moving_rows_count; i++)
                        if (is_for_tls(&moving_rows[i]))
                                play(&leg_rows[j], &moving_rows[i], 1 + i % 3);
        }
        if (!any)
                skip();
}

/* The client has shaken hands, and is told later that nobody is there. */
static void dials_elsewhere(const struct leg_row *legs)
{
        struct rig r;
        char settings[512];
        snprintf(settings, sizeof settings, "%s; connect-timeout = \"300ms\"%s", MOVING_FORWARD,
                 legs->settings);
        rig_open(&r, UPSTREAM_SILENT, settings);
        rig_connect(&r, true);
        peer_use_tls(&r.client, false);
        conn_start(r.conn);
        UNTIL(&r, strcmp(rig_stage(&r), "dial") == 0);
        assert_true(moving_move(&r));
        assert_string_equal(rig_stage(&r), "dial");
        UNTIL(&r, r.conn == NULL && r.client.end == PEER_ALERT);
        json_t *record = records_one();
        assert_string_equal(string_member(record, "reason"), "connect-timeout");
        check_leg(record, "tls", legs, "listen-tls");
        json_decref(record);
        rig_close(&r);
}

static void the_kernels_tls_need_not_have_reached_anybody(void **state)
{
        (void)state;
        bool any = false;
        for (size_t j = 0; j < COUNTOF(leg_rows); j++) {
                if (!is_kernels(&leg_rows[j]) ||
                    strstr(leg_rows[j].settings, "connect-tls") != NULL)
                        continue;
                any = true;
                dials_elsewhere(&leg_rows[j]);
        }
        if (!any)
                skip();
}

static void tls_in_user_space_stays(void **state)
{
        (void)state;
        static const char *const legs[] = { LISTEN_TLS "}", CONNECT_TLS "}",
                                            LISTEN_TLS "}" CONNECT_TLS "}" };
        for (size_t i = 0; i < COUNTOF(legs); i++) {
                struct rig r;
                struct parcel p;
                char settings[256];
                snprintf(settings, sizeof settings, "%s%s", MOVING_FORWARD, legs[i]);
                bool upstream = strstr(settings, "connect-tls") != NULL;
                rig_open(&r, upstream ? UPSTREAM_TLS : UPSTREAM_LISTENS, settings);
                rig_connect(&r, true);
                if (strstr(settings, "listen-tls") != NULL)
                        peer_use_tls(&r.client, false);
                conn_start(r.conn);
                UNTIL(&r, strcmp(rig_stage(&r), "relay") == 0);
                assert_false(conn_pack(r.conn, &p));
                r.client.script = "RST";
                UNTIL(&r, r.conn == NULL);
                json_t *record = records_one();
                assert_string_equal(string_member(record, "reason"), "client-reset");
                json_decref(record);
                rig_close(&r);
        }
}

/* With everything it has to say; a name may be any octets. */
static struct stream_ktls_state eventful(void)
{
        return (struct stream_ktls_state){
                .info = { .version = strdup("TLSv1.3"),
                          .cipher = strdup("TLS_AES_128_GCM_SHA256"),
                          .group = strdup("x25519"),
                          .sni = strdup("caf\xe9.example"),
                          .alpn = strdup("h2"),
                          .resumed = true },
                .ktls = { .records = { .tls13 = true,
                                       .accepts = true,
                                       .idle = 7,
                                       .head = { 24, 0, 1 },
                                       .head_len = 3,
                                       .body_left = 0xffffff },
                          .splice_error = EINVAL },
                .said_end = true,
                .peer_through = true,
        };
}

static void same_text(const char *a, const char *b)
{
        assert_int_equal(a == NULL, b == NULL);
        if (a != NULL)
                assert_string_equal(a, b);
}

static void same_kernel(const struct stream_ktls_state *a, const struct stream_ktls_state *b)
{
        const struct ktls_records *r = &a->ktls.records, *q = &b->ktls.records;
        same_text(a->info.version, b->info.version);
        same_text(a->info.cipher, b->info.cipher);
        same_text(a->info.group, b->info.group);
        same_text(a->info.sni, b->info.sni);
        same_text(a->info.alpn, b->info.alpn);
        same_text(a->info.peer, b->info.peer);
        assert_int_equal(a->info.resumed, b->info.resumed);
        assert_int_equal(a->said_end, b->said_end);
        assert_int_equal(a->peer_through, b->peer_through);
        assert_int_equal(a->ktls.splice_error, b->ktls.splice_error);
        assert_int_equal(r->tls13, q->tls13);
        assert_int_equal(r->accepts, q->accepts);
        assert_int_equal(r->idle, q->idle);
        assert_int_equal(r->head_len, q->head_len);
        assert_memory_equal(r->head, q->head, sizeof r->head);
        assert_int_equal(r->body_left, q->body_left);
}

/* As a file has it. */
static void travels(const struct stream_ktls_state *kernel)
{
        struct stream_ktls_state arrived;
        json_t *leg = parcel_pack_leg(&(struct stream_state){ 0 }, kernel);
        OWN_FREE char *line = json_dumps(leg, JSON_COMPACT);
        json_t *read = json_loads(line, 0, NULL);
        assert_true(parcel_leg_is_ktls(read));
        parcel_unpack_ktls(read, &arrived);
        same_kernel(kernel, &arrived);
        stream_ktls_state_fini(&arrived);
        json_decref(read);
        json_decref(leg);
}

static void what_the_kernel_does_not_know_travels(void **state)
{
        (void)state;
        struct stream_ktls_state full = eventful();
        travels(&full);
        stream_ktls_state_fini(&full);
        travels(&(struct stream_ktls_state){ 0 });
}

static void nonsense_is_as_nothing(void **state)
{
        (void)state;
        static const char *const legs[] = {
                "{\"ktls\":{}}",
                "{\"ktls\":{\"idle\":4711,\"body_left\":-1,\"head\":7,\"info\":[],\"tls13\":1}}",
                "{\"ktls\":{\"idle\":-1,\"body_left\":16777216,\"info\":{\"sni\":1}}}",
        };
        for (size_t i = 0; i < COUNTOF(legs); i++) {
                struct stream_ktls_state kernel;
                json_t *leg = json_loads(legs[i], 0, NULL);
                parcel_unpack_ktls(leg, &kernel);
                same_kernel(&kernel, &(struct stream_ktls_state){ 0 });
                stream_ktls_state_fini(&kernel);
                json_decref(leg);
        }
        /* A header that is longer than one. */
        struct stream_ktls_state kernel;
        json_t *leg = json_loads("{\"ktls\":{\"head\":\"0102030405\"}}", 0, NULL);
        parcel_unpack_ktls(leg, &kernel);
        assert_int_equal(kernel.ktls.records.head_len, 3);
        stream_ktls_state_fini(&kernel);
        json_decref(leg);
}

/* On sockets without TLS, which differ only once something arrives. */
static void handshakes_are_still_in_the_record(void **state)
{
        (void)state;
        struct rig r;
        struct parcel p;
        rig_open(&r, UPSTREAM_LISTENS, MOVING_FORWARD);
        rig_connect(&r, true);
        conn_start(r.conn);
        UNTIL(&r, strcmp(rig_stage(&r), "relay") == 0 && r.upstream.fd >= 0);
        r.conn->handshake_ms = 17;
        assert_true(moving_leave(&r, &p));
        struct stream_ktls_state kernel = eventful();
        kernel.ktls.splice_error = 0; /* it would be told at once */
        json_array_set_new(json_object_get(p.about, "legs"), RELAY_CLIENT,
                           parcel_pack_leg(&(struct stream_state){ 0 }, &kernel));
        stream_ktls_state_fini(&kernel);
        for (int i = 0; i < 3; i++) {
                json_t *legs = json_deep_copy(json_object_get(p.about, "legs"));
                moving_arrive(&r, &p, r.snapshot);
                rig_turn(&r);
                assert_true(moving_leave(&r, &p));
                assert_true(json_equal(legs, json_object_get(p.about, "legs")));
                json_decref(legs);
        }
        moving_arrive(&r, &p, r.snapshot);
        r.client.script = "RST";
        UNTIL(&r, r.conn == NULL && r.upstream.end == PEER_RESET);
        json_t *record = records_one();
        assert_string_equal(string_member(record, "reason"), "client-reset");
        assert_string_equal(string_member(record, "path"), "ktls");
        assert_string_equal(string_member(record, "tls.version"), "TLSv1.3");
        assert_string_equal(string_member(record, "tls.cipher"), "TLS_AES_128_GCM_SHA256");
        assert_string_equal(string_member(record, "tls.group"), "x25519");
        assert_string_equal(string_member(record, "tls.alpn"), "h2");
        assert_true(json_is_true(member(record, "tls.resumed")));
        assert_true(is_null(record, "tls.peer"));
        assert_int_equal(integer_member(record, "tls.handshake_ms"), 17);
        assert_true(is_null(record, "connect_tls"));
        json_decref(record);
        rig_close(&r);
}

/* The kernel's TLS needs a direct stream on the other side. */
static void what_cannot_be_joined_is_refused(void **state)
{
        (void)state;
        struct rig r;
        struct parcel p;
        rig_open(&r, UPSTREAM_SILENT, MOVING_FORWARD);
        rig_connect(&r, true);
        conn_start(r.conn);
        UNTIL(&r, strcmp(rig_stage(&r), "dial") == 0);
        assert_true(moving_leave(&r, &p));
        json_array_set_new(
                json_object_get(p.about, "legs"), RELAY_CLIENT,
                parcel_pack_leg(&(struct stream_state){ 0 }, &(struct stream_ktls_state){ 0 }));
        struct snapshot *echo = must_make("services: { a: { listen = \"127.0.0.1:0\"\n"
                                          "connect = \"echo\" } }");
        assert_null(conn_unpack(&r.env, echo, echo->services[0], &p));
        parcel_fini(&p);
        UNTIL(&r, r.client.end == PEER_RESET);
        snapshot_unref(echo);
        rig_close(&r);
}

/* --- the service is another one --------------------------------------------------------------- */

/* relayed: when it moves; else while it is dialling. */
static void go_on_under(const char *settings, bool relayed)
{
        struct rig r;
        struct parcel p;
        char was[SOCKADDRESS_TEXT_MAX];
        rig_open(&r, UPSTREAM_LISTENS, MOVING_FORWARD);
        rig_connect(&r, true);
        r.client.script = "ping|FIN";
        r.client.due = "pong";
        r.upstream_script = "?|pong|FIN";
        r.upstream_due = "ping";
        sockaddress_text(&r.service->socks[0]->address, was);
        conn_start(r.conn);
        if (relayed)
                UNTIL(&r, strcmp(rig_stage(&r), "relay") == 0 && r.upstream.fd >= 0);
        assert_true(moving_leave(&r, &p));
        struct snapshot *other = must_make("services: { a: { listen = \"127.0.0.1:0\"\n"
                                           "connect = \"127.0.0.1:%u\"; %s } }",
                                           tcp_port(r.listener), settings);
        if (!relayed)
                peer_close(&r.upstream);
        moving_arrive(&r, &p, other);
        UNTIL(&r, r.conn == NULL && r.client.end == PEER_FIN && r.upstream.end == PEER_FIN);
        assert_string_equal(r.client.got, "pong");
        assert_string_equal(r.upstream.got, "ping");
        json_t *record = records_one();
        assert_string_equal(string_member(record, "listen"), was);
        assert_string_equal(string_member(record, "reason"), "end");
        assert_true(is_null(record, "tls") && is_null(record, "connect_tls"));
        json_decref(record);
        snapshot_unref(other);
        rig_close(&r);
}

static void a_connection_is_what_it_was(void **state)
{
        (void)state;
        struct cert c = cert_make((struct cert_spec){ .names = "DNS:localhost" });
        char settings[512];
        snprintf(settings, sizeof settings, "listen-tls: { certificate = \"%s\" }",
                 cert_write_both("other.pem", &c));
        cert_free(&c);
        go_on_under("", true);
        go_on_under(settings, true);
        go_on_under(settings, false);
        go_on_under("connect-tls: { verify = false }", true);
        go_on_under("pump = \"buffer\"", true);
        go_on_under("pump = \"buffer\"", false);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(the_kernels_tls_is_as_any_other),
                cmocka_unit_test(the_kernels_tls_need_not_have_reached_anybody),
                cmocka_unit_test(tls_in_user_space_stays),
                cmocka_unit_test(what_the_kernel_does_not_know_travels),
                cmocka_unit_test(nonsense_is_as_nothing),
                cmocka_unit_test(handshakes_are_still_in_the_record),
                cmocka_unit_test(what_cannot_be_joined_is_refused),
                cmocka_unit_test(a_connection_is_what_it_was),
        };
        return cmocka_run_group_tests(tests, records_set_up, records_tear_down);
}
