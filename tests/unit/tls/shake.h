/* SPDX-License-Identifier: ISC */
/* Contexts from configuration text, and handshakes in memory: no sockets, no event loop. */
#ifndef TESTS_TLS_SHAKE_H
#define TESTS_TLS_SHAKE_H

#include <stdbool.h>

#include "tls/context.h"

/* A configuration around one TLS block: what stands between its braces. */
struct block {
        struct config *conf;
        struct diag *diag;
        struct tls_context *tls; /* NULL: refused */
        char *said;              /* all messages */
};
void block_listen(struct block *b, const char *format, ...) __attribute__((format(printf, 2, 3)));
void block_connect(struct block *b, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* The same, and there was nothing to complain about. */
void block_fini(struct block *b);
void block_is_fine(const struct block *b);

/* Connects the two through memory and shakes hands. Returns whether both agreed; octets then flow
 * in both directions once, so that tickets arrive. */
bool shake(SSL *server, SSL *client);

/* A client that verifies nothing. */
SSL *shake_client(int version, const char *sni);

#endif
