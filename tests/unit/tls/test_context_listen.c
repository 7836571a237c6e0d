/* SPDX-License-Identifier: ISC */
/* What listen-tls: {…} means: which certificate, which versions, which mistakes. */
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

#include <openssl/err.h>
#include <openssl/pem.h>

#include "base/own.h"
#include "cert.h"
#include "shake.h"
#include "tls/alpn.h"
#include "tls/info.h"

/* Files every test may name: NAME.pem holds certificate and key, NAME.crt and NAME.key one each. */
enum { EC_A, RSA_A, EC_WILD, RSA_WWW, PLAIN, OLD, EARLY, N_CERTS };
static const struct {
        const char *file;
        struct cert_spec spec;
} certs[N_CERTS] = {
        [EC_A] = { "ec-a", { .subject = "ec-a", .names = "DNS:a.example,DNS:b.example" } },
        [RSA_A] = { "rsa-a",
                    { .key = "RSA", .subject = "rsa-a", .names = "DNS:A.example,IP:127.0.0.1" } },
        [EC_WILD] = { "ec-wild", { .subject = "ec-wild", .names = "DNS:*.example.net" } },
        [RSA_WWW] = { "rsa-www",
                      { .key = "RSA", .subject = "rsa-www", .names = "DNS:www.example.net" } },
        [PLAIN] = { "plain", { .subject = "plain.example" } },
        [OLD] = { "old", { .valid_from = -7200, .valid_to = -3600 } },
        [EARLY] = { "early", { .valid_from = 3600 } },
};
static struct cert made[N_CERTS];

static const char *file(const char *name, const char *ending)
{
        char whole[64];
        snprintf(whole, sizeof whole, "%s%s", name, ending);
        return cert_path(whole);
}

static int make_files(void **state)
{
        (void)state;
        for (int i = 0; i < N_CERTS; i++) {
                char name[64];
                const struct cert *one = &made[i];
                made[i] = cert_make(certs[i].spec);
                snprintf(name, sizeof name, "%s.pem", certs[i].file);
                cert_write_both(name, one);
                snprintf(name, sizeof name, "%s.crt", certs[i].file);
                cert_write(name, &one, 1);
                snprintf(name, sizeof name, "%s.key", certs[i].file);
                cert_write_key(name, one, NULL);
        }
        return 0;
}

static int free_certs(void **state)
{
        (void)state;
        for (int i = 0; i < N_CERTS; i++)
                cert_free(&made[i]);
        return 0;
}

/* --- mistakes --------------------------------------------------------------------------------- */

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
        { "a directory", "certificate = \"%D\"",
          "conf:3: certificate %D: there is no certificate in it (PEM begins with "
          "-----BEGIN CERTIFICATE-----)\n" },
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
                                 out, made[EC_A].key, EVP_aes_128_cbc(),
                                 (const unsigned char *)"secret", 6, NULL, NULL),
                         1);
        BIO_free(out);
}

static void mistakes_are_told(void **state)
{
        (void)state;
        const struct cert *upside_down[] = { &made[PLAIN], &made[EC_A] };
        struct cert weak = cert_make((struct cert_spec){ .key = "RSA-1024" });
        cert_write_text("text", "Good morning\n");
        cert_write("upside-down", upside_down, 2);
        cert_write_key("encrypted", &made[EC_A], "secret");
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
        const char *path = cert_write_key("secret.key", &made[EC_A], NULL);
        assert_int_equal(chmod(path, 0), 0);
        assert_int_equal(chmod(cert_dir(), 0755), 0);
        uid_t me = geteuid();
        if (me == 0)
                assert_int_equal(seteuid(65534), 0); /* root reads everything */
        block_listen(&b, "certificate = \"%s\"\nkey = \"%s\"", file("ec-a", ".crt"), path);
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
        FILE *f = fopen(file("ec-a", ".pem"), "r");
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
        block_listen(&b, "certificate = \"%s\"", file("old", ".pem"));
        assert_non_null(b.tls);
        assert_non_null(strstr(b.said, "conf:3: warning: certificate "));
        assert_non_null(strstr(b.said, "old.pem expired on 20"));
        block_fini(&b);
        block_listen(&b, "certificate = \"%s\"", file("early", ".pem"));
        assert_non_null(b.tls);
        assert_non_null(strstr(b.said, "early.pem is not valid before 20"));
        block_fini(&b);
}

static void key_beside_its_certificate(void **state)
{
        (void)state;
        struct block b;
        block_listen(&b, "certificate = [\"%s\", \"%s\"]\nkey = [\"%s\", \"%s\"]",
                     file("ec-a", ".crt"), file("rsa-a", ".crt"), file("ec-a", ".key"),
                     file("rsa-a", ".key"));
        block_is_fine(&b);
        block_fini(&b);
}

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
                     file("ec-a", ".pem"), file("rsa-a", ".pem"), file("ec-wild", ".pem"),
                     file("rsa-www", ".pem"), file("plain", ".pem"), more);
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
                cmocka_unit_test(mistakes_are_told),
                cmocka_unit_test(unreadable_file),
                cmocka_unit_test(protocols_that_cannot_be_said),
                cmocka_unit_test(truncated_files),
                cmocka_unit_test(dates_are_warnings),
                cmocka_unit_test(key_beside_its_certificate),
                cmocka_unit_test(certificates_by_name_and_key_type),
                cmocka_unit_test(the_chain_is_sent),
                cmocka_unit_test(protocols_are_agreed_on),
                cmocka_unit_test(versions_ciphers_and_groups),
                cmocka_unit_test(sessions_resume),
                cmocka_unit_test(no_tickets_no_sessions),
                cmocka_unit_test(no_early_data),
        };
        return cmocka_run_group_tests(tests, make_files, free_certs);
}
