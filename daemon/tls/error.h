/* SPDX-License-Identifier: ISC */
/* OpenSSL's error queue as one line for people. */
#ifndef TLS_ERROR_H
#define TLS_ERROR_H

#define TLS_ERROR_MAX 256

/* Empty this thread's error queue into one line: the most telling entry first, without file names
 * and library codes. "unknown error" when the queue is empty. Returns buf. */
const char *tls_error_text(char buf[static TLS_ERROR_MAX]);

/* The same for one error code taken from the queue earlier (ERR_get_error, or
 * bufferevent_get_openssl_error). */
const char *tls_error_code_text(unsigned long code, char buf[static TLS_ERROR_MAX]);

#endif
