/* SPDX-License-Identifier: ISC */
/* The journal's fields, caught on their way to it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/log.h"
#include "base/own.h"
#include "base/text.h"
#include "sample.h"

/* What log_record() was given last. */
static struct caught {
        unsigned times;
        char *message;
        struct text fields; /* NAME=value lines */
} caught;

bool __wrap_log_wants_fields(void);
void __wrap_log_record(enum log_level level, const char *line, const char *message,
                       const struct log_field *fields, size_t n);

bool __wrap_log_wants_fields(void)
{
        return true;
}

void __wrap_log_record(enum log_level level, const char *line, const char *message,
                       const struct log_field *fields, size_t n)
{
        (void)level;
        (void)line;
        caught.times++;
        caught.message = strdup(message);
        text_add(&caught.fields, "\n");
        for (size_t i = 0; i < n; i++)
                text_addf(&caught.fields, "%s=%s\n", fields[i].name, fields[i].value);
}

static void forget(void)
{
        free(caught.message);
        text_fini(&caught.fields);
        caught = (struct caught){ 0 };
}

static bool has(const char *field)
{
        struct text line = { 0 };
        text_addf(&line, "\n%s\n", field);
        bool found = strstr(text_str(&caught.fields), text_str(&line)) != NULL;
        text_fini(&line);
        return found;
}

static void the_fields_are_the_members(void **state)
{
        (void)state;
        static const char *const fields[] = {
                "SPLICED_ID=4711",
                "SPLICED_SERVICE=web",
                "SPLICED_LISTEN=0.0.0.0:443",
                "SPLICED_CLIENT=192.0.2.7:50000",
                "SPLICED_LOCAL=192.0.2.1:443",
                "SPLICED_UPSTREAM=[2001:db8::1]:22",
                "SPLICED_STARTED=2026-01-31T23:59:59.123Z",
                "SPLICED_DURATION_MS=60000",
                "SPLICED_CONNECT_MS=22",
                "SPLICED_HANDSHAKE_MS=3",
                "SPLICED_BYTES_UP=5000000000",
                "SPLICED_BYTES_DOWN=6000000000",
                "SPLICED_HALF_CLOSED_MS=17",
                "SPLICED_ENDED_BY=upstream",
                "SPLICED_REASON=upstream-reset",
                "SPLICED_DETAIL=Connection reset by peer",
                "SPLICED_PATH=tls",
                "SPLICED_TLS_VERSION=TLSv1.3",
                "SPLICED_TLS_CIPHER=TLS_AES_128_GCM_SHA256",
                "SPLICED_TLS_GROUP=X25519",
                "SPLICED_TLS_SNI=www.example.com",
                "SPLICED_TLS_ALPN=h2",
                "SPLICED_TLS_RESUMED=true",
                "SPLICED_TLS_PEER=CN=somebody",
                "SPLICED_TLS_HANDSHAKE_MS=3",
                "SPLICED_CONNECT_TLS_VERSION=TLSv1.2",
                "SPLICED_CONNECT_TLS_RESUMED=false",
                "SPLICED_CONNECT_TLS_HANDSHAKE_MS=4",
        };
        struct record r = full_record();
        record_write(&r, RECORD_JSON);
        assert_int_equal(caught.times, 1);
        for (size_t i = 0; i < COUNTOF(fields); i++)
                if (!has(fields[i]))
                        fail_msg("no %s in%s", fields[i], text_str(&caught.fields));
        assert_non_null(strstr(text_str(&caught.fields), "\nSPLICED_ATTEMPTS=[{"));
        forget();
}

/* journalctl finds what has a field: one that says nothing would be found for nothing. */
static void what_did_not_happen_has_no_field(void **state)
{
        (void)state;
        static const char *const absent[] = { "UPSTREAM", "CONNECT_MS", "HANDSHAKE_MS", "DETAIL",
                                              "PATH",     "TLS",        "CONNECT_TLS" };
        struct record r = bare_record();
        record_write(&r, RECORD_JSON);
        for (size_t i = 0; i < COUNTOF(absent); i++) {
                char name[64];
                snprintf(name, sizeof name, "\nSPLICED_%s", absent[i]);
                assert_null(strstr(text_str(&caught.fields), name));
        }
        assert_true(has("SPLICED_REASON=limit"));
        assert_null(strstr(text_str(&caught.fields), "null"));
        forget();
}

static void the_message_is_the_text_whatever_the_form(void **state)
{
        (void)state;
        static const enum record_format forms[] = { RECORD_JSON, RECORD_TEXT };
        struct record r = bare_record();
        for (size_t i = 0; i < COUNTOF(forms); i++) {
                record_write(&r, forms[i]);
                assert_string_equal(caught.message, "web: 192.0.2.7:50000 -> -: limit by spliced, "
                                                    "0 up, 0 down, 0 ms");
                assert_true(has("SPLICED_SERVICE=web"));
                forget();
        }
        record_write(&r, RECORD_OFF);
        assert_int_equal(caught.times, 0);
}

static void a_field_cannot_begin_another(void **state)
{
        (void)state;
        char said[] = "x\nSPLICED_REASON=end\nPRIORITY=7";
        char version[] = "TLSv1.3";
        const struct tls_info tls = { .version = version, .sni = said, .peer = said };
        struct record r = full_record();
        r.tls = &tls;
        r.detail = said;
        record_write(&r, RECORD_JSON);
        assert_true(has("SPLICED_REASON=upstream-reset"));
        assert_false(has("SPLICED_REASON=end"));
        assert_false(has("PRIORITY=7"));
        assert_null(strchr(caught.message, '\n'));
        forget();
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(the_fields_are_the_members),
                cmocka_unit_test(what_did_not_happen_has_no_field),
                cmocka_unit_test(the_message_is_the_text_whatever_the_form),
                cmocka_unit_test(a_field_cannot_begin_another),
        };
        return cmocka_run_group_tests_name("conn/record fields", tests, NULL, NULL);
}
