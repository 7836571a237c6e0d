/* SPDX-License-Identifier: ISC */
/* The last record of a TLS connection: a good end, or one that says that it is none. */
#ifndef TLS_SHUTDOWN_H
#define TLS_SHUTDOWN_H

#include <openssl/ssl.h>

/* Writes close_notify. Returns SSL_get_error()'s verdict: SSL_ERROR_NONE, and then it must not be
 * called again; WANT_READ, WANT_WRITE: call it again then; or a failure. */
int tls_put_close_notify(SSL *ssl);

/* Writes a fatal internal_error, if there is room for it. The connection is of no use afterwards.
 */
void tls_put_alert(SSL *ssl);

#endif
