/* SPDX-License-Identifier: ISC */
/* Octets that a socket has not taken yet: in memory, or in a pipe. Exists only while there are
 * some. */
#ifndef NET_QUEUE_H
#define NET_QUEUE_H

#include <stdbool.h>
#include <stddef.h>

struct io;
struct io_pipe;
struct text;

/* Embedded; zero-initialised it is empty. Octets in the pipe come before those in memory. */
struct queue {
        struct io_pipe *pipe;
        struct queue_block *block;
};

size_t queue_length(const struct queue *q);

/* A copy of the octets, behind what is there. Returns false when memory is short. */
bool queue_add(struct queue *q, struct io *io, const void *octets, size_t n);

/* Takes a pipe with n octets in it. Only while the queue is empty. */
void queue_add_pipe(struct queue *q, struct io *io, struct io_pipe *pipe, size_t n);

/* Write what fd takes. Returns 0, also when some is left, or errno. */
int queue_flush(struct queue *q, struct io *io, int fd);

/* All octets, in their order, go behind those in `to`. What memory is short for is lost, which
 * to->failed says. */
void queue_move(struct queue *q, struct io *io, struct text *to);

/* Forget everything. */
void queue_drop(struct queue *q, struct io *io);

#endif
