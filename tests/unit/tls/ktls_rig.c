/* SPDX-License-Identifier: ISC */
#include "ktls_rig.h"

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <openssl/err.h>
#include <openssl/kdf.h>

#include "base/clock.h"
#include "base/own.h"
#include "rig.h"

/* --- two sockets and a handshake -------------------------------------------------------------- */

void both_connect(struct both *b)
{
        struct sockaddr_in at = { .sin_family = AF_INET,
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
        socklen_t len = sizeof at;
        int on = 1, size = 128 * 1024; /* so that megabytes do not fit into the kernel */
        OWN_FD int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        setsockopt(listener, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
        setsockopt(listener, SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
        assert_int_equal(bind(listener, (struct sockaddr *)&at, len), 0);
        assert_int_equal(listen(listener, 1), 0);
        assert_int_equal(getsockname(listener, (struct sockaddr *)&at, &len), 0);
        b->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        assert_int_equal(connect(b->fd, (struct sockaddr *)&at, len), 0);
        b->peer_fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
        assert_true(b->peer_fd >= 0);
        for (int i = 0; i < 2; i++) {
                int fd = i == 0 ? b->fd : b->peer_fd;
                setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
                setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
                assert_int_equal(ioctl(fd, FIONBIO, &on), 0);
        }
}

void wait_for(int fd, short events)
{
        struct pollfd p = { .fd = fd, .events = events };
        if (poll(&p, 1, 20000) != 1)
                fail_msg("waited in vain for %#x of descriptor %d", (unsigned)events, fd);
}

static unsigned hex(char c)
{
        return c <= '9' ? (unsigned)(c - '0') : (unsigned)(c - 'a' + 10);
}

/* "LABEL RANDOM SECRET" */
static void keep_secret(const SSL *ssl, const char *line)
{
        struct both *b = SSL_get_app_data(ssl);
        const char *label = b->accepts ? "CLIENT_TRAFFIC_SECRET_0 " : "SERVER_TRAFFIC_SECRET_0 ";
        if (strncmp(line, label, strlen(label)) != 0)
                return;
        const char *digits = strrchr(line, ' ') + 1;
        b->secret_len = strlen(digits) / 2;
        assert_true(b->secret_len <= sizeof b->secret);
        for (size_t i = 0; i < b->secret_len; i++)
                b->secret[i] = (unsigned char)(hex(digits[2 * i]) << 4 | hex(digits[2 * i + 1]));
}

static SSL *make_ssl(struct both *b, bool server)
{
        SSL_CTX *ctx = server ? rig_server_ctx(b->version) : rig_client_ctx(b->version);
        SSL_CTX_set_ciphersuites(ctx, "TLS_AES_128_GCM_SHA256");
        SSL_CTX_set_keylog_callback(ctx, keep_secret);
        SSL *ssl = SSL_new(ctx);
        SSL_CTX_free(ctx);
        SSL_set_app_data(ssl, b);
        if (server)
                SSL_set_accept_state(ssl);
        else
                SSL_set_connect_state(ssl);
        return ssl;
}

static void shake(struct both *b)
{
        for (int64_t give_up = clock_ms() + 20000;;) {
                int ours = SSL_do_handshake(b->ssl), theirs = SSL_do_handshake(b->peer);
                if (ours == 1 && theirs == 1)
                        return;
                if (clock_ms() > give_up)
                        fail_msg("no handshake: %s", ERR_reason_error_string(ERR_peek_error()));
                usleep(1000);
        }
}

void both_open(struct both *b, int version, bool accepts)
{
        *b = (struct both){ .version = version, .accepts = accepts };
        both_connect(b);
        b->ssl = make_ssl(b, accepts);
        b->peer = make_ssl(b, !accepts);
        SSL_set_options(b->ssl, SSL_OP_ENABLE_KTLS);
        SSL_set_fd(b->ssl, b->fd);
        SSL_set_fd(b->peer, b->peer_fd);
        shake(b);
        ktls_init(&b->k, b->ssl);
        assert_int_equal(pipe2(b->pipe, O_NONBLOCK | O_CLOEXEC), 0);
        b->sent = EVP_MD_CTX_new();
        b->got = EVP_MD_CTX_new();
        EVP_DigestInit(b->sent, EVP_sha256());
        EVP_DigestInit(b->got, EVP_sha256());
}

void both_close(struct both *b)
{
        EVP_MD_CTX_free(b->sent);
        EVP_MD_CTX_free(b->got);
        SSL_free(b->ssl);
        SSL_free(b->peer);
        own_close(&b->fd);
        own_close(&b->peer_fd);
        own_close(&b->pipe[0]);
        own_close(&b->pipe[1]);
        ERR_clear_error();
}

void peer_resets(struct both *b)
{
        struct linger now = { .l_onoff = 1, .l_linger = 0 };
        setsockopt(b->peer_fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
        own_close(&b->peer_fd);
}

void both_same(struct both *b)
{
        unsigned char sent[EVP_MAX_MD_SIZE], got[EVP_MAX_MD_SIZE];
        EVP_DigestFinal(b->sent, sent, NULL);
        EVP_DigestFinal(b->got, got, NULL);
        assert_memory_equal(sent, got, 32);
}

void peer_says(struct both *b, const char *text)
{
        assert_int_equal(SSL_write(b->peer, text, (int)strlen(text)), (int)strlen(text));
}

/* Past TLS. */
void peer_writes(struct both *b, const void *octets, size_t n)
{
        assert_int_equal(write(b->peer_fd, octets, n), (ssize_t)n);
}

void pattern_at(unsigned char *buf, size_t n, size_t at)
{
        for (size_t i = 0; i < n; i++)
                buf[i] = (unsigned char)((at + i) * 2654435761U >> 13);
}

/* --- records made by hand, since OpenSSL writes no empty ones --------------------------------- */

/* HKDF-Expand-Label with no context (RFC 8446, 7.1). */
static void expand_label(const struct both *b, const char *label, unsigned char *out, size_t n)
{
        unsigned char info[64];
        int len = snprintf((char *)info + 3, sizeof info - 4, "tls13 %s", label);
        info[0] = 0;
        info[1] = (unsigned char)n;
        info[2] = (unsigned char)len;
        info[3 + len] = 0;
        EVP_PKEY_CTX *c = EVP_PKEY_CTX_new_id(EVP_PKEY_HKDF, NULL);
        assert_int_equal(EVP_PKEY_derive_init(c), 1);
        EVP_PKEY_CTX_set_hkdf_mode(c, EVP_PKEY_HKDEF_MODE_EXPAND_ONLY);
        EVP_PKEY_CTX_set_hkdf_md(c, EVP_sha256());
        EVP_PKEY_CTX_set1_hkdf_key(c, b->secret, (int)b->secret_len);
        EVP_PKEY_CTX_add1_hkdf_info(c, info, len + 4);
        assert_int_equal(EVP_PKEY_derive(c, out, &n), 1);
        EVP_PKEY_CTX_free(c);
}

/* A record of TLS_AES_128_GCM_SHA256 (RFC 8446, 5.2), of less than 100 octets. */
void peer_writes_record(struct both *b, unsigned number, unsigned char type, const char *text)
{
        enum { HEAD = 5, TAG = 16 };
        unsigned char key[16], nonce[12], plain[100], record[HEAD + sizeof plain + TAG];
        size_t n = strlen(text);
        int len;
        memcpy(plain, text, n);
        plain[n++] = type;
        expand_label(b, "key", key, sizeof key);
        expand_label(b, "iv", nonce, sizeof nonce);
        nonce[11] ^= (unsigned char)number;
        memcpy(record, (const unsigned char[]){ 23, 3, 3, 0, (unsigned char)(n + TAG) }, HEAD);
        EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
        EVP_EncryptInit(c, EVP_aes_128_gcm(), key, nonce);
        EVP_EncryptUpdate(c, NULL, &len, record, HEAD);
        EVP_EncryptUpdate(c, record + HEAD, &len, plain, (int)n);
        EVP_EncryptFinal(c, record + HEAD + n, &len);
        EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_GCM_GET_TAG, TAG, record + HEAD + n);
        EVP_CIPHER_CTX_free(c);
        peer_writes(b, record, HEAD + n + TAG);
}

/* The server's tickets were records too. */
unsigned first_number(const struct both *b)
{
        return b->accepts ? 0 : 1;
}

/* --- the table -------------------------------------------------------------------------------- */

struct cell {
        const struct promise *promise;
        int version;
        bool accepts, splicing;
        char name[150];
};

static void run_cell(void **state)
{
        const struct cell *c = *state;
        struct both b;
        if (ktls_unavailable() != NULL)
                skip();
        both_open(&b, c->version, c->accepts);
        unsigned wanted = (unsigned)c->promise->needs & KTLS_BOTH;
        bool there = (ktls_directions(b.ssl) & wanted) == wanted;
        if (there)
                c->promise->test(&b, c->splicing);
        both_close(&b);
        if (!there)
                skip();
}

static bool applies(const struct promise *p, int version, bool accepts)
{
        return ((p->needs & TLS13) == 0 || version == TLS1_3_VERSION) &&
               ((p->needs & CONNECTS) == 0 || !accepts);
}

int both_run(const char *name, const struct promise *promises, size_t n_promises)
{
        static struct cell cells[20 * 8];
        struct CMUnitTest tests[COUNTOF(cells)];
        size_t n = 0;
        assert_true(n_promises * 8 <= COUNTOF(cells));
        for (size_t i = 0; i < n_promises * 8; i++) {
                struct cell *c = &cells[n];
                *c = (struct cell){ .promise = &promises[i / 8],
                                    .version = i & 4 ? TLS1_3_VERSION : TLS1_2_VERSION,
                                    .accepts = (i & 2) != 0,
                                    .splicing = (i & 1) != 0 };
                if (!applies(c->promise, c->version, c->accepts))
                        continue;
                snprintf(c->name, sizeof c->name, "%s (%s, %s, %s)", c->promise->text,
                         i & 4 ? "TLS 1.3" : "TLS 1.2", c->accepts ? "accepting" : "connecting",
                         c->splicing ? "splice" : "read and write");
                tests[n++] = (struct CMUnitTest){ .name = c->name,
                                                  .test_func = run_cell,
                                                  .initial_state = c };
        }
        return _cmocka_run_group_tests(name, tests, n, NULL, NULL);
}
