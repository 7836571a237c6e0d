/* SPDX-License-Identifier: ISC */
/* OpenSSL's errors in words. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <string.h>

#include <cmocka.h>

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>

#include "base/own.h"
#include "tls/error.h"

static void codes(void **state)
{
        (void)state;
        const struct {
                unsigned long code;
                const char *text;
        } table[] = {
                { 0, "unknown error" },
                { ERR_PACK(ERR_LIB_SSL, 0, SSL_R_NO_SHARED_CIPHER), "no shared cipher" },
                { ERR_PACK(ERR_LIB_SSL, 0, SSL_R_HTTP_REQUEST),
                  "the peer speaks plain HTTP, not TLS" },
                { ERR_PACK(ERR_LIB_SSL, 0, SSL_R_TLSV1_ALERT_UNKNOWN_CA),
                  "peer sent alert: unknown CA" },
                { ERR_PACK(ERR_LIB_SSL, 0, SSL_AD_REASON_OFFSET + 116),
                  "peer sent alert: certificate required" },
                { ERR_PACK(ERR_LIB_SSL, 0, SSL_AD_REASON_OFFSET + 199),
                  "peer sent alert: number 199" },
                { (unsigned long)ERR_SYSTEM_FLAG | ENOENT, "No such file or directory" },
                { ERR_PACK(ERR_LIB_USER, 0, 77), "error 40000000" },
        };
        char buf[TLS_ERROR_MAX];
        for (size_t i = 0; i < COUNTOF(table) - 1; i++)
                assert_string_equal(tls_error_code_text(table[i].code, buf), table[i].text);
        /* Nobody has words for this: the number is there to be searched for. */
        assert_memory_equal(tls_error_code_text(table[COUNTOF(table) - 1].code, buf), "error ", 6);
}

static void the_queue(void **state)
{
        (void)state;
        char buf[TLS_ERROR_MAX];
        assert_string_equal(tls_error_text(buf), "unknown error");
        ERR_raise(ERR_LIB_SSL, SSL_R_NO_SHARED_CIPHER);
        ERR_raise(ERR_LIB_SSL, ERR_R_SSL_LIB);
        ERR_raise(ERR_LIB_SSL, SSL_R_NO_SHARED_CIPHER);
        ERR_raise(ERR_LIB_PEM, PEM_R_BAD_BASE64_DECODE);
        assert_string_equal(tls_error_text(buf), "no shared cipher; bad base64 decode");
        assert_int_equal(ERR_peek_error(), 0);
        /* Only the way up is known: better than nothing. */
        ERR_raise(ERR_LIB_SSL, ERR_R_PEM_LIB);
        assert_string_equal(tls_error_text(buf), "PEM lib");
        /* What is fatal has something to say. */
        ERR_raise(ERR_LIB_SSL, ERR_R_MALLOC_FAILURE);
        assert_string_equal(tls_error_text(buf), "malloc failure");
}

static void a_long_queue(void **state)
{
        (void)state;
        char buf[TLS_ERROR_MAX];
        for (int i = 100; i < 300; i++)
                ERR_raise(ERR_LIB_SSL, i);
        assert_true(strlen(tls_error_text(buf)) < TLS_ERROR_MAX);
        assert_int_equal(ERR_peek_error(), 0);
}

int main(void)
{
        OPENSSL_init_ssl(OPENSSL_INIT_LOAD_SSL_STRINGS, NULL); /* as SSL_CTX_new() does */
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(codes),
                cmocka_unit_test(the_queue),
                cmocka_unit_test(a_long_queue),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
