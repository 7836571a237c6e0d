/* SPDX-License-Identifier: ISC */
/* A certificate, the chain above it and its private key, from PEM files. */
#ifndef TLS_KEYPAIR_H
#define TLS_KEYPAIR_H

#include <stdbool.h>

#include <openssl/ssl.h>

#include "base/diag.h"

struct keypair {
        X509 *cert;
        STACK_OF(X509) * chain; /* what follows it in its file */
        EVP_PKEY *key;
};

/* A path and the directive that says so. */
struct keypair_file {
        const char *path;
        const struct origin *at;
};

/* key.path NULL: the key is in the certificate's file. Whatever is wrong goes to diag, naming the
 * files; returns false then, with *out empty. No password is ever asked for: an encrypted key is a
 * mistake. A certificate that has expired, or is not valid yet, is a warning. */
bool keypair_load(struct keypair *out, struct keypair_file cert, struct keypair_file key,
                  struct diag *diag);
void keypair_fini(struct keypair *k);

/* Whether OpenSSL takes it (it refuses keys that are too weak for its security level, for example);
 * if not, its error queue says why. */
bool keypair_use(SSL_CTX *ctx, const struct keypair *k);

#endif
