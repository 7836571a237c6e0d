/* SPDX-License-Identifier: ISC */
#include "net/stream.h"

#include <errno.h>
#include <linux/sockios.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/own.h"
#include "base/text.h"
#include "net/io.h"

static void keep_first_detail(struct stream *s, const char *detail)
{
        if (s->detail == NULL && detail != NULL)
                s->detail = strdup(detail); /* without memory the reason has no words, no more */
}

void stream_set_end(struct stream *s, enum stream_end end, const char *detail)
{
        if (s->end != STREAM_OPEN)
                return;
        /* Whoever reported the reset took it out of the socket: what is read then looks like a FIN.
         */
        if (s->lost != STREAM_OPEN)
                end = s->lost;
        if (stream_end_is_cut(end))
                keep_first_detail(s, detail);
        s->end = end;
        if ((end == STREAM_RESET || end == STREAM_BROKEN) && s->lost == STREAM_OPEN)
                s->lost = end;
}

void stream_set_lost(struct stream *s, enum stream_end lost, const char *detail)
{
        if (s->lost != STREAM_OPEN)
                return;
        keep_first_detail(s, detail);
        s->lost = lost;
}

void stream_notify_reader(struct stream *s)
{
        if (s->on_read != NULL)
                s->on_read(s->on_read_arg);
}

void stream_notify_writer(struct stream *s)
{
        if (s->on_write != NULL)
                s->on_write(s->on_write_arg);
}

void stream_notify(struct stream *s)
{
        bool same = s->on_read == s->on_write && s->on_read_arg == s->on_write_arg;
        stream_notify_reader(s);
        if (!same)
                stream_notify_writer(s);
}

static size_t least(size_t a, size_t b)
{
        return a < b ? a : b;
}

size_t stream_splice(struct stream *dst, struct stream *src, size_t most)
{
        struct io_pipe *pipe = io_pipe_borrow(dst->io);
        if (pipe == NULL)
                return 0;
        size_t room = least(most, io_pipe_room(dst->io, pipe));
        size_t n = src->ops->fill_pipe(src, pipe, room);
        if (n == 0)
                io_pipe_return(dst->io, pipe);
        else
                dst->ops->take_pipe(dst, pipe, n);
        return n;
}

void stream_state_fini(struct stream_state *state)
{
        free(TAKE(state->detail));
}

int stream_release(struct stream *s, struct stream_state *state, struct text *rest)
{
        *state = (struct stream_state){ .end = s->end,
                                        .lost = s->lost,
                                        .finished = s->finished == STREAM_FINISHED,
                                        .detail = TAKE(s->detail) };
        return s->ops->release(s, rest);
}

void stream_resume(struct stream *s, const struct stream_state *state, const struct text *octets)
{
        if (octets->len > 0 && stream_is_direct(s)) {
                stream_send(s, octets->s, octets->len, false);
        } else if (octets->len > 0) {
                if (evbuffer_add(s->out, octets->s, octets->len) < 0)
                        stream_set_lost(s, STREAM_RESET, strerror(ENOMEM));
                stream_wrote(s);
        }
        if (state->finished)
                s->finished = STREAM_FINISHED;
        if (state->lost != STREAM_OPEN)
                stream_set_lost(s, state->lost, state->detail);
        if (state->end != STREAM_OPEN) {
                stream_set_end(s, state->end, state->detail);
                s->readable = false;
        }
        stream_want_read(s, false);
}

void stream_close_fd(int *fd, enum stream_close_how how)
{
        if (*fd < 0)
                return;
        if (how == STREAM_CLOSE_RESET) {
                struct linger now = { .l_onoff = 1, .l_linger = 0 };
                setsockopt(*fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
        }
        close(*fd);
        *fd = -1;
}

static size_t ask(int fd, unsigned long request)
{
        int n = 0;
        return ioctl(fd, request, &n) == 0 && n > 0 ? (size_t)n : 0;
}

size_t stream_fd_unread(int fd)
{
        return ask(fd, FIONREAD);
}

size_t stream_fd_unsent(int fd)
{
        return ask(fd, SIOCOUTQNSD);
}

size_t stream_fd_unacked(int fd)
{
        return ask(fd, SIOCOUTQ);
}

bool stream_fd_is_closed(int fd)
{
        struct tcp_info info = { .tcpi_state = TCP_ESTABLISHED };
        socklen_t len = sizeof info;
        return getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len) == 0 &&
               info.tcpi_state == TCP_CLOSE;
}
