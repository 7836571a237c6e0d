/* SPDX-License-Identifier: ISC */
#include "script.h"

#include <stdlib.h>

#include "base/own.h"

static struct script *self(struct stream *s)
{
        return CONTAINER(s, struct script, s);
}

static void arrive_direct(struct script *p)
{
        p->s.readable = p->s.end == STREAM_OPEN &&
                        (evbuffer_get_length(p->to_send) > 0 || p->then != STREAM_OPEN);
        p->s.ending = p->then != STREAM_OPEN;
        if (p->s.readable)
                stream_notify(&p->s);
}

/* What has arrived is read as far as it is wanted. */
static void arrive(struct script *p)
{
        if (p->io != NULL) {
                arrive_direct(p);
                return;
        }
        if (!p->reading || p->s.end != STREAM_OPEN)
                return;
        bool changed = evbuffer_get_length(p->to_send) > 0;
        evbuffer_add_buffer(p->s.in, p->to_send);
        if (p->then != STREAM_OPEN) {
                stream_set_end(&p->s, p->then, "scripted");
                changed = true;
        }
        if (changed)
                stream_notify_reader(&p->s);
}

static void deliver(struct script *p)
{
        bool changed = false;
        struct evbuffer *out = p->io != NULL ? p->held : p->s.out;
        size_t n = evbuffer_get_length(out);
        if (n > p->accepts)
                n = p->accepts;
        if (p->s.lost != STREAM_OPEN)
                return;
        if (n > 0 && evbuffer_get_length(p->got) + n >= p->fails_at) {
                stream_set_lost(&p->s, STREAM_RESET, "scripted write failure");
                changed = true;
        } else if (n > 0) {
                evbuffer_remove_buffer(out, p->got, n);
                if (p->accepts != SIZE_MAX)
                        p->accepts -= n;
                changed = true;
        }
        if (p->io != NULL)
                p->s.queued = evbuffer_get_length(out);
        if (p->s.finished == STREAM_FINISHING && stream_queued(&p->s) == 0) {
                p->s.finished = STREAM_FINISHED;
                p->got_end = true;
                changed = true;
        }
        if (changed)
                stream_notify_writer(&p->s);
}

static void script_want_read(struct stream *s, bool want)
{
        self(s)->watched = true;
        self(s)->reading = want;
        if (self(s)->io == NULL)
                arrive(self(s));
}

static size_t script_receive(struct stream *s, void *buf, size_t size)
{
        struct script *p = self(s);
        int n = evbuffer_remove(p->to_send, buf, size);
        if (n < (int)size && p->then == STREAM_OPEN) /* as a socket: a full read does not know */
                s->readable = false;
        if (n > 0)
                return (size_t)n;
        s->readable = false;
        if (p->then != STREAM_OPEN)
                stream_set_end(s, p->then, "scripted");
        return 0;
}

static void script_send_direct(struct stream *s, const void *octets, size_t n, bool more)
{
        self(s)->corked = more;
        evbuffer_add(self(s)->held, octets, n);
        s->queued += n;
        deliver(self(s));
}

static void script_push(struct stream *s)
{
        self(s)->corked = false;
}

static void script_wrote(struct stream *s)
{
        deliver(self(s));
}

/* As a socket does: what is done at once is not told, the caller sees it. */
static void script_finish(struct stream *s)
{
        struct script *p = self(s);
        bool at_once = stream_queued(s) == 0;
        s->finished = at_once ? STREAM_FINISHED : STREAM_FINISHING;
        p->got_end = at_once;
}

static size_t script_unread(struct stream *s)
{
        return self(s)->unread + evbuffer_get_length(self(s)->to_send);
}

static size_t script_unsent(struct stream *s)
{
        return self(s)->unsent;
}

static size_t script_unacked(struct stream *s)
{
        return self(s)->unacked;
}

static const struct stream_ops script_ops = {
        .path = "script",
        .want_read = script_want_read,
        .wrote = script_wrote,
        .finish = script_finish,
        .unread = script_unread,
        .unsent = script_unsent,
        .unacked = script_unacked,
};

static const struct stream_ops direct_ops = {
        .path = "script",
        .want_read = script_want_read,
        .receive = script_receive,
        .send = script_send_direct,
        .push = script_push,
        .finish = script_finish,
        .unread = script_unread,
        .unsent = script_unsent,
        .unacked = script_unacked,
};

void script_init(struct script *p, struct io *io)
{
        *p = (struct script){
                .s.ops = io != NULL ? &direct_ops : &script_ops,
                .io = io,
                .held = evbuffer_new(),
                .to_send = evbuffer_new(),
                .got = evbuffer_new(),
                .accepts = SIZE_MAX,
                .fails_at = SIZE_MAX,
        };
        if (io != NULL) {
                p->s.io = io;
                return;
        }
        p->s.in = evbuffer_new();
        p->s.out = evbuffer_new();
}

void script_fini(struct script *p)
{
        if (p->io == NULL) {
                evbuffer_free(p->s.in);
                evbuffer_free(p->s.out);
        }
        evbuffer_free(p->held);
        evbuffer_free(p->to_send);
        evbuffer_free(p->got);
        free(p->s.detail);
}

void script_send(struct script *p, const void *octets, size_t n)
{
        evbuffer_add(p->to_send, octets, n);
        arrive(p);
}

void script_end(struct script *p, enum stream_end how)
{
        p->then = how;
        /* As a socket that nobody reads tells it. */
        if (p->io != NULL && how == STREAM_RESET && !p->reading)
                stream_set_lost(&p->s, how, "scripted");
        arrive(p);
}

size_t script_waiting(const struct script *p)
{
        return p->io != NULL ? evbuffer_get_length(p->to_send) : evbuffer_get_length(p->s.in);
}

void script_hang_up(struct script *p)
{
        if (!p->watched)
                return;
        p->then = STREAM_RESET;
        stream_set_lost(&p->s, STREAM_RESET, "scripted hang-up");
        stream_notify_writer(&p->s);
        arrive(p);
}

void script_accept(struct script *p, size_t n)
{
        p->accepts = n;
        deliver(p);
}
