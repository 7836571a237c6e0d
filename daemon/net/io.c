/* SPDX-License-Identifier: ISC */
#include "net/io.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include <event2/event.h>

#include "base/own.h"
#include "net/stream.h"
#include "net/watch.h"

enum {
        PIPE_MOST = 1024 * 1024, /* asked for; */
        PIPE_LESS = 256 * 1024,  /* … if that is too much; */
        PIPE_LEAST = 64 * 1024,  /* less than this is not worth a pipe */
        FEW_HELD = 4,            /* up to so small a part of the ceiling, one move fills a pipe */
        POOL_MAX = 32,           /* pipes kept; one more is made when needed */
        SHORT_ROOM = 4 * 1024,   /* octets a read while memory is short */
        PIPE_ENDS = 2,
        SPARE = 64, /* descriptors that are left to connections */
};

/* A timer, not an activation: sockets come first. */
static const struct timeval next_turn = { 0, 0 };

static const struct timeval a_while = { 1, 0 };
static const struct timeval a_moment = { 0, 100 * 1000 };

static void forget_doubt(struct io *io, struct stream *s)
{
        if (!s->doubtful)
                return;
        s->doubtful = false;
        TAILQ_REMOVE(&io->doubtful, s, next_doubt);
}

static void forget_turn(struct io *io, struct stream *s)
{
        if (!s->waits_for_turn)
                return;
        s->waits_for_turn = false;
        TAILQ_REMOVE(&io->again, s, next_turn);
}

/* Those who come back meanwhile wait for the turn after this one. */
static void on_again(evutil_socket_t fd, short what, void *arg)
{
        (void)fd;
        (void)what;
        struct io *io = arg;
        struct stream *s;
        io->turn = !io->turn;
        while ((s = TAILQ_FIRST(&io->again)) != NULL && s->since_turn != io->turn) {
                forget_turn(io, s);
                s->readable = true;
                stream_notify(s);
        }
        if (!TAILQ_EMPTY(&io->again))
                evtimer_add(&io->again_event, &next_turn);
}

static void on_doubt(evutil_socket_t fd, short what, void *arg)
{
        (void)fd;
        (void)what;
        struct io *io = arg;
        struct stream *s;
        io->doubt_turn = !io->doubt_turn;
        while ((s = TAILQ_FIRST(&io->doubtful)) != NULL && s->since_doubt != io->doubt_turn) {
                forget_doubt(io, s);
                s->ops->check(s);
        }
        if (!TAILQ_EMPTY(&io->doubtful))
                evtimer_add(&io->doubt_event, &a_moment);
}

static bool has_descriptors(const struct io *io)
{
        return io->descriptors == NULL ||
               atomic_load_explicit(io->descriptors, memory_order_relaxed) >= SPARE;
}

static void count_descriptors(struct io *io, int change)
{
        if (io->descriptors != NULL)
                atomic_fetch_sub_explicit(io->descriptors, change, memory_order_relaxed);
}

static void pipe_free(struct io *io, struct io_pipe *pipe)
{
        count_descriptors(io, -PIPE_ENDS);
        own_close(&pipe->read_end);
        own_close(&pipe->write_end);
        free(pipe);
}

static void close_pool(struct io *io)
{
        while (!SLIST_EMPTY(&io->pipes)) {
                struct io_pipe *pipe = SLIST_FIRST(&io->pipes);
                SLIST_REMOVE_HEAD(&io->pipes, entry);
                pipe_free(io, pipe);
        }
        io->n_pipes = 0;
}

static void on_pipes(evutil_socket_t fd, short what, void *arg)
{
        (void)fd;
        (void)what;
        struct io *io = arg;
        if (!io->pipes_used)
                close_pool(io);
        else
                evtimer_add(&io->pipes_event, &a_while);
        io->pipes_used = false;
}

struct io *io_new(struct event_base *base, struct io_ceiling *ceiling)
{
        struct io *io = calloc(1, sizeof *io);
        if (io == NULL)
                return NULL;
        *io = (struct io){ .base = base, .ceiling = ceiling };
        SLIST_INIT(&io->pipes);
        TAILQ_INIT(&io->again);
        TAILQ_INIT(&io->doubtful);
        evtimer_assign(&io->doubt_event, base, on_doubt, io);
        evtimer_assign(&io->pipes_event, base, on_pipes, io);
        evtimer_assign(&io->again_event, base, on_again, io);
        io->watcher = watcher_new(base);
        io->scratch = malloc(IO_SCRATCH_SIZE);
        if (io->watcher == NULL || io->scratch == NULL) {
                io_free(io);
                return NULL;
        }
        return io;
}

void io_free(struct io *io)
{
        if (io == NULL)
                return;
        event_del(&io->again_event);
        event_del(&io->doubt_event);
        event_del(&io->pipes_event);
        close_pool(io);
        watcher_free(io->watcher);
        free(io->tls);
        free(io->scratch);
        free(io);
}

static size_t most(const struct io_ceiling *c)
{
        return atomic_load_explicit(&c->most, memory_order_relaxed);
}

static bool holds_more(const struct io *io, size_t octets)
{
        return atomic_load_explicit(&io->ceiling->held, memory_order_relaxed) > octets;
}

size_t io_room(const struct io *io)
{
        bool short_of_memory = io->ceiling != NULL && holds_more(io, most(io->ceiling));
        return short_of_memory ? SHORT_ROOM : IO_SCRATCH_SIZE;
}

size_t io_pipe_room(const struct io *io, const struct io_pipe *pipe)
{
        size_t room = io_room(io);
        if (io->ceiling == NULL || !holds_more(io, most(io->ceiling) / FEW_HELD))
                room = pipe->size;
        return room < pipe->size ? room : pipe->size;
}

void io_hold(struct io *io, size_t octets)
{
        if (io->ceiling != NULL)
                atomic_fetch_add_explicit(&io->ceiling->held, octets, memory_order_relaxed);
}

void io_release(struct io *io, size_t octets)
{
        if (io->ceiling != NULL)
                atomic_fetch_sub_explicit(&io->ceiling->held, octets, memory_order_relaxed);
}

/* Without privileges there is a limit for all pipes together; beyond it they are small. */
static size_t enlarge(int pipe)
{
        int size = fcntl(pipe, F_SETPIPE_SZ, PIPE_MOST);
        if (size < 0)
                size = fcntl(pipe, F_SETPIPE_SZ, PIPE_LESS);
        if (size < 0)
                size = fcntl(pipe, F_GETPIPE_SZ);
        return size > 0 ? (size_t)size : 0;
}

static struct io_pipe *pipe_new(struct io *io)
{
        int ends[PIPE_ENDS];
        struct io_pipe *pipe = has_descriptors(io) ? malloc(sizeof *pipe) : NULL;
        if (pipe == NULL)
                return NULL;
        if (pipe2(ends, O_NONBLOCK | O_CLOEXEC) < 0) {
                free(pipe);
                return NULL;
        }
        count_descriptors(io, PIPE_ENDS);
        *pipe = (struct io_pipe){ .read_end = ends[0],
                                  .write_end = ends[1],
                                  .size = enlarge(ends[0]) };
        if (pipe->size >= PIPE_LEAST)
                return pipe;
        pipe_free(io, pipe);
        return NULL;
}

struct io_pipe *io_pipe_borrow(struct io *io)
{
        struct io_pipe *pipe = SLIST_FIRST(&io->pipes);
        if (io->no_pipes)
                return NULL;
        if (pipe == NULL)
                return pipe_new(io);
        SLIST_REMOVE_HEAD(&io->pipes, entry);
        io->n_pipes--;
        io->pipes_used = true;
        return pipe;
}

void io_pipe_return(struct io *io, struct io_pipe *pipe)
{
        if (pipe->held > 0 || io->n_pipes >= POOL_MAX || !has_descriptors(io)) {
                pipe_free(io, pipe);
                return;
        }
        if (SLIST_EMPTY(&io->pipes) && !evtimer_pending(&io->pipes_event, NULL))
                evtimer_add(&io->pipes_event, &a_while);
        SLIST_INSERT_HEAD(&io->pipes, pipe, entry);
        io->n_pipes++;
}

void io_again(struct io *io, struct stream *s)
{
        if (s->waits_for_turn)
                return;
        s->waits_for_turn = true;
        if (TAILQ_EMPTY(&io->again))
                evtimer_add(&io->again_event, &next_turn);
        TAILQ_INSERT_TAIL(&io->again, s, next_turn);
        s->since_turn = io->turn;
}

void io_doubt(struct io *io, struct stream *s)
{
        if (s->doubtful)
                return;
        s->doubtful = true;
        if (TAILQ_EMPTY(&io->doubtful))
                evtimer_add(&io->doubt_event, &a_moment);
        TAILQ_INSERT_TAIL(&io->doubtful, s, next_doubt);
        s->since_doubt = io->doubt_turn;
}

void io_forget(struct io *io, struct stream *s)
{
        forget_turn(io, s);
        forget_doubt(io, s);
}
