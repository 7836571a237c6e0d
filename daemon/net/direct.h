/* SPDX-License-Identifier: ISC */
/* What direct streams on a socket have in common, whatever the octets on it mean: a watch, a
 * queue for what the socket does not take, resets that are noticed, a share
 * of the loop's turn. For implementations of streams. */
#ifndef NET_DIRECT_H
#define NET_DIRECT_H

#include <stdint.h>

#include "base/own.h"
#include "net/queue.h"
#include "net/stream.h"
#include "net/watch.h"

struct io_pipe;

/* Embedded, first, in a stream that was allocated. */
struct direct {
        struct stream s;
        struct watch watch;
        int fd;
        bool watched, writable;
        bool connecting;
        bool no_splice; /* from this socket: it cannot */
        uint32_t taken; /* octets received in this turn of the loop */
        uint32_t given; /* octets given to the kernel in all, as far as matters */
        struct queue queue;
};

/* s->ops points at `stream` in here. */
struct direct_ops {
        struct stream_ops stream;
        /* Pass our end on; nothing is queued before it. Returns 0, EAGAIN (to be called again once
         * the socket can be written), or what went wrong. */
        int (*pass_end_on)(struct direct *d);
        /* What the socket said, or a call on it that failed: calls direct_lost(), or passes over
         * it. */
        void (*failed)(struct direct *d, int error);
};

static inline struct direct *direct_of(struct stream *s)
{
        return CONTAINER(s, struct direct, s);
}

/* Takes fd (non-blocking). io is borrowed. Nothing is watched yet; direct_free() undoes it. */
void direct_init(struct direct *d, const struct direct_ops *ops, struct io *io, int fd);

/* Returns false when memory is short. */
bool direct_watch(struct direct *d);
void direct_unwatch(struct direct *d); /* and forget what is queued */

/* Nothing written will arrive any more: the queue is forgotten. What came before is still to be
 * read, and behind it an end. */
void direct_lost(struct direct *d, enum stream_end how, const char *why);
/* The same for an error of the socket's, which is a reset. */
void direct_reset(struct direct *d, int error);

/* n octets were received: the share of this turn may be used up with them. */
void direct_took(struct direct *d, size_t n);

/* Gives octets to the socket, and to the queue what it does not take. flags are send(2)'s. */
void direct_give(struct direct *d, const void *octets, size_t n, int flags);

/* It has been given octets before it was this one's: how many nobody knows any more. */
void direct_was_given(struct direct *d);

/* SO_ERROR, which is taken by this. */
int direct_socket_error(const struct direct *d);

/* Operations of the stream that can be used as they are. */
void direct_want_read(struct stream *s, bool want);
int direct_fd(struct stream *s);
void direct_push(struct stream *s);
void direct_take_pipe(struct stream *s, struct io_pipe *pipe, size_t n);
void direct_finish(struct stream *s);
size_t direct_unread(struct stream *s);
size_t direct_unsent(struct stream *s);
size_t direct_unacked(struct stream *s);
void direct_free(struct stream *s, enum stream_close_how how);

#endif
