/* SPDX-License-Identifier: ISC */
#include "shake.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <openssl/err.h>

#include "base/text.h"

static void add_line(enum diag_severity severity, const char *line, void *arg)
{
        (void)severity;
        text_add(arg, line);
        text_add(arg, "\n");
}

__attribute__((format(printf, 4, 0))) static void
read_block(struct block *b, const char *name, const char *rest, const char *format, va_list args)
{
        struct text t = { 0 };
        text_addf(&t, "services: { s: { %s\n%s: {\n", rest, name);
        text_addv(&t, format, args);
        text_add(&t, "\n} } }\n");
        *b = (struct block){ .diag = diag_new() };
        b->conf = config_read_text(text_str(&t), "conf", b->diag);
        if (b->conf == NULL)
                diag_print(b->diag, stderr);
        assert_non_null(b->conf);
        text_fini(&t);
}

static void keep_messages(struct block *b)
{
        struct text said = { 0 };
        text_add(&said, "");
        diag_each(b->diag, add_line, &said);
        b->said = strdup(text_str(&said));
        text_fini(&said);
        assert_int_equal(b->tls == NULL, diag_errors(b->diag) > 0);
        assert_int_equal(ERR_peek_error(), 0);
}

void block_listen(struct block *b, const char *format, ...)
{
        va_list args;
        va_start(args, format);
        read_block(b, "listen-tls", "listen = \"127.0.0.1:7\"; connect = \"echo\";", format, args);
        va_end(args);
        b->tls = tls_context_new_listen(&b->conf->services[0]->listen_tls, b->diag);
        keep_messages(b);
}

void block_connect(struct block *b, const char *format, ...)
{
        va_list args;
        va_start(args, format);
        read_block(b, "connect-tls", "listen = \"127.0.0.1:7\"; connect = \"localhost:8\";", format,
                   args);
        va_end(args);
        b->tls = tls_context_new_connect(&b->conf->services[0]->connect_tls, b->diag);
        keep_messages(b);
}

void block_fini(struct block *b)
{
        tls_context_unref(b->tls);
        config_free(b->conf);
        diag_free(b->diag);
        free(b->said);
}

void block_is_fine(const struct block *b)
{
        assert_string_equal(b->said, "");
        assert_non_null(b->tls);
}

static void join(SSL *a, SSL *b)
{
        BIO *left, *right;
        assert_int_equal(BIO_new_bio_pair(&left, 0, &right, 0), 1);
        SSL_set_bio(a, left, left);
        SSL_set_bio(b, right, right);
}

static bool gave_up(SSL *ssl, int result)
{
        return result <= 0 && SSL_get_error(ssl, result) != SSL_ERROR_WANT_READ &&
               SSL_get_error(ssl, result) != SSL_ERROR_WANT_WRITE;
}

static void say_and_hear(SSL *from, SSL *to)
{
        char octet = 'x';
        assert_int_equal(SSL_write(from, &octet, 1), 1);
        assert_int_equal(SSL_read(to, &octet, 1), 1);
}

bool shake(SSL *server, SSL *client)
{
        SSL_set_accept_state(server);
        SSL_set_connect_state(client);
        join(server, client);
        int s = 0, c = 0;
        while (s != 1 || c != 1) {
                ERR_clear_error();
                if (c != 1 && gave_up(client, c = SSL_do_handshake(client)))
                        return false;
                if (s != 1 && gave_up(server, s = SSL_do_handshake(server)))
                        return false;
        }
        say_and_hear(server, client);
        say_and_hear(client, server);
        return true;
}

SSL *shake_client(int version, const char *sni)
{
        SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
        SSL_CTX_set_max_proto_version(ctx, version);
        SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_CLIENT);
        SSL *ssl = SSL_new(ctx);
        SSL_CTX_free(ctx);
        assert_non_null(ssl);
        if (sni != NULL)
                assert_int_equal(SSL_set_tlsext_host_name(ssl, sni), 1);
        return ssl;
}
