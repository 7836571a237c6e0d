/* SPDX-License-Identifier: ISC */
/* A stream on a connected TCP or Unix socket, through a libevent bufferevent. */
#ifndef NET_STREAM_PLAIN_H
#define NET_STREAM_PLAIN_H

#include "net/stream.h"

struct event_base;
struct hangup;

/* Takes *fd (non-blocking, connected), which is -1 after success; on NULL the caller still owns it.
 * hangup is borrowed and outlives the stream. */
struct stream *stream_plain_new(struct event_base *base, struct hangup *hangup, int *fd);

#endif
