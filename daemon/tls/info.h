/* SPDX-License-Identifier: ISC */
/* What a handshake agreed on, for the record of a connection. */
#ifndef TLS_INFO_H
#define TLS_INFO_H

#include <stdbool.h>

#include <openssl/ssl.h>

/* Strings are owned by the info; NULL where there is nothing to say. sni, alpn and peer are as the
 * peer wrote them: any octets but NUL. */
struct tls_info {
        char *version; /* "TLSv1.3" */
        char *cipher;  /* OpenSSL's name: "TLS_AES_128_GCM_SHA256" */
        char *group;   /* "x25519", "secp256r1"; NULL where no key was exchanged (RSA key
                          transport, PSK alone) */
        char *sni;     /* the server name asked for */
        char *alpn;    /* the application protocol both agreed on */
        char *peer;    /* subject of the peer's certificate (RFC 2253) */
        bool resumed;
};

/* Its key exchange, as below; static. */
const char *tls_info_group(SSL *ssl);

/* Fill *out from a session, whatever became of its handshake: one that failed has only the name it
 * asked for. Memory that runs short leaves fields NULL. tls_info_fini() frees what is inside. */
void tls_info_fill(struct tls_info *out, SSL *ssl);
void tls_info_fini(struct tls_info *info);

#endif
