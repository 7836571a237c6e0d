/* SPDX-License-Identifier: ISC */
#include "cert.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <ftw.h>

#include <cmocka.h>

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

static EVP_PKEY *make_key(const char *kind)
{
        if (kind == NULL || strcmp(kind, "EC") == 0)
                return EVP_EC_gen("P-256");
        if (strcmp(kind, "RSA") == 0)
                return EVP_RSA_gen(2048);
        if (strcmp(kind, "RSA-1024") == 0)
                return EVP_RSA_gen(1024);
        return EVP_PKEY_Q_keygen(NULL, NULL, kind);
}

static void add_extension(X509 *x, X509 *issuer, int nid, const char *value)
{
        X509V3_CTX ctx;
        X509V3_set_ctx(&ctx, issuer, x, NULL, NULL, 0);
        X509_EXTENSION *e = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
        assert_non_null(e);
        assert_int_equal(X509_add_ext(x, e, -1), 1);
        X509_EXTENSION_free(e);
}

static void set_subject(X509 *x, const char *cn)
{
        assert_int_equal(X509_NAME_add_entry_by_txt(X509_get_subject_name(x), "CN", MBSTRING_UTF8,
                                                    (const unsigned char *)cn, -1, -1, 0),
                         1);
}

struct cert cert_make(struct cert_spec spec)
{
        static long serial = 1;
        struct cert c = { .x509 = X509_new(), .key = make_key(spec.key) };
        assert_non_null(c.x509);
        assert_non_null(c.key);
        const struct cert *issuer = spec.issuer != NULL ? spec.issuer : &c;
        X509_set_version(c.x509, X509_VERSION_3);
        ASN1_INTEGER_set(X509_get_serialNumber(c.x509), serial++);
        X509_gmtime_adj(X509_getm_notBefore(c.x509),
                        spec.valid_from != 0 ? spec.valid_from : -3600);
        X509_gmtime_adj(X509_getm_notAfter(c.x509), spec.valid_to != 0 ? spec.valid_to : 86400);
        set_subject(c.x509, spec.subject != NULL ? spec.subject : "test");
        X509_set_issuer_name(c.x509, X509_get_subject_name(issuer->x509));
        X509_set_pubkey(c.x509, c.key);
        add_extension(c.x509, issuer->x509, NID_subject_key_identifier, "hash");
        if (spec.ca) {
                add_extension(c.x509, issuer->x509, NID_basic_constraints, "critical,CA:TRUE");
                add_extension(c.x509, issuer->x509, NID_key_usage, "critical,keyCertSign");
        }
        if (spec.names != NULL)
                add_extension(c.x509, issuer->x509, NID_subject_alt_name, spec.names);
        const EVP_MD *md = EVP_PKEY_is_a(issuer->key, "ED25519") ? NULL : EVP_sha256();
        assert_true(X509_sign(c.x509, issuer->key, md) > 0);
        return c;
}

void cert_free(struct cert *c)
{
        X509_free(c->x509);
        EVP_PKEY_free(c->key);
        *c = (struct cert){ 0 };
}

static char dir[64];

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
        (void)st;
        (void)type;
        (void)ftw;
        return remove(path);
}

static void remove_dir(void)
{
        nftw(dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

const char *cert_dir(void)
{
        if (dir[0] == '\0') {
                strcpy(dir, "/tmp/test-tls-XXXXXX");
                assert_non_null(mkdtemp(dir));
                atexit(remove_dir);
        }
        return dir;
}

const char *cert_path(const char *name)
{
        static char paths[16][256];
        static unsigned turn;
        char *path = paths[turn++ % 16];
        snprintf(path, sizeof paths[0], "%s/%s", cert_dir(), name);
        return path;
}

static BIO *create(const char *path)
{
        BIO *out = BIO_new_file(path, "w");
        assert_non_null(out);
        return out;
}

const char *cert_write(const char *name, const struct cert *const *certs, size_t n)
{
        const char *path = cert_path(name);
        BIO *out = create(path);
        for (size_t i = 0; i < n; i++)
                assert_int_equal(PEM_write_bio_X509(out, certs[i]->x509), 1);
        BIO_free(out);
        return path;
}

const char *cert_write_key(const char *name, const struct cert *c, const char *password)
{
        const char *path = cert_path(name);
        BIO *out = create(path);
        assert_int_equal(PEM_write_bio_PKCS8PrivateKey(
                                 out, c->key, password != NULL ? EVP_aes_128_cbc() : NULL, password,
                                 password != NULL ? (int)strlen(password) : 0, NULL, NULL),
                         1);
        BIO_free(out);
        return path;
}

const char *cert_write_both(const char *name, const struct cert *c)
{
        const char *path = cert_path(name);
        BIO *out = create(path);
        assert_int_equal(PEM_write_bio_X509(out, c->x509), 1);
        assert_int_equal(PEM_write_bio_PrivateKey(out, c->key, NULL, NULL, 0, NULL, NULL), 1);
        BIO_free(out);
        return path;
}

const char *cert_write_text(const char *name, const char *text)
{
        const char *path = cert_path(name);
        BIO *out = create(path);
        BIO_puts(out, text);
        BIO_free(out);
        return path;
}
