/* SPDX-License-Identifier: ISC */
#include "net/stream_direct.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/own.h"
#include "net/direct.h"
#include "net/io.h"
#include "net/sockopt.h"

struct plain {
        struct direct d;
        const struct sockopts *tune; /* still to be set; NULL: nothing is */
};

static struct plain *self(struct stream *s)
{
        return CONTAINER(s, struct plain, d.s);
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
                direct_took(d, (size_t)n);
                return (size_t)n;
        }
        if (n < 0 && errno == EINTR) /* still readable: no event would say so again */
                return 0;
        s->readable = false;
        if (n == 0)
                stream_set_end(s, STREAM_END, NULL);
        else if (errno != EAGAIN)
                stream_set_end(s, STREAM_RESET, strerror(errno));
        return 0;
}

static size_t plain_receive(struct stream *s, void *buf, size_t size)
{
        struct direct *d = direct_of(s);
        ssize_t n = recv(d->fd, buf, size, 0);
        return received(d, n, n >= 0 && (size_t)n < size);
}

static bool is_no_splice(int error)
{
        return error == EINVAL || error == ENOSYS || error == EOPNOTSUPP;
}

static size_t plain_fill_pipe(struct stream *s, const struct io_pipe *pipe, size_t most)
{
        struct direct *d = direct_of(s);
        if (d->no_splice)
                return 0;
        ssize_t n =
                splice(d->fd, NULL, pipe->write_end, NULL, most, SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
        if (n < 0 && is_no_splice(errno)) {
                d->no_splice = true;
                return 0;
        }
        /* A splice that gets no memory for what it found says 0 as well: recv() has the last word
         * about the end. */
        if (n == 0)
                return 0;
        /* Less than asked may also mean that the pipe's slots are full: an empty pipe finds out. */
        return received(d, n, false);
}

/* --- sending ---------------------------------------------------------------------------------- */

/* A leg that sends a second time is busy: it is worth its options. */
static void tune(struct plain *p)
{
        if (p->d.given == 0 || p->tune == NULL)
                return;
        sockopt_tune(p->d.fd, p->tune);
        p->tune = NULL;
}

static void plain_send(struct stream *s, const void *octets, size_t n, bool more)
{
        if (s->lost != STREAM_OPEN)
                return;
        tune(self(s));
        direct_give(direct_of(s), octets, n, more ? MSG_MORE : 0);
}

static void plain_take_pipe(struct stream *s, struct io_pipe *pipe, size_t n)
{
        tune(self(s));
        direct_take_pipe(s, pipe, n);
}

static int pass_end_on(struct direct *d)
{
        return shutdown(d->fd, SHUT_WR) == 0 ? 0 : errno;
}

static int plain_release(struct stream *s, struct text *rest)
{
        struct direct *d = direct_of(s);
        if (d->queue.pipe != NULL || d->queue.block != NULL)
                queue_move(&d->queue, s->io, rest);
        return stream_direct_release(s);
}

/* --- its life --------------------------------------------------------------------------------- */

static const struct direct_ops plain_ops = {
        .stream = {
                .path = "splice",
                .want_read = direct_want_read,
                .receive = plain_receive,
                .send = plain_send,
                .push = direct_push,
                .fill_pipe = plain_fill_pipe,
                .take_pipe = plain_take_pipe,
                .close_is_end = true,
                .finish = direct_finish,
                .unread = direct_unread,
                .unsent = direct_unsent,
                .unacked = direct_unacked,
                .fd = direct_fd,
                .release = plain_release,
                .free = direct_free,
        },
        .pass_end_on = pass_end_on,
        .failed = direct_reset,
};

struct stream *stream_direct_new(struct io *io, int *fd, enum stream_direct_state state)
{
        struct plain *p = calloc(1, sizeof *p);
        if (p == NULL)
                return NULL;
        direct_init(&p->d, &plain_ops, io, TAKE_FD(*fd));
        /* Until the kernel says otherwise it is worth a try. */
        p->d.connecting = state == STREAM_DIRECT_CONNECTING;
        p->d.s.readable = p->d.writable = !p->d.connecting;
        if (state == STREAM_DIRECT_UNDER_WAY)
                direct_was_given(&p->d);
        return &p->d.s;
}

bool stream_direct_watch(struct stream *s)
{
        return direct_watch(direct_of(s));
}

int stream_direct_connected(struct stream *s)
{
        struct direct *d = direct_of(s);
        if (!d->writable)
                return EINPROGRESS;
        /* A connection that failed can be read as well: the error is there. */
        int error = s->readable ? direct_socket_error(d) : 0;
        d->connecting = false;
        if (error == 0 || error != ECONNRESET || stream_fd_unread(d->fd) == 0)
                return error;
        /* It was connected, or there would be nothing to read: what came is still due. */
        direct_reset(d, error);
        return 0;
}

void stream_direct_tune_later(struct stream *s, const struct sockopts *options)
{
        self(s)->tune = options;
}

int stream_direct_fd(struct stream *s)
{
        return direct_of(s)->fd;
}

int stream_direct_release(struct stream *s)
{
        struct direct *d = direct_of(s);
        sockopt_tune(d->fd, self(s)->tune);
        direct_unwatch(d);
        int fd = TAKE_FD(d->fd);
        direct_free(s, STREAM_CLOSE);
        return fd;
}
