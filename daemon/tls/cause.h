/* SPDX-License-Identifier: ISC */
/* Why a TLS connection ended, told from what libevent's bufferevent and OpenSSL leave behind. */
#ifndef TLS_CAUSE_H
#define TLS_CAUSE_H

#include <openssl/ssl.h>

#include "net/stream.h"
#include "tls/error.h"

struct bufferevent;

/* In an error event (BEV_EVENT_ERROR) of an established connection; error is errno as it was when
 * the event came. Returns RESET (the socket failed) or BROKEN (TLS did); text says why. */
enum stream_end tls_cause_of_error(struct bufferevent *bev, int error,
                                   char text[static TLS_ERROR_MAX]);

/* The same after a failed call of our own: verdict is SSL_get_error()'s, error is errno. Empties
 * the error queue. */
enum stream_end tls_cause_of_call(int verdict, int error, char text[static TLS_ERROR_MAX]);

/* Why a handshake failed; what is the event's (EOF or ERROR). */
const char *tls_cause_of_handshake(struct bufferevent *bev, SSL *ssl, short what, int error,
                                   char text[static TLS_ERROR_MAX]);

#endif
