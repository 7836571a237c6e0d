/* SPDX-License-Identifier: ISC */
/* The parts of a context, for its own files. */
#ifndef TLS_CONTEXT_INTERNAL_H
#define TLS_CONTEXT_INTERNAL_H

#include "base/ref.h"
#include "tls/alpn.h"
#include "tls/context.h"
#include "tls/names.h"

struct tls_context {
        struct ref ref;
        SSL_CTX *ctx; /* every session begins with it */
        struct alpn alpn;
        /* listen: one SSL_CTX for each set of certificates, and which one a name gets. */
        SSL_CTX **sets;
        size_t n_sets;
        struct names names;
        /* connect */
        bool connects, verify;
        char *server_name; /* NULL: the host's */
};

#endif
