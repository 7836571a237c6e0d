/* SPDX-License-Identifier: ISC */
/* Records on their way to a socket: put together in a buffer that all connections of a worker
 * share, given to the kernel in one write, kept where it takes less. */
#ifndef TLS_RECORDS_H
#define TLS_RECORDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "net/io.h"
#include "net/queue.h"

enum {
        RECORDS_PLAIN = 16384, /* octets a record carries at most */
        /* So much is put into one batch; the rest of its room is for what TLS adds: to each record,
         * and of its own accord. */
        BATCH_RECORDS = IO_SCRATCH_SIZE / RECORDS_PLAIN,
        BATCH_ROOM = IO_SCRATCH_SIZE + BATCH_RECORDS * 512 + 32 * 1024,
};

/* How many octets of ciphertext carry how many of the user's. */
struct record_mark {
        uint32_t cipher, plain;
};

/* Empty between two calls into OpenSSL that may write, and what is done with what they wrote. */
struct batch {
        size_t n, marked;
        size_t n_marks;
        struct record_mark marks[BATCH_RECORDS + 1];
        unsigned char octets[BATCH_ROOM];
};

/* The batch of this loop. NULL: memory is short. */
struct batch *batch_of(struct io *io);

bool batch_add(struct batch *b, const void *octets, size_t n);

/* What was added since the last mark carries so many of the user's octets. At most BATCH_RECORDS
 * times, with plain > 0. */
void batch_mark(struct batch *b, size_t plain);

/* What the socket has not taken. Embedded; zero-initialised it is empty. */
struct records {
        struct queue cipher;
        struct record_mark *marks;
        uint32_t first, n_marks, room; /* of the marks: in use are [first, n_marks) */
        uint32_t plain;   /* the user's octets whose records have not wholly been given to fd */
        uint32_t control; /* octets of ciphertext that carry none */
};

static inline size_t records_length(const struct records *r)
{
        return queue_length(&r->cipher);
}

/* Behind what is kept; or to fd at once, if nothing is and `try` says that it may take some.
 * Empties the batch. more: see stream_send(). Returns 0, also when some is kept, or errno. */
int records_give(struct records *r, struct io *io, int fd, bool try, bool more);

/* Write what fd takes. Returns 0, also when some is left, or errno. */
int records_flush(struct records *r, struct io *io, int fd);

/* Forget everything. */
void records_drop(struct records *r, struct io *io);

#endif
