/* SPDX-License-Identifier: ISC */
/* Who the upstream must be. */
#ifndef TLS_VERIFY_H
#define TLS_VERIFY_H

#include <stdbool.h>

#include <openssl/ssl.h>

#include "config/config.h"

/* Whom to trust: the authorities in ca (PEM files, or directories as openssl-rehash(1) makes them;
 * any certificate there is an anchor, roots and others), or those the system trusts. Mistakes go to
 * diag; returns false then. */
bool verify_trust(SSL_CTX *ctx, const struct string_list *ca, struct diag *diag);

/* Ask for name (SNI, unless it is a literal address) and, if verify, accept a certificate for it
 * only. Partial wildcards ("w*.example.com") do not count. Returns false when memory is short, or
 * there is no name to verify. */
bool verify_expect(SSL *ssl, const char *name, bool verify);

#endif
