/* SPDX-License-Identifier: ISC */
/* What the peer's records mean: a table of whole conversations. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "base/own.h"
#include "tls/ktls_record.h"

enum { CCS = 20, ALERT = 21, HANDSHAKE = 22, DATA = 23, HEARTBEAT = 24 };
enum side { CLIENT12, SERVER12, CLIENT13, SERVER13 };

struct record {
        unsigned type;
        const char *octets;
        size_t n;
        bool more; /* the record goes on in the next row */
};

#define OCTETS(text) text, sizeof text - 1, false
#define MORE(text)   text, sizeof text - 1, true

struct talk {
        const char *promise;
        enum side we;
        struct record records[4]; /* all but the last are to be taken with STREAM_OPEN */
        enum stream_end end;
        const char *why;
};

static const struct talk talks[] = {
        { "data is data", CLIENT12, { { DATA, OCTETS("x") } }, STREAM_OPEN, NULL },
        { "close_notify is an end", SERVER12, { { ALERT, OCTETS("\1\0") } }, STREAM_END, NULL },
        { "in TLS 1.3 too", CLIENT13, { { ALERT, OCTETS("\1\0") } }, STREAM_END, NULL },
        { "whatever its level", CLIENT13, { { ALERT, OCTETS("\2\0") } }, STREAM_END, NULL },
        { "a fatal alert breaks, and is named",
          CLIENT12,
          { { ALERT, OCTETS("\2\x14") } },
          STREAM_BROKEN,
          "peer sent alert: bad record mac" },
        { "nobody knows this one",
          CLIENT12,
          { { ALERT, OCTETS("\2\xc8") } },
          STREAM_BROKEN,
          "peer sent alert: number 200" },
        { "a warning does not", SERVER12, { { ALERT, OCTETS("\1\x64") } }, STREAM_OPEN, NULL },
        { "TLS 1.3 knows no warnings",
          SERVER13,
          { { ALERT, OCTETS("\1\x50") } },
          STREAM_BROKEN,
          "peer sent alert: internal error" },
        { "but one that announces the end",
          SERVER13,
          { { ALERT, OCTETS("\1\x5a") }, { ALERT, OCTETS("\1\0") } },
          STREAM_END,
          NULL },
        { "an alert has a level",
          CLIENT13,
          { { ALERT, OCTETS("\3\0") } },
          STREAM_BROKEN,
          "bad alert" },
        { "an alert of one octet",
          CLIENT13,
          { { ALERT, OCTETS("\1") } },
          STREAM_BROKEN,
          "bad alert" },
        { "an alert of none", CLIENT12, { { ALERT, OCTETS("") } }, STREAM_BROKEN, "bad alert" },
        { "two alerts in one record",
          CLIENT12,
          { { ALERT, MORE("\1\0") } },
          STREAM_BROKEN,
          "bad alert" },
        { "a ticket is passed over",
          CLIENT13,
          { { HANDSHAKE, OCTETS("\4\0\0\3abc") }, { DATA, OCTETS("x") } },
          STREAM_OPEN,
          NULL },
        { "two in one record are, too",
          CLIENT13,
          { { HANDSHAKE, OCTETS("\4\0\0\1a\4\0\0\0") }, { DATA, OCTETS("x") } },
          STREAM_OPEN,
          NULL },
        { "and one in pieces",
          CLIENT13,
          { { HANDSHAKE, MORE("\4\0") },
            { HANDSHAKE, MORE("\0\4ab") },
            { HANDSHAKE, OCTETS("cd") },
            { ALERT, OCTETS("\1\0") } },
          STREAM_END,
          NULL },
        { "no data inside a ticket",
          CLIENT13,
          { { HANDSHAKE, OCTETS("\4\0\0\4ab") }, { DATA, OCTETS("x") } },
          STREAM_BROKEN,
          "data in the middle of a message" },
        { "nor inside its header",
          CLIENT13,
          { { HANDSHAKE, OCTETS("\4") }, { DATA, OCTETS("x") } },
          STREAM_BROKEN,
          "data in the middle of a message" },
        { "clients give no tickets",
          SERVER13,
          { { HANDSHAKE, OCTETS("\4\0\0\3abc") } },
          STREAM_BROKEN,
          "unexpected message" },
        { "in TLS 1.2 they are part of the handshake",
          CLIENT12,
          { { HANDSHAKE, OCTETS("\4\0\0\3abc") } },
          STREAM_BROKEN,
          "unexpected message" },
        { "a key update cannot be followed",
          SERVER13,
          { { HANDSHAKE, OCTETS("\x18\0\0\1\0") } },
          STREAM_BROKEN,
          "the peer changed its keys, which kernel TLS cannot follow" },
        { "nor one behind a ticket",
          CLIENT13,
          { { HANDSHAKE, OCTETS("\4\0\0\1a\x18\0\0\1\1") } },
          STREAM_BROKEN,
          "the peer changed its keys, which kernel TLS cannot follow" },
        { "a server may ask for renegotiation, and gets none",
          CLIENT12,
          { { HANDSHAKE, OCTETS("\0\0\0\0") }, { DATA, OCTETS("x") } },
          STREAM_OPEN,
          NULL },
        { "a client that begins with it is cut",
          SERVER12,
          { { HANDSHAKE, OCTETS("\1\0\0\1x") } },
          STREAM_BROKEN,
          "the peer asked for renegotiation" },
        { "no certificate is asked for afterwards",
          CLIENT13,
          { { HANDSHAKE, OCTETS("\x0d\0\0\1x") } },
          STREAM_BROKEN,
          "unexpected message" },
        { "no change of ciphers",
          SERVER13,
          { { CCS, OCTETS("\1") } },
          STREAM_BROKEN,
          "unexpected record" },
        { "no heartbeats",
          SERVER12,
          { { HEARTBEAT, OCTETS("\1\0\1x") } },
          STREAM_BROKEN,
          "unexpected record" },
};

static struct ktls_records side(enum side we)
{
        return (struct ktls_records){ .tls13 = we == CLIENT13 || we == SERVER13,
                                      .accepts = we == SERVER12 || we == SERVER13 };
}

/* What breaks is answered, but for an alert. */
static bool is_answered(const struct talk *t)
{
        return t->end == STREAM_BROKEN && strncmp(t->why, "peer sent", strlen("peer sent")) != 0;
}

static enum stream_end play(const struct talk *t, char why[static TLS_ERROR_MAX])
{
        struct ktls_records r = side(t->we);
        enum stream_end end = STREAM_OPEN;
        for (size_t i = 0; i < COUNTOF(t->records) && t->records[i].type != 0; i++) {
                const struct record *rec = &t->records[i];
                assert_int_equal(end, STREAM_OPEN);
                end = ktls_record(&r, rec->type, (const unsigned char *)rec->octets, rec->n,
                                  !rec->more, why);
        }
        assert_int_equal(r.alert != KTLS_NO_ALERT, is_answered(t));
        return end;
}

static void test_talks(void **state)
{
        (void)state;
        for (size_t i = 0; i < COUNTOF(talks); i++) {
                char why[TLS_ERROR_MAX] = "";
                enum stream_end end = play(&talks[i], why);
                if (end != talks[i].end || strcmp(why, talks[i].why ? talks[i].why : "") != 0)
                        fail_msg("%s: %d \"%s\"", talks[i].promise, (int)end, why);
        }
}

/* How many of these are taken before it is too much. */
static unsigned taken(enum side we, unsigned type, const char *octets, size_t n)
{
        struct ktls_records r = side(we);
        char why[TLS_ERROR_MAX];
        for (unsigned i = 0; i < 1000; i++) {
                const unsigned char *p = (const unsigned char *)octets;
                if (ktls_record(&r, type, p, n, true, why) != STREAM_OPEN) {
                        assert_string_equal(why, "too many records without data");
                        return i;
                }
        }
        return 1000;
}

static void test_patience_has_an_end(void **state)
{
        (void)state;
        assert_int_equal(taken(CLIENT13, HANDSHAKE, "\4\0\0\1a", 5), KTLS_IDLE_RECORDS);
        assert_int_equal(taken(CLIENT12, HANDSHAKE, "\0\0\0\0", 4), KTLS_IDLE_RECORDS);
        assert_int_equal(taken(SERVER12, ALERT, "\1\x64", 2), KTLS_IDLE_RECORDS);
        assert_int_equal(taken(SERVER13, DATA, "", 0), KTLS_IDLE_RECORDS);
        assert_int_equal(taken(SERVER13, DATA, "x", 1), 1000);
}

static void test_data_renews_patience(void **state)
{
        (void)state;
        struct ktls_records r = side(CLIENT13);
        char why[TLS_ERROR_MAX];
        for (unsigned i = 0; i < 10 * KTLS_IDLE_RECORDS; i++) {
                const unsigned char *ticket = (const unsigned char *)"\4\0\0\1a";
                assert_int_equal(ktls_record(&r, HANDSHAKE, ticket, 5, true, why), STREAM_OPEN);
                if (i % KTLS_IDLE_RECORDS == KTLS_IDLE_RECORDS - 1)
                        assert_int_equal(ktls_record(&r, DATA, ticket, 1, true, why), STREAM_OPEN);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_talks),
                cmocka_unit_test(test_patience_has_an_end),
                cmocka_unit_test(test_data_renews_patience),
        };
        return cmocka_run_group_tests_name("tls/ktls_record", tests, NULL, NULL);
}
