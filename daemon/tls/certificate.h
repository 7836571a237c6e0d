/* SPDX-License-Identifier: ISC */
/* What a certificate says, for people. */
#ifndef TLS_CERTIFICATE_H
#define TLS_CERTIFICATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <openssl/x509.h>

#include "base/text.h"

/* Owned, all of it; certificate_facts_fini() releases it. Who signed it chose the texts: what is
 * not printable is shown as text_add_printable() does. */
struct certificate_facts {
        struct text subject, issuer; /* distinguished names, as RFC 2253 writes them */
        struct text key;             /* "RSA 2048", "EC P-256", "ED25519" */
        struct text fingerprint;     /* SHA-256 in hexadecimal digits */
        struct text *names;          /* subjectAltName: host names, addresses */
        size_t n_names;
        int64_t not_before, not_after; /* seconds since 1970 */
};

/* Returns false when memory is short; *out is to be released then as well. */
bool certificate_facts(struct certificate_facts *out, X509 *cert);
void certificate_facts_fini(struct certificate_facts *f);

/* Seconds since 1970; INT64_MAX where OpenSSL cannot make sense of it. */
int64_t certificate_seconds(const ASN1_TIME *t);

#endif
