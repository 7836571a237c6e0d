/* SPDX-License-Identifier: ISC */
/* A stream through TLS: handshake, records, close_notify, truncation. On libevent's OpenSSL
 * bufferevent, on the socket itself; after the handshake it can become a direct stream. */
#ifndef TLS_STREAM_TLS_H
#define TLS_STREAM_TLS_H

#include <openssl/ssl.h>

#include "net/stream.h"
#include "tls/info.h"
#include "tls/ktls.h"

struct event_base;
struct hangup;
struct io;

enum stream_tls_role { STREAM_TLS_ACCEPT, STREAM_TLS_CONNECT };

/* The handshake is over: error NULL, the stream can be used; or why it failed (borrowed text for
 * the record, for example "peer closed during the handshake", "certificate verify failed: …", "peer
 * sent alert: unknown ca"). Runs once, never from inside stream_tls_new; after a failure only
 * stream_free() may be called, and may be called from inside. */
typedef void stream_tls_done_fn(const char *error, void *arg);

/* Takes *ssl and *fd (non-blocking, connected) after success, NULL and -1 stay behind; on NULL the
 * caller still owns both. hangup is borrowed and outlives the stream. There is no timer: whoever
 * loses patience frees the stream. No octet of application data is read before stream_want_read().
 * OpenSSL writes with write(2): the process ignores SIGPIPE.
 *
 * Freed after a failed handshake, the stream closes in such a way that OpenSSL's alert reaches the
 * peer (FIN, even if a reset was asked for): after a fatal alert nobody takes that for an end.
 *
 * io (borrowed, outlives the stream): stream_tls_detach() follows the handshake, and before it the
 * stream can only be freed. NULL: it stays a buffered stream. */
struct stream *stream_tls_new(struct event_base *base, struct hangup *hangup, struct io *io,
                              SSL **ssl, int *fd, enum stream_tls_role role,
                              stream_tls_done_fn *done, void *arg);

/* Right behind stream_tls_new(), which was given an io: where the wish can be fulfilled
 * stream_tls_detach() makes a stream of which the kernel does the TLS, and elsewhere the other one.
 * Returns false when memory is short. */
bool stream_tls_leave_to_kernel(struct stream *s, enum ktls_wish wish);

/* The handshake is done, and nothing was listened to, read or written yet: *s becomes a direct
 * stream, the old one is gone. Returns NULL; or why not, and then it is still there and can only be
 * freed. May be called from done. */
const char *stream_tls_detach(struct stream **s);

/* Whether it is any of those that come from here. */
bool stream_is_tls(const struct stream *s);

/* What its handshake has agreed on so far, for the record; borrowed. *info may have been filled for
 * it: {0} before, tls_info_fini() after. */
const struct tls_info *stream_tls_info(struct stream *s, struct tls_info *info);

/* The TLS session, borrowed; there is none any more once the kernel does TLS. */
SSL *stream_tls_ssl(struct stream *s);

/* Before a reset that is our doing (no upstream could be reached): send a fatal alert
 * (internal_error), so that the peer can tell it from a network fault. Goes straight to the socket;
 * is not sent where the socket is full, our end has been passed on, or the stream is lost. Then
 * only stream_free(s, STREAM_CLOSE_RESET) may be called. */
void stream_tls_alert(struct stream *s);

#endif
