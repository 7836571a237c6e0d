/* SPDX-License-Identifier: ISC */
/* A direct stream on a TCP or Unix socket: read, write and splice, no evbuffers. Watched
 * once and for all. */
#ifndef NET_STREAM_DIRECT_H
#define NET_STREAM_DIRECT_H

#include "net/stream.h"

struct io;
struct sockopts;

enum stream_direct_state {
        STREAM_DIRECT_CONNECTED,
        STREAM_DIRECT_UNDER_WAY,  /* connected, and octets were sent before: see stream_resume() */
        STREAM_DIRECT_CONNECTING, /* connect(2) said EINPROGRESS: see stream_direct_connected() */
};

/* Takes *fd (non-blocking), which is -1 after success; on NULL the
 * caller still owns it. io is borrowed and outlives the stream. Nothing is watched before
 * stream_want_read() or stream_direct_watch(). */
struct stream *stream_direct_new(struct io *io, int *fd, enum stream_direct_state state);

/* Be told (both listeners) when something becomes possible. Returns false when memory is short. */
bool stream_direct_watch(struct stream *s);

/* Whether a connection under way has come to something: 0 connected, EINPROGRESS not yet, or the
 * error of connect(2). */
int stream_direct_connected(struct stream *s);

/* Options to set once the leg turns out to be busy, or when the socket is given back. Borrowed,
 * outlives the stream; NULL: none. */
void stream_direct_tune_later(struct stream *s, const struct sockopts *options);

/* Borrowed. */
int stream_direct_fd(struct stream *s);

/* Give the socket back, tuned and unwatched, and free the stream. Only while nothing was received
 * or sent. */
int stream_direct_release(struct stream *s);

#endif
