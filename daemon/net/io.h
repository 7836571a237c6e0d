/* SPDX-License-Identifier: ISC */
/* What the direct streams of one event loop share: a buffer to pass octets through, pipes for
 * splice(2), the queue of those that go on in the next turn of the loop, and the account of the
 * memory that octets wait in.
 *
 * Not thread-safe: one a worker. Only the ceiling is shared. */
#ifndef NET_IO_H
#define NET_IO_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/queue.h>

#include <event2/event_struct.h>

struct stream;
struct watcher;

/* One read(2) takes this much at most; also what a connection may hold back in one direction. */
#define IO_SCRATCH_SIZE (256 * 1024)

/* Octets that wait for slow receivers, in all workers together. Above the ceiling nothing stops,
 * but everybody gets less: io_room(). */
struct io_ceiling {
        atomic_size_t held;
        atomic_size_t most; /* octets; may be changed at any time */
};

static inline void io_ceiling_init(struct io_ceiling *c, size_t most)
{
        atomic_init(&c->held, 0);
        atomic_init(&c->most, most);
}

static inline void io_ceiling_set(struct io_ceiling *c, size_t most)
{
        atomic_store_explicit(&c->most, most, memory_order_relaxed);
}

/* A pipe, borrowed while octets are in flight. */
struct io_pipe {
        SLIST_ENTRY(io_pipe) entry;
        int read_end, write_end;
        size_t size; /* octets */
        size_t held; /* in flight, by whoever has borrowed it */
};
SLIST_HEAD(io_pipe_list, io_pipe);

TAILQ_HEAD(io_stream_list, stream);

struct io {
        struct event_base *base;
        size_t worker;           /* whose it is, for who counts: see stats_of() */
        struct watcher *watcher; /* of the streams' sockets */
        unsigned char *scratch;  /* IO_SCRATCH_SIZE octets, whose contents nobody relies on */
        struct io_ceiling *ceiling;
        void *tls; /* what TLS streams share, made by the first of them; free(3)d with the rest */
        struct io_pipe_list pipes; /* empty ones */
        bool pipes_used;           /* one was borrowed since the pool was last looked after */
        struct event pipes_event;  /* the pool is closed when nobody has used it for a while */
        unsigned n_pipes;          /* in the list */
        bool no_pipes;             /* never splice: for tests, and where there are none */
        /* How many descriptors may still be opened, shared with whoever else opens some; NULL: as
         * many as the system lets us. Pipes never take the last ones. */
        atomic_int *descriptors;
        struct io_stream_list again; /* to be told in the next turn of the loop */
        bool turn, doubt_turn;       /* odd or even: who came since waits for the next */
        struct event again_event;
        struct io_stream_list doubtful;
        struct event doubt_event;
};

/* ceiling is borrowed, may be NULL (none). NULL: memory is short. Outlives its streams. */
struct io *io_new(struct event_base *base, struct io_ceiling *ceiling);
void io_free(struct io *io); /* NULL is fine */

/* How much one read may take: IO_SCRATCH_SIZE, less while memory is short. */
size_t io_room(const struct io *io);

/* How much may be moved into a pipe at once: all of it while little is held, as much as a read may
 * take later on. */
size_t io_pipe_room(const struct io *io, const struct io_pipe *pipe);

/* Keep account of octets held in memory, or no longer. */
void io_hold(struct io *io, size_t octets);
void io_release(struct io *io, size_t octets);

/* An empty pipe, or NULL where none that is worth it can be had (descriptors, limits). */
struct io_pipe *io_pipe_borrow(struct io *io);
/* Empty pipes (held is 0) go back into the pool, others are closed. */
void io_pipe_return(struct io *io, struct io_pipe *pipe);

/* Fairness: a direct stream's share of one turn of the loop is used up, it goes on in the next:
 * readable is set then and its listeners are told. Both are idempotent. */
void io_again(struct io *io, struct stream *s);
void io_forget(struct io *io, struct stream *s);

/* What happened to s may have been a reset, hidden behind octets: libevent says of EPOLLERR only
 * that one can read and write, and leaves EV_CLOSED out. To ask the socket each time would cost as
 * much as a small message; so s->ops->check is called a moment later, once for all that happened
 * meanwhile. Idempotent; io_forget() ends it too. */
void io_doubt(struct io *io, struct stream *s);

#endif
