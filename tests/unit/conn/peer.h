/* SPDX-License-Identifier: ISC */
/* A client or an upstream, played from a script while the event loop runs in between. */
#ifndef TESTS_CONN_PEER_H
#define TESTS_CONN_PEER_H

#include <stdbool.h>
#include <stddef.h>

#include <openssl/ssl.h>

enum peer_end {
        PEER_OPEN,
        PEER_FIN,   /* FIN; on TLS close_notify */
        PEER_RESET, /* RST */
        PEER_ALERT, /* TLS: a fatal alert */
        PEER_CUT,   /* TLS: FIN without close_notify, or something else it cannot make sense of */
};

/* What it does, in steps with | between them: FIN (on TLS close_notify before it), RST, `?` (wait
 * until it has got all it is due), `STILL` (neither read nor say anything, for good), anything else
 * is said. */
struct peer {
        int fd;   /* non-blocking; -1: not there (yet), or closed */
        SSL *ssl; /* NULL: plain */
        const char *script, *due;
        char got[1024]; /* the beginning of what it got, n octets in all */
        size_t n;
        enum peer_end end;
};

/* Takes fd. */
void peer_begin(struct peer *p, int fd, const char *script, const char *due);
/* From now on it speaks TLS. The server's certificate is its own. */
void peer_use_tls(struct peer *p, bool server);

/* As much as can be done without waiting. Returns whether there was anything. */
bool peer_turn(struct peer *p);
void peer_close(struct peer *p);

#endif
