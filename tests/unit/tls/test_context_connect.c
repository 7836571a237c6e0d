/* SPDX-License-Identifier: ISC */
/* What connect-tls: {…} means: whom we trust, what we ask for, which mistakes. */
#include "rig.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "base/own.h"
#include "cert.h"
#include "shake.h"
#include "tls/info.h"

enum { ROOT, OTHER_ROOT, MIDDLE, GOOD, OLD, WILD, PARTIAL, ADDRESS, SELF, CLIENT, N_CERTS };
static struct cert made[N_CERTS];

static int make_certs(void **state)
{
        (void)state;
        signal(SIGPIPE, SIG_IGN);
        made[ROOT] = cert_make((struct cert_spec){ .subject = "root", .ca = true });
        made[OTHER_ROOT] = cert_make((struct cert_spec){ .subject = "other root", .ca = true });
        made[MIDDLE] = cert_make(
                (struct cert_spec){ .subject = "middle", .ca = true, .issuer = &made[ROOT] });
        made[GOOD] =
                cert_make((struct cert_spec){ .names = "DNS:db.example", .issuer = &made[MIDDLE] });
        made[OLD] = cert_make((struct cert_spec){ .names = "DNS:db.example",
                                                  .issuer = &made[MIDDLE],
                                                  .valid_from = -7200,
                                                  .valid_to = -3600 });
        made[WILD] = cert_make(
                (struct cert_spec){ .names = "DNS:*.db.example", .issuer = &made[MIDDLE] });
        made[PARTIAL] =
                cert_make((struct cert_spec){ .names = "DNS:d*.example", .issuer = &made[MIDDLE] });
        made[ADDRESS] = cert_make((struct cert_spec){ .names = "IP:192.0.2.1,IP:2001:db8::1",
                                                      .issuer = &made[MIDDLE] });
        made[SELF] = cert_make((struct cert_spec){ .names = "DNS:db.example" });
        made[CLIENT] = cert_make((struct cert_spec){ .subject = "client" });
        const struct cert *root = &made[ROOT], *other = &made[OTHER_ROOT], *self = &made[SELF];
        const struct cert *middle = &made[MIDDLE];
        cert_write("root.pem", &root, 1);
        cert_write("other.pem", &other, 1);
        cert_write("middle.pem", &middle, 1);
        cert_write("self.pem", &self, 1);
        cert_write_both("client.pem", &made[CLIENT]);
        cert_write_text("text", "Good morning\n");
        return 0;
}

static int free_certs(void **state)
{
        (void)state;
        for (int i = 0; i < N_CERTS; i++)
                cert_free(&made[i]);
        return 0;
}

static SSL *server_with(int cert, int version)
{
        SSL_CTX *ctx = rig_server_ctx(version);
        assert_int_equal(SSL_CTX_use_certificate(ctx, made[cert].x509), 1);
        assert_int_equal(SSL_CTX_use_PrivateKey(ctx, made[cert].key), 1);
        if (cert != SELF)
                assert_int_equal(SSL_CTX_add1_chain_cert(ctx, made[MIDDLE].x509), 1);
        SSL *ssl = SSL_new(ctx);
        SSL_CTX_free(ctx);
        return ssl;
}

/* --- verification ----------------------------------------------------------------------------- */

#define FAILED "certificate verify failed: "

static const struct meeting {
        const char *promise;
        const char *ca, *more; /* ca: file in the directory; more directives */
        const char *host;      /* connected to */
        int shows;             /* the server's certificate */
        const char *error;     /* NULL: all is well */
        int alert;
        const char *sni; /* what the server is asked for */
} meetings[] = {
        { "a good certificate", "root.pem", "", "db.example", GOOD, NULL, -1, "db.example" },
        { "names have no case, and may end in a dot", "root.pem", "", "DB.example.", GOOD, NULL, -1,
          "DB.example" },
        { "an unknown authority", "other.pem", "", "db.example", GOOD,
          FAILED "unable to get local issuer certificate", SSL_AD_UNKNOWN_CA, NULL },
        { "a wrong name", "root.pem", "", "www.example", GOOD,
          FAILED "hostname mismatch: the certificate is not for www.example",
          SSL_AD_BAD_CERTIFICATE, NULL },
        { "server-name is the name verified", "root.pem", "server-name = \"db.example\"",
          "10.0.0.1", GOOD, NULL, -1, "db.example" },
        { "server-name counts more than the host", "root.pem", "server-name = \"www.example\"",
          "db.example", GOOD, FAILED "hostname mismatch: the certificate is not for www.example",
          SSL_AD_BAD_CERTIFICATE, NULL },
        { "an expired certificate", "root.pem", "", "db.example", OLD,
          FAILED "certificate has expired", SSL_AD_CERTIFICATE_EXPIRED, NULL },
        { "a wildcard is one label", "root.pem", "", "a.db.example", WILD, NULL, -1,
          "a.db.example" },
        { "a wildcard is not two", "root.pem", "", "b.a.db.example", WILD,
          FAILED "hostname mismatch: the certificate is not for b.a.db.example",
          SSL_AD_BAD_CERTIFICATE, NULL },
        { "a partial wildcard is none", "root.pem", "", "db.example", PARTIAL,
          FAILED "hostname mismatch: the certificate is not for db.example", SSL_AD_BAD_CERTIFICATE,
          NULL },
        { "an address", "root.pem", "", "192.0.2.1", ADDRESS, NULL, -1, "" },
        { "an IPv6 address", "root.pem", "", "2001:db8::1", ADDRESS, NULL, -1, "" },
        { "another address", "root.pem", "", "192.0.2.2", ADDRESS,
          FAILED "IP address mismatch: the certificate is not for 192.0.2.2",
          SSL_AD_BAD_CERTIFICATE, NULL },
        { "an address is not a name", "root.pem", "", "192.0.2.1", GOOD,
          FAILED "IP address mismatch: the certificate is not for 192.0.2.1",
          SSL_AD_BAD_CERTIFICATE, NULL },
        { "a path is nobody's name", "root.pem", "", "/run/db", GOOD,
          FAILED "hostname mismatch: the certificate is not for /run/db", SSL_AD_BAD_CERTIFICATE,
          NULL },
        { "a certificate we were given", "self.pem", "", "db.example", SELF, NULL, -1,
          "db.example" },
        { "one that signed itself", "root.pem", "", "db.example", SELF,
          FAILED "self-signed certificate", SSL_AD_UNKNOWN_CA, NULL },
        { "an authority in the middle is enough", "middle.pem", "", "db.example", GOOD, NULL, -1,
          "db.example" },
        { "verify = false takes anything", "other.pem", "verify = false", "www.example", OLD, NULL,
          -1, "www.example" },
        { "verify = false needs no name", "other.pem", "verify = false", "/run/db", OLD, NULL, -1,
          "" },
};

static void meet(const struct meeting *m, int version)
{
        struct block b;
        struct rig r;
        block_connect(&b, "ca = \"%s\"\n%s", cert_path(m->ca), m->more);
        block_is_fine(&b);
        SSL *ssl = tls_context_ssl(b.tls, m->host);
        assert_non_null(ssl);
        rig_open(&r, version, STREAM_TLS_CONNECT, RIG_BUFFERED, ssl,
                 server_with(m->shows, version));
        UNTIL(&r, r.done && (r.handshaken || r.end != PEER_OPEN));
        if (m->error == NULL)
                assert_null(r.error);
        else
                assert_string_equal(r.error, m->error);
        assert_int_equal(r.fatal_in, m->alert);
        const char *sni = SSL_get_servername(r.peer, TLSEXT_NAMETYPE_host_name);
        if (m->sni != NULL)
                assert_string_equal(sni != NULL ? sni : "", m->sni);
        rig_close(&r);
        block_fini(&b);
}

static void upstreams_are_verified(void **state)
{
        (void)state;
        for (size_t i = 0; i < COUNTOF(meetings); i++) {
                print_message("             %s\n", meetings[i].promise);
                meet(&meetings[i], TLS1_2_VERSION);
                meet(&meetings[i], TLS1_3_VERSION);
        }
}

static bool trusts(struct block *b)
{
        SSL *client = tls_context_ssl(b->tls, "db.example"), *server = server_with(GOOD, 0x304);
        bool ok = shake(server, client);
        SSL_free(client);
        SSL_free(server);
        ERR_clear_error();
        return ok;
}

static void the_system_is_trusted_by_default(void **state)
{
        (void)state;
        struct block b;
        setenv("SSL_CERT_FILE", cert_path("root.pem"), 1);
        block_connect(&b, "profile = \"modern\"");
        block_is_fine(&b);
        assert_true(trusts(&b));
        block_fini(&b);
        setenv("SSL_CERT_FILE", cert_path("other.pem"), 1);
        block_connect(&b, "profile = \"modern\"");
        assert_false(trusts(&b));
        block_fini(&b);
        unsetenv("SSL_CERT_FILE");
}

static void a_directory_of_authorities(void **state)
{
        (void)state;
        struct block b;
        char link[64];
        assert_int_equal(mkdir(cert_path("authorities"), 0755), 0);
        snprintf(link, sizeof link, "authorities/%08lx.0", X509_subject_name_hash(made[ROOT].x509));
        assert_int_equal(symlink(cert_path("root.pem"), cert_path(link)), 0);
        block_connect(&b, "ca = [\"%s\", \"%s\"]", cert_path("other.pem"),
                      cert_path("authorities"));
        block_is_fine(&b);
        assert_true(trusts(&b));
        block_fini(&b);
}

/* --- what else is agreed on ------------------------------------------------------------------- */

static int any_certificate(int ok, X509_STORE_CTX *ctx)
{
        (void)ok;
        (void)ctx;
        return 1;
}

static void our_certificate_is_shown(void **state)
{
        (void)state;
        struct block b;
        struct tls_info info;
        block_connect(&b, "ca = \"%s\"\ncertificate = \"%s\"", cert_path("root.pem"),
                      cert_path("client.pem"));
        block_is_fine(&b);
        SSL *client = tls_context_ssl(b.tls, "db.example"), *server = server_with(GOOD, 0x304);
        SSL_set_verify(server, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, any_certificate);
        assert_true(shake(server, client));
        tls_info_fill(&info, server);
        assert_string_equal(info.peer, "CN=client");
        tls_info_fini(&info);
        tls_info_fill(&info, client);
        assert_string_equal(info.version, "TLSv1.3");
        assert_string_equal(info.cipher, "TLS_AES_128_GCM_SHA256");
        assert_string_equal(info.group, "x25519");
        assert_string_equal(info.sni, "db.example");
        assert_string_equal(info.peer, "CN=test");
        assert_null(info.alpn);
        assert_false(info.resumed);
        tls_info_fini(&info);
        SSL_free(client);
        SSL_free(server);
        block_fini(&b);
}

static int choose_last(SSL *ssl, const unsigned char **out, unsigned char *outlen,
                       const unsigned char *in, unsigned inlen, void *arg)
{
        (void)ssl, (void)arg;
        const unsigned char *p = in;
        while (p + 1 + *p < in + inlen)
                p += 1 + *p;
        *out = p + 1;
        *outlen = *p;
        return SSL_TLSEXT_ERR_OK;
}

static void protocols_are_asked_for(void **state)
{
        (void)state;
        struct block b;
        struct tls_info info;
        block_connect(&b, "verify = false\nalpn = [\"h2\", \"postgresql\"]");
        block_is_fine(&b);
        SSL *client = tls_context_ssl(b.tls, "db.example"), *server = server_with(GOOD, 0x304);
        SSL_CTX_set_alpn_select_cb(SSL_get_SSL_CTX(server), choose_last, NULL);
        assert_true(shake(server, client));
        tls_info_fill(&info, client);
        assert_string_equal(info.alpn, "postgresql");
        tls_info_fini(&info);
        SSL_free(client);
        SSL_free(server);
        block_fini(&b);
}

/* --- mistakes --------------------------------------------------------------------------------- */

static void mistakes_are_told(void **state)
{
        (void)state;
        struct block b;
        char said[2048];
        const char *d = cert_dir();
        block_connect(&b,
                      "ca = [\"%s/none\", \"%s/text\", \"%s/root.pem\"]\n"
                      "certificate = \"%s/client.pem\"\nkey = \"%s/none.key\"\n"
                      "groups = \"Q\"",
                      d, d, d, d, d);
        snprintf(said, sizeof said,
                 "conf:6: groups: OpenSSL knows no \"Q\"\n"
                 "conf:3: ca %s/none: No such file or directory\n"
                 "conf:3: ca %s/text: no certificate or crl found\n"
                 "conf:5: key %s/none.key: No such file or directory\n",
                 d, d, d);
        assert_string_equal(b.said, said);
        assert_null(b.tls);
        block_fini(&b);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(upstreams_are_verified),
                cmocka_unit_test(the_system_is_trusted_by_default),
                cmocka_unit_test(a_directory_of_authorities),
                cmocka_unit_test(our_certificate_is_shown),
                cmocka_unit_test(protocols_are_asked_for),
                cmocka_unit_test(mistakes_are_told),
        };
        return cmocka_run_group_tests(tests, make_certs, free_certs);
}
