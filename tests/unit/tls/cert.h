/* SPDX-License-Identifier: ISC */
/* Certificates made for a test. */
#ifndef TESTS_TLS_CERT_H
#define TESTS_TLS_CERT_H

#include <stdbool.h>

#include <openssl/x509.h>

struct cert {
        X509 *x509;
        EVP_PKEY *key;
};

/* What is not said: a P-256 key, a subject "test", no names, valid from an hour ago until tomorrow,
 * signed by itself. */
struct cert_spec {
        const char *key;     /* "EC", "RSA", "RSA-1024", "ED25519" */
        const char *subject; /* common name */
        const char *names; /* subjectAltName as OpenSSL's configuration writes it: "DNS:a,IP:::1" */
        const struct cert *issuer;
        long valid_from, valid_to; /* seconds from now */
        bool ca;
};

struct cert cert_make(struct cert_spec spec);
void cert_free(struct cert *c);

/* PEM files in dir; the path is static until the next call but three. */
const char *cert_dir(void); /* a new temporary directory, removed when the program ends */
const char *cert_path(const char *name);
const char *cert_write(const char *name, const struct cert *const *certs, size_t n);
const char *cert_write_key(const char *name, const struct cert *c, const char *password);
/* Certificate and key in one file. */
const char *cert_write_both(const char *name, const struct cert *c);
const char *cert_write_text(const char *name, const char *text);

#endif
