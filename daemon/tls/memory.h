/* SPDX-License-Identifier: ISC */
/* Where OpenSSL has its large buffers.
 *
 * A handshake needs some 20 KB for itself, beside the 13 KB that stay as long as the connection.
 * Where many shake hands at once, the ones lie between the others, and what is free afterwards lies
 * in thousands of pieces that neither malloc(3) nor the system can use. So they live apart, in
 * blocks that are taken from the lowest on and given back many at a time. */
#ifndef TLS_MEMORY_H
#define TLS_MEMORY_H

#include <stdbool.h>

#include <openssl/ssl.h>

/* Before OpenSSL allocates anything; from then on it does so through this. Where the address space
 * cannot be had, or OpenSSL was faster, everything is as if this had not been called. */
void tls_memory_init(void);

/* After the handshake: let go of what only that has needed. What info.h tells is still there. */
void tls_memory_trim(SSL *ssl);

/* Give what is free back to the system. From any thread. */
void tls_memory_give_back(void);

/* Whether what this thread frees is overwritten first, for as long as keys are read: OpenSSL leaves
 * copies behind. */
void tls_memory_wipe(bool on);

#endif
