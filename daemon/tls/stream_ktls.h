/* SPDX-License-Identifier: ISC */
/* A direct stream through the kernel's TLS: read, write and splice as on a plain socket, and
 * records without data in between. */
#ifndef TLS_STREAM_KTLS_H
#define TLS_STREAM_KTLS_H

#include <openssl/ssl.h>

#include "net/stream.h"

struct io;

/* Takes *ssl, whose handshake is done and both of whose directions the kernel has (KTLS_BOTH), and
 * *fd, which nobody watches any more; on NULL (memory) the caller still owns both. io is borrowed
 * and outlives the stream. Watched from the beginning: a reset is noticed whether or not anybody
 * reads. */
struct stream *stream_ktls_new(struct io *io, SSL **ssl, int *fd);

bool stream_is_ktls(const struct stream *s);

/* See stream_tls.h. */
SSL *stream_ktls_ssl(struct stream *s);
void stream_ktls_alert(struct stream *s);

#endif
