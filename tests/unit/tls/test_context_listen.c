/* SPDX-License-Identifier: ISC */
/* What listen-tls: {…} means: which certificate, which versions, which sessions. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <openssl/err.h>

#include "base/own.h"
#include "cert.h"
#include "files.h"
#include "shake.h"
#include "tls/info.h"

/* --- which certificate ------------------------------------------------------------------------ */

static char *subject_shown(struct block *b, int version, const char *sni, const char *sigalgs)
{
        SSL *server = tls_context_ssl(b->tls, NULL), *client = shake_client(version, sni);
        struct tls_info info = { 0 };
        if (sigalgs != NULL)
                assert_int_equal(SSL_set1_sigalgs_list(client, sigalgs), 1);
        char *subject = NULL;
        if (shake(server, client)) {
                tls_info_fill(&info, client);
                subject = strdup(info.peer);
                tls_info_fini(&info);
        }
        SSL_free(server);
        SSL_free(client);
        ERR_clear_error();
        return subject;
}

#define ECDSA "ECDSA+SHA256"
#define RSA   "RSA-PSS+SHA256:RSA+SHA256"

static const struct choice {
        const char *sni, *sigalgs, *subject;
} choices[] = {
        { NULL, ECDSA ":" RSA, "CN=ec-a" },
        { NULL, RSA, "CN=rsa-a" }, /* the default has the other key type of its name too */
        { "a.example", ECDSA, "CN=ec-a" },
        { "a.example", RSA, "CN=rsa-a" },
        { "A.EXAMPLE", RSA, "CN=rsa-a" },
        { "b.example", ECDSA, "CN=ec-a" },
        { "b.example", RSA, NULL }, /* no certificate for that */
        { "x.example.net", ECDSA, "CN=ec-wild" },
        { "x.example.net", RSA, NULL },
        { "www.example.net", RSA, "CN=rsa-www" },
        { "www.example.net", ECDSA, "CN=ec-wild" }, /* the exact name has no such key */
        { "x.y.example.net", ECDSA, "CN=ec-a" },    /* a wildcard is one label */
        { "example.net", ECDSA, "CN=ec-a" },
        { "plain.example", ECDSA, "CN=plain.example" }, /* by common name: it has no other */
        { "unknown.example", ECDSA, "CN=ec-a" },
        { "unknown.example", RSA, "CN=rsa-a" },
};

static void listen_all(struct block *b, const char *more)
{
        block_listen(b, "certificate = [\"%s\", \"%s\", \"%s\", \"%s\", \"%s\"]\n%s",
                     files_path("ec-a", ".pem"), files_path("rsa-a", ".pem"),
                     files_path("ec-wild", ".pem"), files_path("rsa-www", ".pem"),
                     files_path("plain", ".pem"), more);
        block_is_fine(b);
}

static void certificates_by_name_and_key_type(void **state)
{
        (void)state;
        struct block b;
        listen_all(&b, "");
        for (size_t i = 0; i < COUNTOF(choices); i++) {
                for (int version = TLS1_2_VERSION; version <= TLS1_3_VERSION; version++) {
                        const struct choice *c = &choices[i];
                        char *subject = subject_shown(&b, version, c->sni, c->sigalgs);
                        if (c->subject == NULL
                                    ? subject != NULL
                                    : subject == NULL || strcmp(subject, c->subject) != 0)
                                fail_msg("%s with %s: got %s, not %s",
                                         c->sni != NULL ? c->sni : "(no name)", c->sigalgs,
                                         subject != NULL ? subject : "none",
                                         c->subject != NULL ? c->subject : "none");
                        free(subject);
                }
        }
        block_fini(&b);
}

static void the_chain_is_sent(void **state)
{
        (void)state;
        struct block b;
        struct cert root = cert_make((struct cert_spec){ .subject = "root", .ca = true });
        struct cert leaf = cert_make((struct cert_spec){ .subject = "leaf", .issuer = &root });
        const struct cert *chain[] = { &leaf, &root };
        block_listen(&b, "certificate = \"%s\"\nkey = \"%s\"", cert_write("chain", chain, 2),
                     cert_write_key("chain.key", &leaf, NULL));
        block_is_fine(&b);
        SSL *server = tls_context_ssl(b.tls, NULL), *client = shake_client(TLS1_3_VERSION, NULL);
        assert_true(shake(server, client));
        assert_int_equal(sk_X509_num(SSL_get_peer_cert_chain(client)), 2);
        SSL_free(server);
        SSL_free(client);
        block_fini(&b);
        cert_free(&leaf);
        cert_free(&root);
}

/* --- ALPN ------------------------------------------------------------------------------------- */

static const struct protocol {
        const char *serves, *asks, *alpn; /* alpn "!": refused */
} protocols[] = {
        { "[\"h2\", \"http/1.1\"]", "\2h2\10http/1.1", "h2" },
        { "[\"h2\", \"http/1.1\"]", "\10http/1.1\2h2", "h2" }, /* our order counts */
        { "[\"h2\", \"http/1.1\"]", "\10http/1.1", "http/1.1" },
        { "[\"h2\", \"http/1.1\"]", NULL, NULL },
        { "[\"h2\", \"http/1.1\"]", "\3dot", "!" },
        { "[]", "\2h2", NULL },
};

static void protocols_are_agreed_on(void **state)
{
        (void)state;
        for (size_t i = 0; i < COUNTOF(protocols) * 2; i++) {
                struct block b;
                struct tls_info info;
                const struct protocol *p = &protocols[i / 2];
                char line[128];
                snprintf(line, sizeof line, "alpn = %s", p->serves);
                listen_all(&b, line);
                SSL *server = tls_context_ssl(b.tls, NULL);
                /* The second time through another set than the first. */
                SSL *client = shake_client(TLS1_3_VERSION, i % 2 ? "x.example.net" : NULL);
                if (p->asks != NULL)
                        SSL_set_alpn_protos(client, (const unsigned char *)p->asks,
                                            (unsigned)strlen(p->asks));
                bool refused = p->alpn != NULL && *p->alpn == '!';
                assert_int_equal(shake(server, client), !refused);
                tls_info_fill(&info, server);
                if (refused)
                        assert_int_equal(ERR_GET_REASON(ERR_peek_error()),
                                         SSL_R_NO_APPLICATION_PROTOCOL);
                else if (p->alpn == NULL)
                        assert_null(info.alpn);
                else
                        assert_string_equal(info.alpn, p->alpn);
                tls_info_fini(&info);
                SSL_free(server);
                SSL_free(client);
                ERR_clear_error();
                block_fini(&b);
        }
}

/* --- versions, ciphers, groups ---------------------------------------------------------------- */

static const struct offer {
        const char *directives;
        int client_min, client_max;
        const char *ciphers;                  /* the client's, for TLS 1.2 */
        const char *version, *cipher, *group; /* version NULL: refused */
} offers[] = {
        { "", TLS1_2_VERSION, TLS1_3_VERSION, NULL, "TLSv1.3", "TLS_AES_256_GCM_SHA384", "x25519" },
        { "", TLS1_2_VERSION, TLS1_2_VERSION, NULL, "TLSv1.2", "ECDHE-ECDSA-AES256-GCM-SHA384",
          "x25519" },
        /* the client's order, not ours */
        { "", TLS1_2_VERSION, TLS1_2_VERSION,
          "ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-ECDSA-AES128-GCM-SHA256", "TLSv1.2",
          "ECDHE-ECDSA-CHACHA20-POLY1305", "x25519" },
        { "", TLS1_2_VERSION, TLS1_2_VERSION, "ECDHE-ECDSA-AES256-SHA", NULL, NULL, NULL },
        { "", TLS1_VERSION, TLS1_1_VERSION, "ALL:@SECLEVEL=0", NULL, NULL, NULL },
        { "profile = \"modern\"", TLS1_2_VERSION, TLS1_2_VERSION, NULL, NULL, NULL, NULL },
        { "profile = \"modern\"", TLS1_2_VERSION, TLS1_3_VERSION, NULL, "TLSv1.3",
          "TLS_AES_256_GCM_SHA384", "x25519" },
        { "profile = \"modern\"\nmin-version = \"TLSv1.2\"", TLS1_2_VERSION, TLS1_2_VERSION, NULL,
          "TLSv1.2", "ECDHE-ECDSA-AES256-GCM-SHA384", "x25519" },
        { "min-version = \"TLSv1.3\"", TLS1_2_VERSION, TLS1_2_VERSION, NULL, NULL, NULL, NULL },
        { "max-version = \"TLSv1.2\"", TLS1_2_VERSION, TLS1_3_VERSION, NULL, "TLSv1.2",
          "ECDHE-ECDSA-AES256-GCM-SHA384", "x25519" },
        { "max-version = \"TLSv1.2\"\nciphers = \"ECDHE-ECDSA-AES128-GCM-SHA256\"", TLS1_2_VERSION,
          TLS1_3_VERSION, NULL, "TLSv1.2", "ECDHE-ECDSA-AES128-GCM-SHA256", "x25519" },
        { "ciphersuites = \"TLS_CHACHA20_POLY1305_SHA256\"", TLS1_2_VERSION, TLS1_3_VERSION, NULL,
          "TLSv1.3", "TLS_CHACHA20_POLY1305_SHA256", "x25519" },
        { "groups = \"P-384\"", TLS1_2_VERSION, TLS1_3_VERSION, NULL, "TLSv1.3",
          "TLS_AES_256_GCM_SHA384", "secp384r1" },
};

static void versions_ciphers_and_groups(void **state)
{
        (void)state;
        for (size_t i = 0; i < COUNTOF(offers); i++) {
                struct block b;
                struct tls_info info;
                const struct offer *o = &offers[i];
                listen_all(&b, o->directives);
                SSL *server = tls_context_ssl(b.tls, NULL);
                SSL *client = shake_client(TLS1_3_VERSION, "a.example");
                SSL_set_min_proto_version(client, o->client_min);
                SSL_set_max_proto_version(client, o->client_max);
                if (o->ciphers != NULL)
                        assert_int_equal(SSL_set_cipher_list(client, o->ciphers), 1);
                bool agreed = shake(server, client);
                if (agreed != (o->version != NULL))
                        print_error("offer %zu: %s\n", i, o->directives);
                assert_int_equal(agreed, o->version != NULL);
                if (agreed) {
                        tls_info_fill(&info, server);
                        assert_string_equal(info.version, o->version);
                        assert_string_equal(info.cipher, o->cipher);
                        assert_string_equal(info.group, o->group);
                        assert_string_equal(info.sni, "a.example");
                        assert_null(info.peer);
                        assert_false(info.resumed);
                        tls_info_fini(&info);
                }
                SSL_free(server);
                SSL_free(client);
                ERR_clear_error();
                block_fini(&b);
        }
}

/* --- sessions --------------------------------------------------------------------------------- */

static SSL_SESSION *kept;
static unsigned tickets;

static int keep_session(SSL *ssl, SSL_SESSION *session)
{
        (void)ssl;
        tickets++;
        SSL_SESSION_free(kept);
        kept = session;
        return 1;
}

/* Connects with the session kept, if resume; keeps the one that comes. */
static bool resumes(struct block *b, int version, const char *sni, bool resume)
{
        struct tls_info info;
        SSL *server = tls_context_ssl(b->tls, NULL), *client = shake_client(version, sni);
        SSL_CTX_set_session_cache_mode(SSL_get_SSL_CTX(client),
                                       SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
        SSL_CTX_sess_set_new_cb(SSL_get_SSL_CTX(client), keep_session);
        if (resume)
                assert_int_equal(SSL_set_session(client, kept), 1);
        assert_true(shake(server, client));
        tls_info_fill(&info, server);
        bool resumed = info.resumed;
        assert_int_equal(SSL_session_reused(client), resumed);
        assert_string_equal(info.sni, sni);
        tls_info_fini(&info);
        SSL_set_shutdown(client, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
        SSL_free(server);
        SSL_free(client);
        return resumed;
}

static void forget_session(void)
{
        SSL_SESSION_free(kept);
        kept = NULL;
        tickets = 0;
}

static void sessions_resume(void **state)
{
        (void)state;
        for (int version = TLS1_2_VERSION; version <= TLS1_3_VERSION; version++) {
                struct block b;
                listen_all(&b, "");
                assert_false(resumes(&b, version, "a.example", false));
                assert_int_equal(tickets, 1);
                assert_true(resumes(&b, version, "a.example", true));
                forget_session();
                /* … and under a certificate that is not the first. */
                assert_false(resumes(&b, version, "x.example.net", false));
                assert_true(resumes(&b, version, "x.example.net", true));
                forget_session();
                assert_false(resumes(&b, version, "x.example.net", false));
                /* … but not under the name of another. */
                assert_false(resumes(&b, version, "a.example", true));
                forget_session();
                block_fini(&b);
        }
}

static void no_tickets_no_sessions(void **state)
{
        (void)state;
        for (int version = TLS1_2_VERSION; version <= TLS1_3_VERSION; version++) {
                struct block b;
                listen_all(&b, "tickets = false");
                assert_false(resumes(&b, version, "a.example", false));
                if (kept != NULL)
                        assert_false(resumes(&b, version, "a.example", true));
                forget_session();
                block_fini(&b);
        }
}

static void no_early_data(void **state)
{
        (void)state;
        struct block b;
        listen_all(&b, "");
        assert_false(resumes(&b, TLS1_3_VERSION, "a.example", false));
        assert_int_equal(SSL_SESSION_get_max_early_data(kept), 0);
        forget_session();
        block_fini(&b);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(certificates_by_name_and_key_type),
                cmocka_unit_test(the_chain_is_sent),
                cmocka_unit_test(protocols_are_agreed_on),
                cmocka_unit_test(versions_ciphers_and_groups),
                cmocka_unit_test(sessions_resume),
                cmocka_unit_test(no_tickets_no_sessions),
                cmocka_unit_test(no_early_data),
        };
        return cmocka_run_group_tests(tests, files_make, files_free);
}
