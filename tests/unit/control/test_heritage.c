/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "../conn/records.h"
#include "../conn/rig.h"
#include "../net/dial_fixture.h"
#include "../snapshot/made.h"
#include "../tls/cert.h"
#include "base/own.h"
#include "conn/parcel_members.h"
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

/* Out of its streams, if it is one that can go. */
static bool leave(struct rig *r, struct parcel *p)
{
        if (r->conn == NULL || r->ended > 0 || !conn_pack(r->conn, p))
                return false;
        r->ended = 0;
        conn_free(TAKE(r->conn));
        return true;
}

/* Through a bundle, and into others. */
static void arrive(struct rig *r, struct parcel *p, struct snapshot *snapshot)
{
        struct bundle b;
        struct heritage h = { 0 };
        assert_true(bundle_open(&b));
        heritage_add_connection(&b, p);
        assert_true(bundle_close(&b));
        assert_null(heritage_read(&h, b.lines, b.take));
        bundle_fini(&b);
        assert_int_equal(h.n_parcels, 1);
        struct service *service = parcel_service(&h.parcels[0], snapshot);
        assert_ptr_equal(service, snapshot->services[0]);
        tally_add(&service->counts->tally);
        tally_add(&snapshot->counts->tally);
        r->conn = conn_unpack(&r->env, snapshot, service, &h.parcels[0]);
        assert_non_null(r->conn);
        conn_go_on(r->conn, &h.parcels[0]);
        heritage_fini(&h);
}

/* To another process and back, as far as the connection can tell. */
static bool move(struct rig *r)
{
        struct parcel p;
        if (!leave(r, &p))
                return false;
        arrive(r, &p, r->snapshot);
        return true;
}

static bool got_its_due(const struct peer *p)
{
        return p->due == NULL || strcmp(p->got, p->due) == 0;
}

/* more: settings. every: it moves after so many turns of the loop, again and again. Returns how
 * often it did, and *record, if that is wanted. */
static unsigned play(const struct row *row, const char *more, unsigned every, json_t **wanted)
{
        struct rig r;
        char settings[512];
        bool tls = strstr(more, "listen-tls") != NULL;
        unsigned moves = 0;
        snprintf(settings, sizeof settings, "%s%s", row->settings, more);
        bool upstream_tls = row->kind == UPSTREAM_LISTENS && strstr(more, "connect-tls") != NULL;
        rig_open(&r, upstream_tls ? UPSTREAM_TLS : row->kind, settings);
        r.upstream_script = row->upstream;
        r.upstream_due = row->upstream_due;
        rig_connect(&r, true);
        r.client.script = row->client;
        r.client.due = row->client_due;
        if (tls)
                peer_use_tls(&r.client, false);
        /* That no upstream could be reached it is told by an alert. */
        bool alert = tls && row->kind == UPSTREAM_REFUSES;
        enum peer_end client_end = alert ? PEER_ALERT : row->client_end;
        uint64_t id = r.conn->id;
        conn_start(r.conn);
        int64_t began = clock_ms();
        for (unsigned turn = 1; r.conn != NULL; turn++) {
                assert_in_range(clock_ms() - began, 0, 60000);
                if (turn % every == 0)
                        moves += move(&r);
                rig_turn(&r);
        }
        UNTIL(&r, r.client.end == client_end && r.upstream.end == row->upstream_end);
        if (!got_its_due(&r.client) || !got_its_due(&r.upstream))
                fail_msg("%s: the client got \"%s\", the upstream \"%s\"", row->promise,
                         r.client.got, r.upstream.got);
        json_t *record = records_one();
        assert_string_equal(string_member(record, "reason"), row->reason);
        assert_string_equal(string_member(record, "ended_by"), row->ended_by);
        assert_int_equal(integer_member(record, "id"), id);
        if (wanted != NULL)
                *wanted = json_incref(record);
        json_decref(record);
        rig_close(&r);
        return moves;
}

static void a_connection_that_moves_all_the_time_is_as_any_other(void **state)
{
        (void)state;
        static const char *const pumps[] = { "; pump = \"auto\"", "; pump = \"buffer\"" };
        for (size_t i = 0; i < COUNTOF(rows); i++) {
                print_message("%s\n", rows[i].promise);
                for (size_t j = 0; j < COUNTOF(pumps); j++)
                        for (unsigned every = 1; every <= 3; every++)
                                play(&rows[i], pumps[j], every, NULL);
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

static void the_kernels_tls_is_as_any_other(void **state)
{
        (void)state;
        bool any = false;
        for (size_t j = 0; j < COUNTOF(leg_rows); j++) {
                const struct leg_row *legs = &leg_rows[j];
                if (!is_kernels(legs))
                        continue;
                any = true;
                print_message("%s\n", legs->name);
                for (size_t i = 0; i < COUNTOF(rows) && rows[i].kind != UPSTREAM_NONE; i++) {
                        json_t *record;
                        bool reaches = rows[i].kind != UPSTREAM_REFUSES;
                        unsigned moves = play(&rows[i], legs->settings, 1 + i % 3, &record);
                        assert_true(moves > 0 || !reaches);
                        check_leg(record, "tls", legs, "listen-tls");
                        if (reaches)
                                check_leg(record, "connect_tls", legs, "connect-tls");
                        if (reaches)
                                assert_string_equal(string_member(record, "path"), "ktls");
                        json_decref(record);
                }
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
                snprintf(settings, sizeof settings, "%s%s", FORWARD, legs[i]);
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
        rig_open(&r, UPSTREAM_LISTENS, FORWARD);
        rig_connect(&r, true);
        conn_start(r.conn);
        UNTIL(&r, strcmp(rig_stage(&r), "relay") == 0 && r.upstream.fd >= 0);
        r.conn->handshake_ms = 17;
        assert_true(leave(&r, &p));
        struct stream_ktls_state kernel = eventful();
        kernel.ktls.splice_error = 0; /* it would be told at once */
        json_array_set_new(json_object_get(p.about, "legs"), RELAY_CLIENT,
                           parcel_pack_leg(&(struct stream_state){ 0 }, &kernel));
        stream_ktls_state_fini(&kernel);
        for (int i = 0; i < 3; i++) {
                json_t *legs = json_deep_copy(json_object_get(p.about, "legs"));
                arrive(&r, &p, r.snapshot);
                rig_turn(&r);
                assert_true(leave(&r, &p));
                assert_true(json_equal(legs, json_object_get(p.about, "legs")));
                json_decref(legs);
        }
        arrive(&r, &p, r.snapshot);
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
        rig_open(&r, UPSTREAM_SILENT, FORWARD);
        rig_connect(&r, true);
        conn_start(r.conn);
        UNTIL(&r, strcmp(rig_stage(&r), "dial") == 0);
        assert_true(leave(&r, &p));
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
        rig_open(&r, UPSTREAM_LISTENS, FORWARD);
        rig_connect(&r, true);
        r.client.script = "ping|FIN";
        r.client.due = "pong";
        r.upstream_script = "?|pong|FIN";
        r.upstream_due = "ping";
        sockaddress_text(&r.service->socks[0]->address, was);
        conn_start(r.conn);
        if (relayed)
                UNTIL(&r, strcmp(rig_stage(&r), "relay") == 0 && r.upstream.fd >= 0);
        assert_true(leave(&r, &p));
        struct snapshot *other = must_make("services: { a: { listen = \"127.0.0.1:0\"\n"
                                           "connect = \"127.0.0.1:%u\"; %s } }",
                                           tcp_port(r.listener), settings);
        if (!relayed)
                peer_close(&r.upstream);
        arrive(&r, &p, other);
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
                cmocka_unit_test(the_kernels_tls_is_as_any_other),
                cmocka_unit_test(tls_in_user_space_stays),
                cmocka_unit_test(what_the_kernel_does_not_know_travels),
                cmocka_unit_test(nonsense_is_as_nothing),
                cmocka_unit_test(handshakes_are_still_in_the_record),
                cmocka_unit_test(what_cannot_be_joined_is_refused),
                cmocka_unit_test(a_connection_is_what_it_was),
                cmocka_unit_test(listeners_are_what_they_were),
                cmocka_unit_test(a_bundle_waits_for_whoever_comes),
                cmocka_unit_test(what_is_no_bundle_is_refused),
        };
        return cmocka_run_group_tests(tests, records_set_up, records_tear_down);
}
