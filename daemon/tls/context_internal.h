/* SPDX-License-Identifier: ISC */
/* The parts of a context, for its own files. */
#ifndef TLS_CONTEXT_INTERNAL_H
#define TLS_CONTEXT_INTERNAL_H

#include "base/ref.h"
#include "tls/alpn.h"
#include "tls/context.h"
#include "tls/names.h"

/* A certificate it presents, and where that came from. */
struct tls_presented {
        X509 *cert; /* held */
        char *file;
};

struct tls_context {
        struct ref ref;
        SSL_CTX *ctx; /* every session begins with it */
        struct alpn alpn;
        enum ktls_wish ktls;
        struct tls_presented *presented;
        size_t n_presented;
        /* listen: one SSL_CTX for each set of certificates, and which one a name gets. */
        SSL_CTX **sets;
        size_t n_sets;
        struct names names;
        /* connect */
        bool connects, verify;
        char *server_name; /* NULL: the host's */
};

/* It presents that one, which is held from now on. Returns false when memory is short. */
bool tls_context_presents(struct tls_context *c, X509 *cert, const char *file);

/* What the directive wishes for (CONFIG_KTLS_…). Where there is none to be had KTLS_NEVER, with a
 * warning if it was more than a suggestion. */
enum ktls_wish tls_context_wish(int directive, const struct origin *at, struct diag *diag);

#endif
