/* SPDX-License-Identifier: ISC */
/* A stream without a socket whose peer follows a script: what it sends and how it ends, how many
 * octets it accepts and when it fails. */
#ifndef TESTS_UNIT_RELAY_SCRIPT_H
#define TESTS_UNIT_RELAY_SCRIPT_H

#include "net/io.h"
#include "net/stream.h"

struct script {
        struct stream s;
        struct evbuffer *to_send; /* the peer has sent it; it waits for us to read */
        enum stream_end then;     /* what follows the last of these octets */
        struct evbuffer *got;     /* what reached the peer */
        size_t accepts;           /* octets the peer still takes */
        size_t fails_at;          /* a write that brings it to this many octets finds it gone */
        size_t unacked, unsent, unread;
        bool reading, got_end;
        bool watched;  /* it was told whether to read: before that it notices nothing by itself */
        bool corked;   /* direct: the last octets were sent with `more` */
        struct io *io; /* NULL: a buffered stream */
        struct evbuffer *held; /* direct: accepted, not yet taken by the peer */
};

/* A direct stream with io, a buffered one without. */
void script_init(struct script *p, struct io *io);
void script_fini(struct script *p);

/* The peer sends octets; then its end. It arrives when the stream is being read. */
void script_send(struct script *p, const void *octets, size_t n);
void script_end(struct script *p, enum stream_end how);
/* Octets the peer has sent and nobody has taken yet. */
size_t script_waiting(const struct script *p);
/* The peer vanishes, and the kernel says so although nobody reads, if the stream is watched. */
void script_hang_up(struct script *p);
/* The peer takes n more octets (SIZE_MAX: all there will be). */
void script_accept(struct script *p, size_t n);

#endif
