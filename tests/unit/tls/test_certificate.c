/* SPDX-License-Identifier: ISC */
/* What a certificate says, for people. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "base/own.h"
#include "cert.h"
#include "tls/certificate.h"

static void keys_are_named(void **state)
{
        (void)state;
        static const char *const table[][2] = {
                { "EC", "EC P-256" },
                { "RSA", "RSA 2048" },
                { "ED25519", "ED25519" },
        };
        for (size_t i = 0; i < COUNTOF(table); i++) {
                struct certificate_facts f;
                struct cert c = cert_make((struct cert_spec){ .key = table[i][0] });
                assert_true(certificate_facts(&f, c.x509));
                assert_string_equal(text_str(&f.key), table[i][1]);
                certificate_facts_fini(&f);
                cert_free(&c);
        }
}

static void names_and_addresses(void **state)
{
        (void)state;
        struct certificate_facts f;
        struct cert c = cert_make((struct cert_spec){
                .subject = "who",
                .names = "DNS:a.example,IP:127.0.0.1,email:x@example,DNS:*.b.example,IP:::1" });
        static const char *const names[] = { "a.example", "127.0.0.1", "*.b.example", "::1" };
        assert_true(certificate_facts(&f, c.x509));
        assert_int_equal(f.n_names, COUNTOF(names));
        for (size_t i = 0; i < COUNTOF(names); i++)
                assert_string_equal(text_str(&f.names[i]), names[i]);
        assert_string_equal(text_str(&f.subject), "CN=who");
        assert_string_equal(text_str(&f.issuer), "CN=who");
        assert_int_equal(f.fingerprint.len, 64);
        certificate_facts_fini(&f);
        cert_free(&c);
}

/* A terminal is shown these. */
static void what_is_not_printable_is_not_shown(void **state)
{
        (void)state;
        struct certificate_facts f;
        struct cert c =
                cert_make((struct cert_spec){ .subject = "a\033[2Jb", .names = "DNS:x\001y" });
        assert_true(certificate_facts(&f, c.x509));
        assert_null(strchr(text_str(&f.subject), '\033'));
        assert_int_equal(f.n_names, 1);
        assert_null(strchr(text_str(&f.names[0]), '\001'));
        certificate_facts_fini(&f);
        cert_free(&c);
}

static void from_when_until_when(void **state)
{
        (void)state;
        struct certificate_facts f;
        time_t now = time(NULL);
        struct cert c =
                cert_make((struct cert_spec){ .valid_from = -86400, .valid_to = 10 * 86400 });
        assert_true(certificate_facts(&f, c.x509));
        assert_in_range(f.not_before, now - 86400, now - 86400 + 60);
        assert_in_range(f.not_after, now + 10 * 86400, now + 10 * 86400 + 60);
        assert_int_equal(f.n_names, 0);
        certificate_facts_fini(&f);
        cert_free(&c);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(keys_are_named),
                cmocka_unit_test(names_and_addresses),
                cmocka_unit_test(what_is_not_printable_is_not_shown),
                cmocka_unit_test(from_when_until_when),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
