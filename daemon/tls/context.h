/* SPDX-License-Identifier: ISC */
/* What a service's TLS directives mean to OpenSSL: keys loaded, checked and ready. Immutable,
 * shared by all threads. */
#ifndef TLS_CONTEXT_H
#define TLS_CONTEXT_H

#include <openssl/ssl.h>

#include "base/diag.h"
#include "config/config.h"
#include "tls/ktls.h"

struct tls_context;

/* Every mistake goes to diag at the directive that made it (a file that cannot be read, a key that
 * belongs to another certificate, an unknown cipher); NULL when there was one, or memory ran short.
 * A certificate that is out of date is a warning. conf is not needed afterwards. */
struct tls_context *tls_context_new_listen(const struct config_listen_tls *conf, struct diag *diag);
struct tls_context *tls_context_new_connect(const struct config_connect_tls *conf,
                                            struct diag *diag);
/* Clients that hold a ticket of another context may resume under this one, if the certificates are
 * the same. Listening contexts, before the first session. Returns false with OpenSSL's error queue
 * filled. */
bool tls_context_keep_tickets(struct tls_context *c, struct tls_context *before);

/* Each certificate that it presents, as it was read from file; both are borrowed for as long as the
 * context lives. */
typedef void tls_certificate_fn(X509 *cert, const char *file, void *arg);
void tls_context_each_certificate(const struct tls_context *c, tls_certificate_fn *fn, void *arg);

struct tls_context *tls_context_ref(struct tls_context *c);
/* Gives up a reference; NULL is fine. Outlives every session made from it. */
void tls_context_unref(struct tls_context *c);

/* A new session, for stream_tls_new(); owned by the caller. NULL with OpenSSL's error queue filled.
 * host is the one about to be connected to (a name, a literal address, or a socket's path): asked
 * for and verified unless server-name says otherwise. Listening contexts ignore it. */
SSL *tls_context_ssl(struct tls_context *c, const char *host);

/* For stream_tls_leave_to_kernel(). */
enum ktls_wish tls_context_ktls(const struct tls_context *c);

#endif
