/* SPDX-License-Identifier: ISC */
/* Mistakes in listen-tls: {…}: each is told, with its place, and all in one run. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include <openssl/pem.h>

#include "base/own.h"
#include "cert.h"
#include "files.h"
#include "shake.h"
#include "tls/alpn.h"

/* %D in directives and message stands for the directory of the files. */
static char *with_dir(const char *text)
{
        char out[4096] = "";
        for (const char *p; (p = strstr(text, "%D")) != NULL; text = p + 2) {
                strncat(out, text, (size_t)(p - text));
                strcat(out, cert_dir());
        }
        strcat(out, text);
        return strdup(out);
}

static const struct mistake {
        const char *promise, *directives, *said;
} mistakes[] = {
        { "a missing certificate", "certificate = \"%D/none.pem\"",
          "conf:3: certificate %D/none.pem: No such file or directory\n" },
        { "a missing key", "certificate = \"%D/ec-a.crt\"\nkey = \"%D/none.key\"",
          "conf:4: key %D/none.key: No such file or directory\n" },
        { "a certificate that is none", "certificate = \"%D/text\"",
          "conf:3: certificate %D/text: there is no certificate in it (PEM begins with "
          "-----BEGIN CERTIFICATE-----)\n" },
        { "a directory", "certificate = \"%D\"", "conf:3: certificate %D: Is a directory\n" },
        { "a certificate without its key", "certificate = \"%D/ec-a.crt\"",
          "conf:3: key %D/ec-a.crt: there is no private key in it, and no key directive names "
          "another file\n" },
        { "a certificate in place of a key", "certificate = \"%D/ec-a.crt\"\nkey = \"%D/ec-a.crt\"",
          "conf:4: key %D/ec-a.crt: there is no private key in it\n" },
        { "a key of another certificate", "certificate = \"%D/ec-a.crt\"\nkey = \"%D/plain.key\"",
          "conf:4: key %D/plain.key does not belong to certificate %D/ec-a.crt\n" },
        { "a key of another type", "certificate = \"%D/ec-a.crt\"\nkey = \"%D/rsa-a.key\"",
          "conf:4: key %D/rsa-a.key does not belong to certificate %D/ec-a.crt\n" },
        { "a chain upside down", "certificate = \"%D/upside-down\"\nkey = \"%D/ec-a.key\"",
          "conf:4: key %D/ec-a.key belongs to certificate number 2 in %D/upside-down: it must be "
          "the first\n" },
        { "an encrypted key", "certificate = \"%D/ec-a.crt\"\nkey = \"%D/encrypted\"",
          "conf:4: key %D/encrypted is encrypted, and there is nobody to ask for its password; "
          "\"openssl pkey -in %D/encrypted -out FILE\" writes it in clear\n" },
        { "an encrypted key, as OpenSSL 0.9 wrote it",
          "certificate = \"%D/ec-a.crt\"\nkey = \"%D/encrypted-old\"",
          "conf:4: key %D/encrypted-old is encrypted, and there is nobody to ask for its password; "
          "\"openssl pkey -in %D/encrypted-old -out FILE\" writes it in clear\n" },
        { "an unknown cipher", "certificate = \"%D/ec-a.pem\"\nciphers = \"HIGH:FAST:!aNULL\"",
          "conf:4: ciphers: OpenSSL knows no \"FAST\"\n" },
        { "ciphers that leave none", "certificate = \"%D/ec-a.pem\"\nciphers = \"HIGH:!HIGH\"",
          "conf:4: ciphers: \"HIGH:!HIGH\" leaves none\n" },
        { "ciphers that are none", "certificate = \"%D/ec-a.pem\"\nciphers = \":\"",
          "conf:4: ciphers: there is none\n" },
        { "unknown suites",
          "certificate = \"%D/ec-a.pem\"\nciphersuites = \"TLS_AES_128_GCM_SHA256:TLS_ROT13\"",
          "conf:4: ciphersuites: OpenSSL knows no \"TLS_ROT13\"\n" },
        { "a cipher among the suites",
          "certificate = \"%D/ec-a.pem\"\nciphersuites = \"ECDHE-RSA-AES128-GCM-SHA256\"",
          "conf:4: ciphersuites: OpenSSL knows no \"ECDHE-RSA-AES128-GCM-SHA256\"\n" },
        { "unknown groups", "certificate = \"%D/ec-a.pem\"\ngroups = \"X25519:P-255:Q\"",
          "conf:4: groups: OpenSSL knows no \"P-255\"\n"
          "conf:4: groups: OpenSSL knows no \"Q\"\n" },
        { "a weak key", "certificate = \"%D/weak.pem\"",
          "conf:3: certificate %D/weak.pem: ee key too small\n" },
        { "everything at once",
          "certificate = [\"%D/none.pem\", \"%D/text\"]\nciphers = \"FAST\"\ngroups = \"Q\"\n"
          "ciphersuites = \"ROT13\"",
          "conf:4: ciphers: OpenSSL knows no \"FAST\"\n"
          "conf:6: ciphersuites: OpenSSL knows no \"ROT13\"\n"
          "conf:5: groups: OpenSSL knows no \"Q\"\n"
          "conf:3: certificate %D/none.pem: No such file or directory\n"
          "conf:3: certificate %D/text: there is no certificate in it (PEM begins with "
          "-----BEGIN CERTIFICATE-----)\n" },
};

static void write_old_encrypted_key(const char *name)
{
        BIO *out = BIO_new_file(cert_path(name), "w");
        assert_int_equal(PEM_write_bio_PrivateKey_traditional(
                                 out, files_certs[EC_A].key, EVP_aes_128_cbc(),
                                 (const unsigned char *)"secret", 6, NULL, NULL),
                         1);
        BIO_free(out);
}

static void mistakes_are_told(void **state)
{
        (void)state;
        const struct cert *upside_down[] = { &files_certs[PLAIN], &files_certs[EC_A] };
        struct cert weak = cert_make((struct cert_spec){ .key = "RSA-1024" });
        cert_write_text("text", "Good morning\n");
        cert_write("upside-down", upside_down, 2);
        cert_write_key("encrypted", &files_certs[EC_A], "secret");
        write_old_encrypted_key("encrypted-old");
        cert_write_both("weak.pem", &weak);
        cert_free(&weak);
        for (size_t i = 0; i < COUNTOF(mistakes); i++) {
                struct block b;
                char *directives = with_dir(mistakes[i].directives);
                char *said = with_dir(mistakes[i].said);
                block_listen(&b, "%s", directives);
                if (strcmp(b.said, said) != 0)
                        print_error("%s:\n", mistakes[i].promise);
                assert_string_equal(b.said, said);
                assert_null(b.tls);
                block_fini(&b);
                free(directives);
                free(said);
        }
}

static void unreadable_file(void **state)
{
        (void)state;
        struct block b;
        char said[512];
        const char *path = cert_write_key("secret.key", &files_certs[EC_A], NULL);
        assert_int_equal(chmod(path, 0), 0);
        assert_int_equal(chmod(cert_dir(), 0755), 0);
        uid_t me = geteuid();
        if (me == 0)
                assert_int_equal(seteuid(65534), 0); /* root reads everything */
        block_listen(&b, "certificate = \"%s\"\nkey = \"%s\"", files_path("ec-a", ".crt"), path);
        assert_int_equal(seteuid(me), 0);
        snprintf(said, sizeof said, "conf:4: key %s: Permission denied\n", path);
        assert_string_equal(b.said, said);
        block_fini(&b);
}

static void protocols_that_cannot_be_said(void **state)
{
        (void)state;
        char longest[257];
        memset(longest, 'x', 255);
        longest[255] = '\0';
        char none[] = "", *items[] = { longest, longest, none };
        struct origin at[] = { { "f", 1 }, { "f", 2 }, { "f", 3 } };
        struct string_list names = { items, at, 2 };
        struct diag *diag = diag_new();
        struct alpn alpn;
        assert_true(alpn_init(&alpn, &names, diag));
        assert_int_equal(alpn.len, 512);
        alpn_fini(&alpn);
        names.n = 3;
        assert_false(alpn_init(&alpn, &names, diag));
        assert_int_equal(diag_errors(diag), 1);
        strcpy(longest + 255, "y");
        assert_false(alpn_init(&alpn, &names, diag));
        assert_int_equal(diag_errors(diag), 4);
        diag_free(diag);
}

/* A file cut off anywhere is a mistake or the whole pair: never a crash, never half a chain. */
static void truncated_files(void **state)
{
        (void)state;
        char whole[8192];
        FILE *f = fopen(files_path("ec-a", ".pem"), "r");
        size_t n = fread(whole, 1, sizeof whole - 1, f);
        fclose(f);
        for (size_t cut = 0; cut < n - 1; cut += 7) {
                struct block b;
                char part[8192] = "";
                memcpy(part, whole, cut);
                block_listen(&b, "certificate = \"%s\"", cert_write_text("cut.pem", part));
                assert_null(b.tls);
                block_fini(&b);
        }
}

static void dates_are_warnings(void **state)
{
        (void)state;
        struct block b;
        block_listen(&b, "certificate = \"%s\"", files_path("old", ".pem"));
        assert_non_null(b.tls);
        assert_non_null(strstr(b.said, "conf:3: warning: certificate "));
        assert_non_null(strstr(b.said, "old.pem expired on 20"));
        block_fini(&b);
        block_listen(&b, "certificate = \"%s\"", files_path("early", ".pem"));
        assert_non_null(b.tls);
        assert_non_null(strstr(b.said, "early.pem is not valid before 20"));
        block_fini(&b);
}

static void key_beside_its_certificate(void **state)
{
        (void)state;
        struct block b;
        block_listen(&b, "certificate = [\"%s\", \"%s\"]\nkey = [\"%s\", \"%s\"]",
                     files_path("ec-a", ".crt"), files_path("rsa-a", ".crt"),
                     files_path("ec-a", ".key"), files_path("rsa-a", ".key"));
        block_is_fine(&b);
        block_fini(&b);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(mistakes_are_told),
                cmocka_unit_test(unreadable_file),
                cmocka_unit_test(protocols_that_cannot_be_said),
                cmocka_unit_test(truncated_files),
                cmocka_unit_test(dates_are_warnings),
                cmocka_unit_test(key_beside_its_certificate),
        };
        return cmocka_run_group_tests(tests, files_make, files_free);
}
