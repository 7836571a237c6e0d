/* SPDX-License-Identifier: ISC */
/* A direct stream through the kernel's TLS: read, write and splice as on a plain socket, and
 * records without data in between. */
#ifndef TLS_STREAM_KTLS_H
#define TLS_STREAM_KTLS_H

#include <openssl/ssl.h>

#include "net/stream.h"
#include "tls/info.h"
#include "tls/ktls.h"

struct io;

/* Takes *ssl, whose handshake is done and both of whose directions the kernel has (KTLS_BOTH), and
 * *fd, which nobody watches any more; on NULL (memory) the caller still owns both. io is borrowed
 * and outlives the stream. Watched from the beginning: a reset is noticed whether or not anybody
 * reads. */
struct stream *stream_ktls_new(struct io *io, SSL **ssl, int *fd);

bool stream_is_ktls(const struct stream *s);

/* What there is to know of one that goes on elsewhere, beside what all streams have (stream_state)
 * and what the kernel keeps with the socket. {0} but for what ktls_init() knows is the state after
 * a handshake. */
struct stream_ktls_state {
        struct tls_info info; /* owned */
        struct ktls ktls;
        bool said_end;     /* close_notify is in the kernel's hands */
        bool peer_through; /* it had ended, and had everything, when our own end was passed on */
};
void stream_ktls_state_fini(struct stream_ktls_state *state);

/* Before stream_release(), which is all that may be called after it. */
void stream_ktls_save(struct stream *s, struct stream_ktls_state *state);

/* Where stream_ktls_save() left off, for stream_resume(): takes *fd, on which the kernel does TLS,
 * and the info; on NULL (memory) the caller still owns both. */
struct stream *stream_ktls_new_as(struct io *io, int *fd, struct stream_ktls_state *state);

/* Borrowed. */
const struct tls_info *stream_ktls_info(struct stream *s);
/* See stream_tls.h. */
void stream_ktls_alert(struct stream *s);

#endif
