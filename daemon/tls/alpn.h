/* SPDX-License-Identifier: ISC */
/* Application protocols (RFC 7301): the list as it goes over the wire, and the choice from it. */
#ifndef TLS_ALPN_H
#define TLS_ALPN_H

#include <openssl/ssl.h>

#include "config/config.h"

struct alpn {
        unsigned char *wire; /* each name after its length; owned, NULL: none */
        unsigned len;
};

/* Names of 1 to 255 octets; others and lists longer than the wire can carry go to diag. Returns
 * false then, with *out empty. */
bool alpn_init(struct alpn *out, const struct string_list *names, struct diag *diag);
void alpn_fini(struct alpn *a);

/* Have a server choose: its own order counts. A client that asks for none of ours gets the fatal
 * alert no_application_protocol; one that does not ask goes on without. a is borrowed. */
void alpn_serve(SSL_CTX *ctx, struct alpn *a);
/* Have a client ask. Returns false when memory is short. */
bool alpn_ask(SSL_CTX *ctx, const struct alpn *a);

#endif
