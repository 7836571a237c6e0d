/* SPDX-License-Identifier: ISC */
#include "net/stream_plain.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <event2/bufferevent.h>
#include <event2/event.h>

#include "base/own.h"
#include "base/text.h"
#include "net/hangup.h"

enum { WRITE_AT_ONCE = 256 * 1024 }; /* octets for one write; libevent's own bound is 16 KiB */

struct stream_plain {
        struct stream s;
        int fd;
        struct bufferevent *bev;
        struct hangup *hangup;
        struct hangup_watch watch;
};

static struct stream_plain *self(struct stream *s)
{
        return CONTAINER(s, struct stream_plain, s);
}

/* The peer is gone: the reader must look (its end may follow), the writer must not wait. */
static void lost(struct stream_plain *p, int error)
{
        stream_set_lost(&p->s, STREAM_RESET, strerror(error));
        stream_notify_writer(&p->s);
}

static void on_hangup(int error, void *arg)
{
        lost(arg, error);
}

static void pass_end_on(struct stream_plain *p)
{
        if (shutdown(p->fd, SHUT_WR) < 0) {
                stream_set_lost(&p->s, STREAM_RESET, strerror(errno));
                return;
        }
        p->s.finished = STREAM_FINISHED;
}

static void on_read(struct bufferevent *bev, void *arg)
{
        (void)bev;
        struct stream_plain *p = arg;
        stream_notify_reader(&p->s);
}

static void on_write(struct bufferevent *bev, void *arg)
{
        (void)bev;
        struct stream_plain *p = arg;
        if (p->s.finished == STREAM_FINISHING && stream_queued(&p->s) == 0)
                pass_end_on(p);
        stream_notify_writer(&p->s);
}

static void on_event(struct bufferevent *bev, short what, void *arg)
{
        (void)bev;
        int error = EVUTIL_SOCKET_ERROR();
        struct stream_plain *p = arg;
        if (what & BEV_EVENT_WRITING) {
                lost(p, error);
                return;
        }
        if (what & BEV_EVENT_EOF)
                stream_set_end(&p->s, STREAM_END, NULL);
        else
                stream_set_end(&p->s, STREAM_RESET, strerror(error));
        stream_notify_reader(&p->s);
}

static void plain_want_read(struct stream *s, bool want)
{
        struct stream_plain *p = self(s);
        if (want && s->end == STREAM_OPEN) {
                bufferevent_enable(p->bev, EV_READ);
                return;
        }
        bufferevent_disable(p->bev, EV_READ);
        if (s->lost == STREAM_OPEN)
                hangup_watch_add(p->hangup, &p->watch, p->fd, on_hangup, p);
}

static void plain_finish(struct stream *s)
{
        s->finished = STREAM_FINISHING;
        if (stream_queued(s) == 0)
                pass_end_on(self(s));
}

static size_t plain_unread(struct stream *s)
{
        return stream_fd_unread(self(s)->fd);
}

static size_t plain_unsent(struct stream *s)
{
        return stream_fd_unsent(self(s)->fd);
}

static int plain_fd(struct stream *s)
{
        return self(s)->fd;
}

static size_t plain_unacked(struct stream *s)
{
        return stream_fd_unacked(self(s)->fd);
}

static void plain_stop(struct stream *s)
{
        bufferevent_disable(self(s)->bev, EV_READ | EV_WRITE);
}

static void plain_free(struct stream *s, enum stream_close_how how)
{
        struct stream_plain *p = self(s);
        hangup_watch_remove(&p->watch);
        if (p->bev != NULL) {
                bufferevent_disable(p->bev, EV_READ | EV_WRITE);
                bufferevent_setcb(p->bev, NULL, NULL, NULL, NULL);
                bufferevent_free(p->bev);
        }
        stream_close_fd(&p->fd, how);
        free(s->detail);
        free(p);
}

static int plain_release(struct stream *s, struct text *rest)
{
        struct stream_plain *p = self(s);
        size_t n = evbuffer_get_length(s->out);
        if (n > 0) {
                const unsigned char *octets = evbuffer_pullup(s->out, -1);
                if (octets != NULL)
                        text_addn(rest, (const char *)octets, n);
                rest->failed = rest->failed || octets == NULL;
        }
        int fd = TAKE_FD(p->fd);
        plain_free(s, STREAM_CLOSE);
        return fd;
}

static const struct stream_ops plain_ops = {
        .path = "buffer",
        .want_read = plain_want_read,
        .finish = plain_finish,
        .unread = plain_unread,
        .unsent = plain_unsent,
        .unacked = plain_unacked,
        .fd = plain_fd,
        .stop = plain_stop,
        .release = plain_release,
        .free = plain_free,
};

struct stream *stream_plain_new(struct event_base *base, struct hangup *hangup, int *fd)
{
        struct stream_plain *p = calloc(1, sizeof *p);
        if (p == NULL)
                return NULL;
        *p = (struct stream_plain){ .s.ops = &plain_ops, .fd = -1, .hangup = hangup };
        p->bev = bufferevent_socket_new(base, *fd, 0);
        if (p->bev == NULL) {
                plain_free(&p->s, STREAM_CLOSE);
                return NULL;
        }
        p->s.in = bufferevent_get_input(p->bev);
        p->s.out = bufferevent_get_output(p->bev);
        bufferevent_setcb(p->bev, on_read, on_write, on_event, p);
        /* Called after every write, not only when all is gone: progress restarts timers. */
        bufferevent_setwatermark(p->bev, EV_WRITE, SIZE_MAX, 0);
        bufferevent_set_max_single_write(p->bev, WRITE_AT_ONCE);
        p->fd = TAKE_FD(*fd);
        return &p->s;
}
