/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/log.h"
#include "base/own.h"
#include "net/dial_attempts.h"
#include "records.h"
#include "sample.h"

static json_t *written(const struct record *r)
{
        record_write(r, RECORD_JSON);
        return records_one();
}

/* --- the members ------------------------------------------------------------------------------ */

#define TLS_MEMBERS(name)                                                           \
        { name ".version", JSON_STRING, 0 }, { name ".cipher", JSON_STRING, 0 },    \
                { name ".group", JSON_STRING, 0 }, { name ".sni", JSON_STRING, 0 }, \
                { name ".alpn", JSON_STRING, 0 }, { name ".peer", JSON_STRING, 0 }, \
        {                                                                           \
                name ".handshake_ms", JSON_INTEGER, 0                               \
        }

/* Each with its type, and with what it is where there is nothing to say: the same type, or null;
 * a member inside a null is not there. */
static const struct {
        const char *name;
        json_type type, empty;
} members[] = {
        { "id", JSON_INTEGER, JSON_INTEGER },
        { "service", JSON_STRING, JSON_STRING },
        { "listen", JSON_STRING, JSON_STRING },
        { "client", JSON_STRING, JSON_STRING },
        { "local", JSON_STRING, JSON_STRING },
        { "upstream", JSON_STRING, JSON_NULL },
        { "started", JSON_STRING, JSON_STRING },
        { "duration_ms", JSON_INTEGER, JSON_INTEGER },
        { "connect_ms", JSON_INTEGER, JSON_NULL },
        { "handshake_ms", JSON_INTEGER, JSON_NULL },
        { "bytes_up", JSON_INTEGER, JSON_INTEGER },
        { "bytes_down", JSON_INTEGER, JSON_INTEGER },
        { "half_closed_ms", JSON_INTEGER, JSON_INTEGER },
        { "ended_by", JSON_STRING, JSON_STRING },
        { "reason", JSON_STRING, JSON_STRING },
        { "detail", JSON_STRING, JSON_NULL },
        { "path", JSON_STRING, JSON_NULL },
        { "tls", JSON_OBJECT, JSON_NULL },
        { "connect_tls", JSON_OBJECT, JSON_NULL },
        { "attempts", JSON_ARRAY, JSON_ARRAY },
        TLS_MEMBERS("tls"),
        TLS_MEMBERS("connect_tls"),
};

static bool nested(const char *name)
{
        return strchr(name, '.') != NULL;
}

static size_t count_top_level(void)
{
        size_t n = 0;
        for (size_t i = 0; i < COUNTOF(members); i++)
                n += !nested(members[i].name);
        return n;
}

static void every_member_is_there_and_has_its_type(void **state)
{
        (void)state;
        struct record r = full_record();
        json_t *record = written(&r);
        for (size_t i = 0; i < COUNTOF(members); i++)
                if (json_typeof(member(record, members[i].name)) != members[i].type)
                        fail_msg("%s is of type %d", members[i].name,
                                 json_typeof(member(record, members[i].name)));
        assert_int_equal(json_object_size(record), count_top_level());
        assert_true(json_is_boolean(member(record, "tls.resumed")));
        assert_int_equal(json_object_size(member(record, "tls")), 8);
        assert_int_equal(json_object_size(member(record, "connect_tls")), 8);
        json_decref(record);
}

/* In this order, and as the library would write it: others have learnt to read it so. */
static void assert_is_canonical(const struct record *r)
{
        record_write(r, RECORD_JSON);
        OWN_FREE char *raw = records_raw();
        json_t *record = json_loads(raw, JSON_REJECT_DUPLICATES, NULL);
        assert_non_null(record);
        OWN_FREE char *canonical = json_dumps(record, JSON_COMPACT);
        assert_memory_equal(raw, canonical, strlen(canonical));
        assert_string_equal(raw + strlen(canonical), "\n");
        const char *name;
        json_t *value;
        size_t i = 0;
        json_object_foreach(record, name, value)
        {
                assert_string_equal(name, members[i++].name);
        }
        json_decref(record);
}

static void the_line_is_what_it_always_was(void **state)
{
        (void)state;
        struct record full = full_record(), bare = bare_record();
        assert_is_canonical(&full);
        assert_is_canonical(&bare);
        record_write(&bare, RECORD_JSON);
        OWN_FREE char *raw = records_raw();
        assert_string_equal(raw, "{\"id\":1,\"service\":\"web\",\"listen\":\"0.0.0.0:443\","
                                 "\"client\":\"192.0.2.7:50000\",\"local\":\"192.0.2.1:443\","
                                 "\"upstream\":null,\"started\":\"2026-01-31T23:59:59.123Z\","
                                 "\"duration_ms\":0,\"connect_ms\":null,\"handshake_ms\":null,"
                                 "\"bytes_up\":0,\"bytes_down\":0,\"half_closed_ms\":0,"
                                 "\"ended_by\":\"spliced\",\"reason\":\"limit\",\"detail\":null,"
                                 "\"path\":null,\"tls\":null,\"connect_tls\":null,"
                                 "\"attempts\":[]}\n");
}

static void what_did_not_happen_is_null(void **state)
{
        (void)state;
        struct record r = bare_record();
        json_t *record = written(&r);
        for (size_t i = 0; i < COUNTOF(members); i++)
                if (!nested(members[i].name) &&
                    json_typeof(member(record, members[i].name)) != members[i].empty)
                        fail_msg("%s is of type %d", members[i].name,
                                 json_typeof(member(record, members[i].name)));
        assert_int_equal(json_object_size(record), count_top_level());
        assert_int_equal(json_array_size(member(record, "attempts")), 0);
        json_decref(record);
}

static void the_values_are_those_of_the_connection(void **state)
{
        (void)state;
        struct record r = full_record();
        json_t *record = written(&r),
               *wanted = json_pack(
                       "{sI ss ss ss ss ss ss sI sI sI sI sI sI ss ss ss ss}", "id",
                       (json_int_t)4711, "service", "web", "listen", "0.0.0.0:443", "client",
                       "192.0.2.7:50000", "local", "192.0.2.1:443", "upstream", "[2001:db8::1]:22",
                       "started", "2026-01-31T23:59:59.123Z", "duration_ms", (json_int_t)60000,
                       "connect_ms", (json_int_t)22, "handshake_ms", (json_int_t)3, "bytes_up",
                       (json_int_t)5000000000, "bytes_down", (json_int_t)6000000000,
                       "half_closed_ms", (json_int_t)17, "ended_by", "upstream", "reason",
                       "upstream-reset", "detail", "Connection reset by peer", "path", "tls");
        const char *name;
        json_t *value;
        json_object_foreach(wanted, name, value)
        {
                if (!json_equal(member(record, name), value))
                        fail_msg("%s is wrong", name);
        }
        json_decref(wanted);
        json_decref(record);
}

static void each_leg_has_its_own_handshake(void **state)
{
        (void)state;
        struct record r = full_record();
        json_t *record = written(&r);
        assert_string_equal(string_member(record, "tls.version"), "TLSv1.3");
        assert_string_equal(string_member(record, "tls.cipher"), "TLS_AES_128_GCM_SHA256");
        assert_string_equal(string_member(record, "tls.group"), "X25519");
        assert_string_equal(string_member(record, "tls.sni"), "www.example.com");
        assert_string_equal(string_member(record, "tls.alpn"), "h2");
        assert_string_equal(string_member(record, "tls.peer"), "CN=somebody");
        assert_int_equal(integer_member(record, "tls.handshake_ms"), 3);
        assert_true(json_is_true(member(record, "tls.resumed")));
        assert_string_equal(string_member(record, "connect_tls.version"), "TLSv1.2");
        assert_string_equal(string_member(record, "connect_tls.group"), "P-256");
        assert_int_equal(integer_member(record, "connect_tls.handshake_ms"), 4);
        assert_true(json_is_false(member(record, "connect_tls.resumed")));
        json_decref(record);
}

static void a_handshake_that_failed_has_what_was_asked_for(void **state)
{
        (void)state;
        char asked[] = "www.example.com";
        const struct tls_info tls = { .sni = asked };
        struct record r = bare_record();
        r.tls = &tls;
        json_t *record = written(&r);
        static const char *const nulls[] = { "version", "cipher", "group",
                                             "alpn",    "peer",   "handshake_ms" };
        for (size_t i = 0; i < COUNTOF(nulls); i++) {
                assert_non_null(json_object_get(member(record, "tls"), nulls[i]));
                assert_true(json_is_null(json_object_get(member(record, "tls"), nulls[i])));
        }
        assert_string_equal(string_member(record, "tls.sni"), "www.example.com");
        assert_true(json_is_false(member(record, "tls.resumed")));
        json_decref(record);
}

static void every_attempt_says_where_and_why(void **state)
{
        (void)state;
        struct record r = full_record();
        struct dial_attempts tried = { 0 };
        for (const struct dial_attempt *a = r.attempts; a != NULL; a = a->next) {
                struct sockaddress where;
                dial_attempt_address(a, &where);
                dial_attempts_add(&tried, a->target, &where, a->error, dial_attempt_text(a),
                                  a->ms * INT64_C(1000));
        }
        dial_attempts_add(&tried, "nowhere.example:1", NULL, 0, "no such name", 999);
        r.attempts = tried.first;
        json_t *record = written(&r), *list = member(record, "attempts");
        json_t *wanted = json_pack(
                "[{ss ss ss si} {ss ss sn si} {ss sn ss si}]", "target", "10.0.0.5:22", "address",
                "10.0.0.5:22", "error", "Connection refused", "ms", 1, "target", "[2001:db8::1]:22",
                "address", "[2001:db8::1]:22", "error", "ms", 20, "target", "nowhere.example:1",
                "address", "error", "no such name", "ms", 0);
        assert_non_null(wanted);
        assert_true(json_equal(list, wanted));
        json_decref(wanted);
        json_decref(record);
        dial_attempts_free(tried.first);
}

/* --- what a peer chooses ---------------------------------------------------------------------- */

static const struct {
        const char *said, *recorded;
} hostile[] = {
        { "www.example.com", "www.example.com" },
        { "caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80",
          "caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80" },
        { "quo\"te, back\\slash", "quo\"te, back\\slash" },
        { "\",\"reason\":\"end\",\"x\":\"", "\",\"reason\":\"end\",\"x\":\"" },
        { "x\"}\n{\"reason\":\"end\"}", "x\"}\\x0a{\"reason\":\"end\"}" },
        { "\r\n\t\b\x1b[31mred", "\\x0d\\x0a\\x09\\x08\\x1b[31mred" },
        { "\x7f", "\\x7f" },
        { "not UTF-8: \xff\xfe\n", "not UTF-8: \\xff\\xfe\\x0a" },
        { "cut short: \xe2\x82", "cut short: \\xe2\\x82" },
        { "overlong: \xc0\x8a", "overlong: \\xc0\\x8a" },
        { "surrogate: \xed\xa0\x80", "surrogate: \\xed\\xa0\\x80" },
        { "C1: \xc2\x9b"
          "31m",
          "C1: \\xc2\\x9b"
          "31m" },
        { "next line: \xc2\x85", "next line: \\xc2\\x85" },
        { "line separator: \xe2\x80\xa8", "line separator: \\xe2\\x80\\xa8" },
        { "right to left: \xe2\x80\xae", "right to left: \\xe2\\x80\\xae" },
        { "%s%n%d", "%s%n%d" },
};

/* One line, and nothing in it that a terminal or a reader of lines would act on. */
static void assert_tame(const char *line)
{
        size_t n = strlen(line);
        assert_true(n > 0 && line[n - 1] == '\n');
        for (size_t i = 0; i < n - 1; i++)
                if ((unsigned char)line[i] < 0x20 || line[i] == 0x7f)
                        fail_msg("octet %02x in: %s", (unsigned char)line[i], line);
        assert_null(strstr(line, "\xc2\x9b"));
        assert_null(strstr(line, "\xc2\x85"));
        assert_null(strstr(line, "\xe2\x80"));
}

/* A record into every free text of which somebody has put his own. */
static struct record hostile_record(char *said, struct tls_info *tls, struct dial_attempts *tried)
{
        static char version[] = "TLSv1.3";
        struct record r = full_record();
        *tls = (struct tls_info){
                .version = version, .group = said, .sni = said, .alpn = said, .peer = said
        };
        *tried = (struct dial_attempts){ 0 };
        dial_attempts_add(tried, said, NULL, 0, said, 0);
        r.detail = said;
        r.tls = r.connect_tls = tls;
        r.attempts = tried->first;
        return r;
}

static void whatever_a_peer_says_stays_inside_its_string(void **state)
{
        (void)state;
        static const char *const texts[] = { "detail",           "tls.group",
                                             "tls.sni",          "tls.alpn",
                                             "tls.peer",         "connect_tls.sni",
                                             "connect_tls.alpn", "connect_tls.peer" };
        for (size_t i = 0; i < COUNTOF(hostile); i++) {
                OWN_FREE char *said = strdup(hostile[i].said);
                struct tls_info tls;
                struct dial_attempts attempts;
                struct record r = hostile_record(said, &tls, &attempts);
                json_t *record = written(&r);
                for (size_t j = 0; j < COUNTOF(texts); j++)
                        assert_string_equal(string_member(record, texts[j]), hostile[i].recorded);
                json_t *tried = json_array_get(member(record, "attempts"), 0);
                assert_string_equal(string_member(tried, "target"), hostile[i].recorded);
                assert_string_equal(string_member(tried, "error"), hostile[i].recorded);
                assert_string_equal(string_member(record, "reason"), "upstream-reset");
                assert_int_equal(json_object_size(record), count_top_level());
                json_decref(record);
                assert_is_canonical(&r);

                record_write(&r, RECORD_JSON);
                OWN_FREE char *raw = records_raw();
                assert_tame(raw);
                dial_attempts_free(attempts.first);
        }
}

static void a_long_text_is_kept_whole(void **state)
{
        (void)state;
        enum { LONG = 65535 };
        OWN_FREE char *said = calloc(1, LONG + 1);
        memset(said, 'x', LONG);
        struct tls_info tls;
        struct dial_attempts attempts;
        struct record r = hostile_record(said, &tls, &attempts);
        json_t *record = written(&r);
        assert_string_equal(string_member(record, "tls.sni"), said);
        json_decref(record);
        dial_attempts_free(attempts.first);
}

/* Whoever connects to a Unix socket may bind his own to any path he likes. */
static void a_clients_path_cannot_forge_a_line(void **state)
{
        (void)state;
        struct record r = bare_record();
        struct sockaddress client = address("unix:/x");
        strcpy(client.un.sun_path, "/\"}\n{\"reason\":\"end\xff\x1b");
        client.len = sizeof client.un;
        r.client = &client;
        json_t *record = written(&r);
        assert_string_equal(string_member(record, "client"), "unix:/\"}?{\"reason\":\"end??");
        json_decref(record);
        record_write(&r, RECORD_TEXT);
        OWN_FREE char *raw = records_raw();
        assert_tame(raw);
}

/* --- the other forms -------------------------------------------------------------------------- */

static void text_is_a_line_for_people(void **state)
{
        (void)state;
        struct record full = full_record(), bare = bare_record();
        record_write(&full, RECORD_TEXT);
        OWN_FREE char *said = records_raw();
        assert_string_equal(said, "2026-02-01T00:00:59.123Z web: 192.0.2.7:50000 -> "
                                  "[2001:db8::1]:22: upstream-reset by "
                                  "upstream, 5000000000 up, 6000000000 down, 60000 ms, TLSv1.3: "
                                  "Connection reset by peer\n");
        record_write(&bare, RECORD_TEXT);
        OWN_FREE char *less = records_raw();
        assert_string_equal(less, "2026-01-31T23:59:59.123Z web: 192.0.2.7:50000 -> -: limit by "
                                  "spliced, 0 up, 0 down, 0 ms\n");
}

static void text_cannot_be_forged_either(void **state)
{
        (void)state;
        for (size_t i = 0; i < COUNTOF(hostile); i++) {
                OWN_FREE char *said = strdup(hostile[i].said);
                struct tls_info tls;
                struct dial_attempts attempts;
                struct record r = hostile_record(said, &tls, &attempts);
                record_write(&r, RECORD_TEXT);
                OWN_FREE char *raw = records_raw();
                assert_tame(raw);
                assert_non_null(strstr(raw, hostile[i].recorded));
                assert_ptr_equal(strchr(raw, '\n'), raw + strlen(raw) - 1);
                dial_attempts_free(attempts.first);
        }
}

static void off_writes_nothing(void **state)
{
        (void)state;
        struct record r = full_record();
        record_write(&r, RECORD_OFF);
        OWN_FREE char *raw = records_raw();
        assert_string_equal(raw, "");
}

/* What went well is information, what was cut a notice, what is our own trouble an error. */
static void the_level_follows_the_reason(void **state)
{
        (void)state;
        static const struct {
                enum reason reason;
                enum log_level level;
        } table[] = {
                { REASON_END, LOG_LEVEL_INFO },       { REASON_CLIENT_RESET, LOG_LEVEL_NOTICE },
                { REASON_LIMIT, LOG_LEVEL_NOTICE },   { REASON_SHUTDOWN, LOG_LEVEL_NOTICE },
                { REASON_RESOURCE, LOG_LEVEL_ERROR }, { REASON_INTERNAL, LOG_LEVEL_ERROR },
        };
        for (size_t i = 0; i < COUNTOF(table); i++) {
                struct record r = full_record();
                r.reason = table[i].reason;
                for (int level = LOG_LEVEL_ERROR; level <= LOG_LEVEL_DEBUG; level++) {
                        log_set_level((enum log_level)level);
                        record_write(&r, RECORD_JSON);
                        OWN_FREE char *raw = records_raw();
                        assert_int_equal(raw[0] != '\0', table[i].level <= (enum log_level)level);
                }
        }
}

#define RECORDED(name) cmocka_unit_test_setup_teardown(name, records_set_up, records_tear_down)

int main(void)
{
        const struct CMUnitTest tests[] = {
                RECORDED(every_member_is_there_and_has_its_type),
                RECORDED(the_line_is_what_it_always_was),
                RECORDED(what_did_not_happen_is_null),
                RECORDED(the_values_are_those_of_the_connection),
                RECORDED(each_leg_has_its_own_handshake),
                RECORDED(a_handshake_that_failed_has_what_was_asked_for),
                RECORDED(every_attempt_says_where_and_why),
                RECORDED(whatever_a_peer_says_stays_inside_its_string),
                RECORDED(a_long_text_is_kept_whole),
                RECORDED(a_clients_path_cannot_forge_a_line),
                RECORDED(text_is_a_line_for_people),
                RECORDED(text_cannot_be_forged_either),
                RECORDED(off_writes_nothing),
                RECORDED(the_level_follows_the_reason),
        };
        return cmocka_run_group_tests_name("conn/record", tests, NULL, NULL);
}
