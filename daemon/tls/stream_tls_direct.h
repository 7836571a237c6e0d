/* SPDX-License-Identifier: ISC */
/* A direct stream through TLS, from the end of the handshake on: reads ahead, writes many full
 * records at once, keeps only what the socket does not take. One edge-triggered event. */
#ifndef TLS_STREAM_TLS_DIRECT_H
#define TLS_STREAM_TLS_DIRECT_H

#include <openssl/ssl.h>

#include "net/stream.h"
#include "tls/record_bio.h"

struct io;

/* Before the handshake of a session that is to become a direct stream: how it reads and writes. */
void stream_tls_direct_prepare(SSL *ssl);

/* Takes *ssl, whose handshake is done over *bio, and *fd, which nobody watches any more; on NULL
 * (memory) the caller still owns both. io is borrowed and outlives the stream. Watched from the
 * beginning: a reset is noticed whether or not anybody reads. */
struct stream *stream_tls_direct_new(struct io *io, SSL **ssl, int *fd,
                                     const struct record_bio *bio);

bool stream_is_tls_direct(const struct stream *s);

/* See stream_tls.h. */
SSL *stream_tls_direct_ssl(struct stream *s);
void stream_tls_direct_alert(struct stream *s);

#endif
