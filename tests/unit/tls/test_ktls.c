/* SPDX-License-Identifier: ISC */
/* Kernel TLS as far as any kernel can tell. tests/ktls runs the same on kernels that have it, and
 * says by KTLS_TLS12 and KTLS_TLS13 which directions there must be. */
#include "ktls_rig.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "base/own.h"
#include "rig.h"

static unsigned directions(int version, bool accepts)
{
        struct both b;
        both_open(&b, version, accepts);
        unsigned there = ktls_directions(b.ssl);
        both_close(&b);
        return there;
}

static void test_directions(void **state)
{
        (void)state;
        const char *tls12 = getenv("KTLS_TLS12"), *tls13 = getenv("KTLS_TLS13");
        bool available = ktls_unavailable() == NULL;
        for (int accepts = 0; accepts < 2; accepts++) {
                unsigned in12 = directions(TLS1_2_VERSION, accepts);
                unsigned in13 = directions(TLS1_3_VERSION, accepts);
                assert_true(available || (in12 == 0 && in13 == 0));
                assert_true(tls12 == NULL || in12 == (unsigned)atoi(tls12));
                assert_true(tls13 == NULL || in13 == (unsigned)atoi(tls13));
        }
}

static void test_only_who_asks(void **state)
{
        (void)state;
        struct both b;
        both_open(&b, TLS1_2_VERSION, true);
        assert_int_equal(ktls_directions(b.peer), 0);
        both_close(&b);
}

static void test_none_in_memory(void **state)
{
        (void)state;
        SSL_CTX *ctx = rig_client_ctx(TLS1_2_VERSION);
        SSL *ssl = SSL_new(ctx);
        SSL_CTX_free(ctx);
        SSL_set_options(ssl, SSL_OP_ENABLE_KTLS);
        SSL_set_bio(ssl, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
        assert_int_equal(ktls_directions(ssl), 0);
        SSL_free(ssl);
}

/* Should the kernel not have it after all, ciphertext must not pass for data. */
static void test_no_record_no_data(void **state)
{
        (void)state;
        struct both b = { .pipe = { -1, -1 } };
        struct ktls_news news;
        char buf[10];
        both_connect(&b);
        assert_int_equal(ktls_receive(&b.k, b.fd, buf, sizeof buf, &news), KTLS_AGAIN);
        peer_writes(&b, "abc", 3);
        wait_for(b.fd, POLLIN);
        assert_int_equal(ktls_receive(&b.k, b.fd, buf, sizeof buf, &news), KTLS_OVER);
        assert_int_equal(news.end, STREAM_BROKEN);
        assert_string_equal(news.why, "octets outside of TLS");
        shutdown(b.peer_fd, SHUT_WR);
        wait_for(b.fd, POLLRDHUP);
        assert_int_equal(ktls_receive(&b.k, b.fd, buf, sizeof buf, &news), KTLS_OVER);
        assert_int_equal(news.end, STREAM_TRUNCATED);
        assert_string_equal(news.why, "connection closed without close_notify");
        both_close(&b);
}

/* What splice(2) was told and nobody else will be. */
static void expect_kept(int error, enum stream_end end, const char *why)
{
        struct both b = { .pipe = { -1, -1 } };
        struct ktls_news news = { .why = "" };
        char buf[10];
        both_connect(&b);
        assert_true(ktls_splice_ended(&b.k, -1, error));
        assert_int_equal(ktls_receive(&b.k, b.fd, buf, sizeof buf, &news), KTLS_OVER);
        assert_int_equal(news.end, end);
        assert_string_equal(news.why, why);
        both_close(&b);
}

static void test_error_of_splice(void **state)
{
        (void)state;
        struct both b = { .pipe = { -1, -1 } };
        struct ktls_news news;
        char buf[10];
        both_connect(&b);
        assert_false(ktls_splice_ended(&b.k, -1, EAGAIN));
        assert_int_equal(ktls_receive(&b.k, b.fd, buf, sizeof buf, &news), KTLS_AGAIN);
        assert_true(ktls_splice_ended(&b.k, 0, 0));
        assert_int_equal(ktls_receive(&b.k, b.fd, buf, sizeof buf, &news), KTLS_AGAIN);
        both_close(&b);
        expect_kept(EINVAL, STREAM_BROKEN, "wrong version number");
        expect_kept(EBADMSG, STREAM_BROKEN, "decryption failed or bad record mac");
        expect_kept(ECONNRESET, STREAM_RESET, "Connection reset by peer");
}

static void test_causes(void **state)
{
        (void)state;
        static const struct {
                int error;
                enum stream_end end;
                const char *why;
        } rows[] = {
                { EBADMSG, STREAM_BROKEN, "decryption failed or bad record mac" },
                { EINVAL, STREAM_BROKEN, "wrong version number" },
                { EMSGSIZE, STREAM_BROKEN, "record too long" },
                { ECONNRESET, STREAM_RESET, "Connection reset by peer" },
                { EPIPE, STREAM_RESET, "Connection reset by peer" },
                { ETIMEDOUT, STREAM_RESET, "Connection timed out" },
        };
        for (size_t i = 0; i < COUNTOF(rows); i++) {
                char why[TLS_ERROR_MAX];
                assert_int_equal(ktls_cause(rows[i].error, why), rows[i].end);
                assert_string_equal(why, rows[i].why);
        }
}

int main(void)
{
        signal(SIGPIPE, SIG_IGN);
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_directions),      cmocka_unit_test(test_only_who_asks),
                cmocka_unit_test(test_none_in_memory),  cmocka_unit_test(test_no_record_no_data),
                cmocka_unit_test(test_error_of_splice), cmocka_unit_test(test_causes),
        };
        return cmocka_run_group_tests_name("tls/ktls", tests, NULL, NULL);
}
