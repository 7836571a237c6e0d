/* SPDX-License-Identifier: ISC */
#include "net/queue.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/text.h"
#include "net/io.h"

struct queue_block {
        size_t start, end, size; /* of the octets in use, and of all */
        unsigned char octets[];
};

static size_t in_pipe(const struct queue *q)
{
        return q->pipe != NULL ? q->pipe->held : 0;
}

static size_t in_block(const struct queue *q)
{
        return q->block != NULL ? q->block->end - q->block->start : 0;
}

size_t queue_length(const struct queue *q)
{
        return in_pipe(q) + in_block(q);
}

static void drop_block(struct queue *q, struct io *io)
{
        if (q->block == NULL)
                return;
        io_release(io, q->block->size);
        free(q->block);
        q->block = NULL;
}

static bool grow(struct queue *q, struct io *io, size_t n)
{
        size_t used = in_block(q), size = used + n;
        struct queue_block *block = malloc(sizeof *block + size);
        if (block == NULL)
                return false;
        *block = (struct queue_block){ .end = used, .size = size };
        if (used > 0)
                memcpy(block->octets, q->block->octets + q->block->start, used);
        drop_block(q, io);
        io_hold(io, size);
        q->block = block;
        return true;
}

bool queue_add(struct queue *q, struct io *io, const void *octets, size_t n)
{
        if ((q->block == NULL || q->block->size - q->block->end < n) && !grow(q, io, n))
                return false;
        memcpy(q->block->octets + q->block->end, octets, n);
        q->block->end += n;
        return true;
}

/* A pipe's octets are the kernel's memory, and count all the same. */
void queue_add_pipe(struct queue *q, struct io *io, struct io_pipe *pipe, size_t n)
{
        io_hold(io, n);
        q->pipe = pipe;
        pipe->held = n;
}

static void drop_pipe(struct queue *q, struct io *io)
{
        if (q->pipe == NULL)
                return;
        io_release(io, in_pipe(q));
        io_pipe_return(io, q->pipe);
        q->pipe = NULL;
}

/* What a call that moved *n octets, or failed, means: whether to go on; *error is set if it is
 * over. After an interruption no event would follow: it is tried again. */
static bool goes_on(ssize_t *n, int *error)
{
        if (*n < 0 && errno == EINTR) {
                *n = 0;
                return true;
        }
        if (*n < 0 && errno != EAGAIN)
                *error = errno;
        return *n > 0;
}

static int flush_pipe(struct queue *q, struct io *io, int fd)
{
        int error = 0;
        while (in_pipe(q) > 0) {
                ssize_t n = splice(q->pipe->read_end, NULL, fd, NULL, in_pipe(q),
                                   SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
                if (!goes_on(&n, &error))
                        return error;
                io_release(io, (size_t)n);
                q->pipe->held -= (size_t)n;
        }
        drop_pipe(q, io);
        return 0;
}

static int flush_block(struct queue *q, struct io *io, int fd)
{
        int error = 0;
        while (in_block(q) > 0) {
                ssize_t n = send(fd, q->block->octets + q->block->start, in_block(q), MSG_NOSIGNAL);
                if (!goes_on(&n, &error))
                        return error;
                q->block->start += (size_t)n;
        }
        drop_block(q, io);
        return 0;
}

int queue_flush(struct queue *q, struct io *io, int fd)
{
        int error = flush_pipe(q, io, fd);
        return error == 0 && in_pipe(q) == 0 ? flush_block(q, io, fd) : error;
}

static void read_pipe(struct queue *q, struct io *io, struct text *to)
{
        while (in_pipe(q) > 0) {
                ssize_t n = read(q->pipe->read_end, io->scratch, IO_SCRATCH_SIZE);
                if (n <= 0) {
                        to->failed = true;
                        return;
                }
                text_addn(to, (const char *)io->scratch, (size_t)n);
                io_release(io, (size_t)n);
                q->pipe->held -= (size_t)n;
        }
}

void queue_move(struct queue *q, struct io *io, struct text *to)
{
        read_pipe(q, io, to);
        if (in_block(q) > 0)
                text_addn(to, (const char *)q->block->octets + q->block->start, in_block(q));
        queue_drop(q, io);
}

void queue_drop(struct queue *q, struct io *io)
{
        drop_pipe(q, io);
        drop_block(q, io);
}
