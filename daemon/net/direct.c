/* SPDX-License-Identifier: ISC */
#include "net/direct.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "net/io.h"

enum {
        TURN = 1024 * 1024, /* octets received in one turn of the loop; then it is others' */
        FEW = 512, /* so few octets are on the wire at once: the least segment and window there are
                    */
};

static const struct direct_ops *ops_of(const struct direct *d)
{
        return CONTAINER((void *)(uintptr_t)d->s.ops, struct direct_ops, stream);
}

/* --- what is noticed -------------------------------------------------------------------------- */

void direct_lost(struct direct *d, enum stream_end how, const char *why)
{
        queue_drop(&d->queue, d->s.io);
        d->s.queued = 0;
        d->s.ending = true;
        d->s.readable = d->s.end == STREAM_OPEN;
        stream_set_lost(&d->s, how, why);
}

/* EPIPE: somebody took the error out of the socket before. */
void direct_reset(struct direct *d, int error)
{
        direct_lost(d, STREAM_RESET, strerror(error == EPIPE ? ECONNRESET : error));
}

static void failed(struct direct *d, int error)
{
        ops_of(d)->failed(d, error);
}

int direct_socket_error(const struct direct *d)
{
        int error = 0;
        socklen_t len = sizeof error;
        return getsockopt(d->fd, SOL_SOCKET, SO_ERROR, &error, &len) == 0 ? error : errno;
}

static void look_for_reset(struct direct *d)
{
        if (d->s.lost != STREAM_OPEN)
                return;
        int error = direct_socket_error(d);
        if (error != 0)
                failed(d, error);
}

static void pass_end_on(struct direct *d)
{
        int error = ops_of(d)->pass_end_on(d);
        d->writable = error != EAGAIN;
        if (error == 0)
                d->s.finished = STREAM_FINISHED;
        else if (error != EAGAIN)
                failed(d, error);
}

static void flush(struct direct *d)
{
        int error = queue_flush(&d->queue, d->s.io, d->fd);
        d->s.queued = queue_length(&d->queue);
        d->writable = d->s.queued == 0;
        if (error != 0)
                failed(d, error);
}

static void can_be_written(struct direct *d)
{
        d->writable = true;
        if (d->s.queued > 0)
                flush(d);
        if (d->writable && d->s.finished == STREAM_FINISHING && d->s.lost == STREAM_OPEN)
                pass_end_on(d);
}

static void on_event(struct watch *w, uint32_t what)
{
        struct direct *d = CONTAINER(w, struct direct, watch);
        bool readable = (what & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0;
        if (d->s.stopped)
                return;
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
        if (what & EPOLLOUT)
                can_be_written(d);
        stream_notify(&d->s);
}

bool direct_watch(struct direct *d)
{
        if (!d->watched)
                d->watched = watch_add(d->s.io->watcher, &d->watch, d->fd);
        return d->watched;
}

/* Resets are noticed either way. */
void direct_want_read(struct stream *s, bool want)
{
        (void)want;
        if (!direct_watch(direct_of(s)))
                direct_reset(direct_of(s), ENOMEM);
}

/* --- octets ----------------------------------------------------------------------------------- */

void direct_took(struct direct *d, size_t n)
{
        d->taken += (uint32_t)n;
        if (d->taken < TURN)
                return;
        d->taken = 0;
        d->s.readable = false;
        io_again(d->s.io, &d->s);
}

static void count_given(struct direct *d, size_t n)
{
        d->given = n > FEW || d->given + n > FEW ? FEW + 1 : d->given + (uint32_t)n;
}

void direct_was_given(struct direct *d)
{
        count_given(d, FEW + 1);
}

void direct_give(struct direct *d, const void *octets, size_t n, int flags)
{
        ssize_t k = 0;
        if (d->s.queued == 0 && d->writable) {
                k = send(d->fd, octets, n, MSG_NOSIGNAL | flags);
                if (k < 0 && errno != EAGAIN && errno != EINTR) {
                        failed(d, errno);
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
                direct_reset(d, ENOMEM);
        d->s.queued = queue_length(&d->queue);
}

void direct_take_pipe(struct stream *s, struct io_pipe *pipe, size_t n)
{
        struct direct *d = direct_of(s);
        queue_add_pipe(&d->queue, s->io, pipe, n);
        count_given(d, n);
        flush(d);
}

/* Setting it, even again, sends what waits to be a full segment: tcp(7). */
void direct_push(struct stream *s)
{
        const int on = 1;
        setsockopt(direct_of(s)->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

void direct_finish(struct stream *s)
{
        s->finished = STREAM_FINISHING;
        if (s->queued == 0)
                pass_end_on(direct_of(s));
}

/* --- what is where ---------------------------------------------------------------------------- */

size_t direct_unread(struct stream *s)
{
        return stream_fd_unread(direct_of(s)->fd);
}

/* So little that it left at once need not be asked for. */
size_t direct_unsent(struct stream *s)
{
        return direct_of(s)->given <= FEW ? 0 : stream_fd_unsent(direct_of(s)->fd);
}

int direct_fd(struct stream *s)
{
        return direct_of(s)->fd;
}

size_t direct_unacked(struct stream *s)
{
        return stream_fd_unacked(direct_of(s)->fd);
}

/* --- its life --------------------------------------------------------------------------------- */

void direct_init(struct direct *d, const struct direct_ops *ops, struct io *io, int fd)
{
        *d = (struct direct){ .s = { .ops = &ops->stream, .io = io },
                              .watch.fn = on_event,
                              .fd = fd };
}

void direct_unwatch(struct direct *d)
{
        io_forget(d->s.io, &d->s);
        queue_drop(&d->queue, d->s.io);
        if (d->watched)
                watch_remove(d->s.io->watcher, &d->watch, d->fd);
        d->watched = false;
}

/* The descriptor is closed first: taking it out of epoll is the kernel's then. */
void direct_free(struct stream *s, enum stream_close_how how)
{
        struct direct *d = direct_of(s);
        stream_close_fd(&d->fd, how);
        direct_unwatch(d);
        free(s->detail);
        free(d);
}
