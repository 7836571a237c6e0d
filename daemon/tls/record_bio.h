/* SPDX-License-Identifier: ISC */
/* The socket under a TLS connection as OpenSSL sees it: as few system calls as can be. Reading
 * knows when there is nothing left without asking; writing can be put together for one write(2). */
#ifndef TLS_RECORD_BIO_H
#define TLS_RECORD_BIO_H

#include <stdbool.h>

#include <openssl/ssl.h>

struct batch;

/* Embedded in the owner of the connection. */
struct record_bio {
        int fd;         /* borrowed, non-blocking */
        bool empty;     /* the last read found less than it had room for: the next need not try */
        bool ending;    /* … unless an end is there, which comes without further notice */
        bool eof;       /* and was read */
        bool yielded;   /* a read was not tried because `reads` were used up */
        unsigned reads; /* how many more recv(2) there may be */
        int error;      /* errno of a read or write that failed for good */
        struct batch *batch; /* takes what is written; NULL: straight into the socket */
};

#define RECORD_BIO_NO_LIMIT UINT_MAX

/* Puts *b under ssl, for as long as ssl lives or until it is moved. Returns false when memory is
 * short. */
bool record_bio_attach(struct record_bio *b, SSL *ssl, int fd);

/* ssl has a new owner. */
void record_bio_move(struct record_bio *to, const struct record_bio *from, SSL *ssl);

#endif
