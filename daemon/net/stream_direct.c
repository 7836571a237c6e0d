/* SPDX-License-Identifier: ISC */
#include "net/stream_direct.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "base/own.h"
#include "net/io.h"
#include "net/queue.h"
#include "net/sockopt.h"
#include "net/watch.h"

enum {
        TURN = 1024 * 1024, /* octets received in one turn of the loop; then it is others' */
        FEW = 512, /* so few octets are on the wire at once: the least segment and window there are
                    */
};

struct direct {
        struct stream s;
        struct watch watch;
        int fd;
        bool connecting, watched;
        bool writable;
        bool no_splice;              /* not with this socket */
        uint32_t taken;              /* octets received in this turn of the loop */
        uint32_t given;              /* octets given to the kernel in all, as far as FEW */
        const struct sockopts *tune; /* still to be set; NULL: nothing is */
        struct queue queue;
};

static struct direct *self(struct stream *s)
{
        return CONTAINER(s, struct direct, s);
}

/* --- what is noticed -------------------------------------------------------------------------- */

static void lost(struct direct *d, int error)
{
        queue_drop(&d->queue, d->s.io);
        d->s.queued = 0;
        /* What came before is still to be read, and behind it an end. */
        d->s.ending = true;
        d->s.readable = d->s.end == STREAM_OPEN;
        /* EPIPE: somebody took the error out of the socket before. */
        stream_set_lost(&d->s, STREAM_RESET, strerror(error == EPIPE ? ECONNRESET : error));
}

static int socket_error(int fd)
{
        int error = 0;
        socklen_t len = sizeof error;
        return getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) == 0 ? error : errno;
}

static void look_for_reset(struct direct *d)
{
        if (d->s.lost != STREAM_OPEN)
                return;
        int error = socket_error(d->fd);
        if (error != 0)
                lost(d, error);
}

static void pass_end_on(struct direct *d)
{
        if (shutdown(d->fd, SHUT_WR) < 0)
                lost(d, errno);
        else
                d->s.finished = STREAM_FINISHED;
}

static void flush(struct direct *d)
{
        int error = queue_flush(&d->queue, d->s.io, d->fd);
        d->s.queued = queue_length(&d->queue);
        d->writable = d->s.queued == 0;
        if (error != 0)
                lost(d, error);
        else if (d->writable && d->s.finished == STREAM_FINISHING)
                pass_end_on(d);
}

static void on_event(struct watch *w, uint32_t what)
{
        struct direct *d = CONTAINER(w, struct direct, watch);
        bool readable = (what & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0;
        if (what & EPOLLRDHUP)
                d->s.ending = true;
        if (d->connecting) {
                d->writable = true;
                d->s.readable = readable;
                stream_notify(&d->s);
                return;
        }
        if (readable && d->s.end == STREAM_OPEN)
                d->s.readable = true;
        d->taken = 0;
        if (what & EPOLLERR)
                look_for_reset(d);
        if (what & EPOLLOUT) {
                d->writable = true;
                if (d->s.queued > 0)
                        flush(d);
        }
        stream_notify(&d->s);
}

/* --- receiving -------------------------------------------------------------------------------- */

/* A read found n octets (0: the end; -1: errno) where `size` would have been welcome. After a short
 * one the socket is empty: more comes with an event of its own. An end that is known to be there
 * comes without one. */
static size_t received(struct direct *d, ssize_t n, bool is_short)
{
        struct stream *s = &d->s;
        if (n > 0) {
                if (is_short && !s->ending)
                        s->readable = false;
                d->taken += (uint32_t)n;
                if (d->taken >= TURN) {
                        d->taken = 0;
                        s->readable = false;
                        io_again(d->s.io, s);
                }
                return (size_t)n;
        }
        s->readable = false;
        if (n == 0)
                stream_set_end(s, STREAM_END, NULL);
        else if (errno != EAGAIN && errno != EINTR)
                stream_set_end(s, STREAM_RESET, strerror(errno));
        return 0;
}

static size_t direct_receive(struct stream *s, void *buf, size_t size)
{
        struct direct *d = self(s);
        ssize_t n = recv(d->fd, buf, size, 0);
        return received(d, n, n >= 0 && (size_t)n < size);
}

/* --- sending ---------------------------------------------------------------------------------- */

static void count_given(struct direct *d, size_t n)
{
        d->given = n > FEW || d->given + n > FEW ? FEW + 1 : d->given + (uint32_t)n;
}

/* A leg that sends a second time is busy: it is worth its options. */
static void tune(struct direct *d)
{
        if (d->given == 0 || d->tune == NULL)
                return;
        sockopt_tune(d->fd, d->tune);
        d->tune = NULL;
}

static void direct_send(struct stream *s, const void *octets, size_t n, bool more)
{
        struct direct *d = self(s);
        ssize_t k = 0;
        if (s->lost != STREAM_OPEN)
                return;
        tune(d);
        if (s->queued == 0 && d->writable) {
                k = send(d->fd, octets, n, MSG_NOSIGNAL | (more ? MSG_MORE : 0));
                if (k < 0 && errno != EAGAIN && errno != EINTR) {
                        lost(d, errno);
                        return;
                }
                if (k < 0)
                        k = 0;
        }
        count_given(d, n);
        if ((size_t)k == n)
                return;
        d->writable = false;
        if (!queue_add(&d->queue, d->s.io, (const unsigned char *)octets + k, n - (size_t)k))
                lost(d, ENOMEM);
        s->queued = queue_length(&d->queue);
}

/* --- both at once ----------------------------------------------------------------------------- */

static size_t least(size_t a, size_t b)
{
        return a < b ? a : b;
}

static bool is_no_splice(int error)
{
        return error == EINVAL || error == ENOSYS || error == EOPNOTSUPP;
}

static size_t direct_splice(struct stream *dst, struct stream *src, size_t most)
{
        struct direct *from = self(src), *to = self(dst);
        if (from->no_splice || to->no_splice)
                return 0;
        struct io_pipe *pipe = io_pipe_borrow(dst->io);
        if (pipe == NULL)
                return 0;
        size_t room = least(most, io_pipe_room(dst->io, pipe));
        ssize_t n = splice(from->fd, NULL, pipe->write_end, NULL, room,
                           SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
        if (n <= 0)
                io_pipe_return(dst->io, pipe);
        if (n < 0 && is_no_splice(errno))
                from->no_splice = true;
        if (from->no_splice)
                return 0;
        /* Less than asked may also mean that the pipe's slots are full: an empty pipe finds out. */
        size_t got = received(from, n, false);
        if (got == 0)
                return 0;
        tune(to);
        queue_add_pipe(&to->queue, dst->io, pipe, got);
        dst->queued = got;
        count_given(to, got);
        flush(to);
        return got;
}

/* --- the rest --------------------------------------------------------------------------------- */

bool stream_direct_watch(struct stream *s)
{
        struct direct *d = self(s);
        if (!d->watched)
                d->watched = watch_add(s->io->watcher, &d->watch, d->fd);
        return d->watched;
}

static void direct_want_read(struct stream *s, bool want)
{
        (void)want; /* resets are noticed either way */
        if (!stream_direct_watch(s))
                lost(self(s), ENOMEM);
}

static void direct_finish(struct stream *s)
{
        s->finished = STREAM_FINISHING;
        if (s->queued == 0)
                pass_end_on(self(s));
}

static size_t direct_unread(struct stream *s)
{
        return stream_fd_unread(self(s)->fd);
}

/* So little that it left at once need not be asked for. */
static size_t direct_unsent(struct stream *s)
{
        return self(s)->given <= FEW ? 0 : stream_fd_unsent(self(s)->fd);
}

static size_t direct_unacked(struct stream *s)
{
        return stream_fd_unacked(self(s)->fd);
}

static void forget(struct direct *d)
{
        io_forget(d->s.io, &d->s);
        queue_drop(&d->queue, d->s.io);
        if (d->watched)
                watch_remove(d->s.io->watcher, &d->watch, d->fd);
        d->watched = false;
}

/* The descriptor is closed first: taking it out of epoll is the kernel's then. */
static void direct_free(struct stream *s, enum stream_close_how how)
{
        struct direct *d = self(s);
        stream_close_fd(&d->fd, how);
        forget(d);
        free(s->detail);
        free(d);
}

/* Setting it, even again, sends what waits to be a full segment: tcp(7). */
static void direct_push(struct stream *s)
{
        const int on = 1;
        setsockopt(self(s)->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

static const struct stream_ops direct_ops = {
        .path = "splice",
        .want_read = direct_want_read,
        .receive = direct_receive,
        .send = direct_send,
        .push = direct_push,
        .splice = direct_splice,
        .close_is_end = true,
        .finish = direct_finish,
        .unread = direct_unread,
        .unsent = direct_unsent,
        .unacked = direct_unacked,
        .free = direct_free,
};

struct stream *stream_direct_new(struct io *io, int *fd, enum stream_direct_state state)
{
        struct direct *d = calloc(1, sizeof *d);
        if (d == NULL)
                return NULL;
        bool connected = state == STREAM_DIRECT_CONNECTED;
        /* Until the kernel says otherwise it is worth a try. */
        *d = (struct direct){ .s = { .ops = &direct_ops, .io = io, .readable = connected },
                              .watch.fn = on_event,
                              .fd = TAKE_FD(*fd),
                              .connecting = !connected,
                              .writable = connected };
        return &d->s;
}

int stream_direct_connected(struct stream *s)
{
        struct direct *d = self(s);
        if (!d->writable)
                return EINPROGRESS;
        /* A connection that failed can be read as well: the error is there. */
        int error = s->readable ? socket_error(d->fd) : 0;
        d->connecting = false;
        if (error == 0 || error != ECONNRESET || stream_fd_unread(d->fd) == 0)
                return error;
        /* It was connected, or there would be nothing to read: what came is still due. */
        lost(d, error);
        return 0;
}

void stream_direct_tune_later(struct stream *s, const struct sockopts *options)
{
        self(s)->tune = options;
}

int stream_direct_fd(struct stream *s)
{
        return self(s)->fd;
}

int stream_direct_release(struct stream *s)
{
        struct direct *d = self(s);
        sockopt_tune(d->fd, d->tune);
        forget(d);
        int fd = TAKE_FD(d->fd);
        free(s->detail);
        free(d);
        return fd;
}
