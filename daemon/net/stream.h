/* SPDX-License-Identifier: ISC */
/* A stream: one leg's bytes in both directions, and the way each direction ends.
 *
 * The one interface that hides plain or TLS from the relay. State, not events: a callback only says
 * "look again"; what is true is in the fields. A stream owns half-close: stream_finish() passes an
 * end on after the octets queued before it, as FIN (plain) or close_notify and then FIN (TLS). */
#ifndef NET_STREAM_H
#define NET_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/queue.h>
#include <sys/types.h>

#include <event2/buffer.h>

/* How the peer's sending direction ended. All but STREAM_OPEN and STREAM_END are cuts. */
enum stream_end {
        STREAM_OPEN = 0,
        STREAM_END,       /* FIN; on TLS close_notify */
        STREAM_TRUNCATED, /* TLS only: FIN without close_notify; the peer may still be reading */
        STREAM_RESET,     /* RST, or the kernel gave the peer up (ETIMEDOUT, EHOSTUNREACH …) */
        STREAM_BROKEN, /* TLS only: a fatal alert from the peer, or a record that does not verify */
};

/* How far our own end (stream_finish) has got. */
enum stream_finish_state {
        STREAM_UNFINISHED = 0, /* not asked for */
        STREAM_FINISHING,      /* asked for; octets are queued before it */
        STREAM_FINISHED,       /* in the kernel's hands, after everything before it */
};

enum stream_close_how {
        STREAM_CLOSE,       /* close(2): both directions ended well, or nobody is there any more */
        STREAM_CLOSE_RESET, /* RST where the transport has one; never FIN, never close_notify */
};

struct io_pipe;
struct stream;
struct text;

/* There are two kinds. A *buffered* stream has two evbuffers, `in` and `out`. A *direct* one keeps
 * nothing of what arrives: octets stay in the kernel (or in the TLS library) until the reader takes
 * them with stream_receive(), and stream_send() keeps only what the kernel did not take. */
struct stream_ops {
        const char *path; /* "buffer", "splice", "tls", "ktls": what moves its octets */
        void (*want_read)(struct stream *s, bool want);
        void (*wrote)(struct stream *s); /* octets were added to s->out; NULL: out notices itself */
        /* Direct streams; NULL in buffered ones. */
        size_t (*receive)(struct stream *s, void *buf, size_t size);
        void (*send)(struct stream *s, const void *octets, size_t n, bool more);
        void (*push)(struct stream *s);  /* nothing follows after all; NULL: nothing ever waits */
        void (*check)(struct stream *s); /* whether the peer has reset: see io_doubt() */
        /* The two halves of stream_splice(); NULL: not here. Octets that have arrived go into an
         * empty pipe, at most `most`: returns how many, 0 as for stream_splice(). Then n octets in
         * a pipe, which is taken, are to be sent; nothing is queued before them. */
        size_t (*fill_pipe)(struct stream *s, const struct io_pipe *pipe, size_t most);
        void (*take_pipe)(struct stream *s, struct io_pipe *pipe, size_t n);
        /* close(2) passes our end on as well as finish() would, so finish() can be left out when
         * the peer has ended already. */
        bool close_is_end;
        void (*finish)(struct stream *s);
        size_t (*unread)(struct stream *s);
        size_t (*unsent)(struct stream *s);
        size_t (*unacked)(struct stream *s);
        int (*fd)(struct stream *s);    /* its socket; NULL: it has none */
        void (*stop)(struct stream *s); /* see stream_stop(); NULL: `stopped` is enough */
        /* Give the socket up as it is; see stream_release(). NULL: not this one. */
        int (*release)(struct stream *s, struct text *rest);
        void (*free)(struct stream *s, enum stream_close_how how);
};

/* Called when something changed: more octets in `in`, or `end` or `lost` was set (reader); octets
 * left `out`, or `finished` was reached, or `lost` was set (writer). May be called from inside
 * stream_wrote(), stream_want_read() and stream_finish(). */
typedef void stream_changed_fn(void *arg);

struct stream {
        const struct stream_ops *ops;
        union {
                /* Buffered: octets received and not yet taken; octets to be sent. Borrowed from
                 * whatever is below. The reader may only remove from `in`, the writer only add to
                 * `out`. `in` grows while reading is wanted: whoever cannot take the octets stops
                 * wanting. (A read watermark would not do: a bufferevent above it calls back again
                 * and again.) */
                struct {
                        struct evbuffer *in, *out;
                };
                /* Direct: what it shares with others; octets accepted by send(), not yet given to
                 * the kernel. */
                struct {
                        struct io *io;
                        size_t queued;
                };
        };
        TAILQ_ENTRY(stream) next_turn, next_doubt; /* direct: io's */
        bool waits_for_turn : 1, doubtful : 1;     /* direct: see io_again(), io_doubt() */
        bool since_turn : 1, since_doubt : 1;      /* … and since which turn, odd or even */
        bool stopped : 1;                          /* see stream_stop() */
        /* Direct: receive() may have something. Goes with an attempt that finds less than asked. */
        bool readable;
        /* Direct: the peer's end, or a cut, has arrived behind what is still to be received. */
        bool ending;
        /* Set once, when every octet before the end is in `in`, or was received. */
        enum stream_end end : 8;
        /* Set as soon as it is known that nothing written will arrive any more, which can be before
         * the octets that came earlier were read: RESET or BROKEN. `end` follows with the same. */
        enum stream_end lost : 8;
        enum stream_finish_state finished : 8;
        /* Why, in words, once end or lost is a cut: "connection reset by peer". Owned, or NULL. */
        char *detail;

        stream_changed_fn *on_read, *on_write;
        void *on_read_arg, *on_write_arg;
};

/* The two listener slots: a leg's input belongs to one pump, its output to the other. NULL: none.
 */
static inline void stream_set_reader(struct stream *s, stream_changed_fn *fn, void *arg)
{
        s->on_read = fn;
        s->on_read_arg = arg;
}
static inline void stream_set_writer(struct stream *s, stream_changed_fn *fn, void *arg)
{
        s->on_write = fn;
        s->on_write_arg = arg;
}

/* Read (or stop reading) from the peer. A stream starts not reading. From the first call on, either
 * way, it notices by itself what happens: a reset, or that its socket takes octets again. */
static inline void stream_want_read(struct stream *s, bool want)
{
        s->ops->want_read(s, want);
}

/* To be called after octets were added to s->out. */
static inline void stream_wrote(struct stream *s)
{
        if (s->ops->wrote != NULL)
                s->ops->wrote(s);
}

static inline bool stream_is_direct(const struct stream *s)
{
        return s->ops->receive != NULL;
}

/* Octets accepted, not yet given to the kernel. */
static inline size_t stream_queued(const struct stream *s)
{
        return stream_is_direct(s) ? s->queued : evbuffer_get_length(s->out);
}

/* Direct streams. Take up to size octets that have arrived; 0: none now (readable is false), or
 * none any more (end is set). */
static inline size_t stream_receive(struct stream *s, void *buf, size_t size)
{
        return s->ops->receive(s, buf, size);
}

/* Direct streams. All n octets are accepted; whoever sends while octets are queued makes the queue
 * grow. more: others, or the end, follow in this very turn of the loop, and the kernel may wait for
 * them. */
static inline void stream_send(struct stream *s, const void *octets, size_t n, bool more)
{
        s->ops->send(s, octets, n, more);
}

/* Direct streams. What was sent with `more` waits no longer. */
static inline void stream_push(struct stream *s)
{
        if (s->ops->push != NULL)
                s->ops->push(s);
}

/* Whether stream_splice() can be used between the two. */
static inline bool stream_can_splice(const struct stream *dst, const struct stream *src)
{
        return src->ops->fill_pipe != NULL && dst->ops->take_pipe != NULL;
}

/* Direct streams, nothing queued in dst: up to `most` octets from src to dst, or into dst's queue,
 * without copying. Returns how many; 0 as for stream_receive(), or, with src still readable and not
 * ended, because there is no pipe to be had: use receive and send. */
size_t stream_splice(struct stream *dst, struct stream *src, size_t most);

/* Pass our end on, after what is queued. Idempotent; nothing may be added to `out` afterwards. */
static inline void stream_finish(struct stream *s)
{
        if (s->finished == STREAM_UNFINISHED && s->lost == STREAM_OPEN)
                s->ops->finish(s);
}

/* Upper bounds, in octets, of what the kernel (and a TLS library) holds:
 * unread   arrived, not yet in `in`;
 * unsent   written, not yet put on the wire, so the peer's window is closed or the network is slow;
 * unacked  written, not yet acknowledged: a reset now might overtake it. */
static inline size_t stream_unread(struct stream *s)
{
        return s->ops->unread(s);
}
static inline size_t stream_unsent(struct stream *s)
{
        return s->ops->unsent(s);
}
static inline size_t stream_unacked(struct stream *s)
{
        return s->ops->unacked(s);
}

/* The socket, borrowed, to ask the kernel about; -1: there is none. */
static inline int stream_fd(struct stream *s)
{
        return s->ops->fd != NULL ? s->ops->fd(s) : -1;
}

/* It is over: nothing queued goes to the kernel any more, whatever the loop had still in store.
 * Only stream_free() may follow. NULL is fine. */
static inline void stream_stop(struct stream *s)
{
        if (s == NULL)
                return;
        s->stopped = true;
        if (s->ops->stop != NULL)
                s->ops->stop(s);
}

/* Close and free. NULL is fine. No callback runs any more. */
static inline void stream_free(struct stream *s, enum stream_close_how how)
{
        if (s != NULL)
                s->ops->free(s, how);
}

/* What there is to know of a stream that goes on elsewhere, beside its socket and its octets. */
struct stream_state {
        enum stream_end end, lost;
        bool finished; /* our own end was passed on */
        char *detail;  /* owned; NULL: none */
};
void stream_state_fini(struct stream_state *state);

/* Whether stream_release() can be used. */
static inline bool stream_is_releasable(const struct stream *s)
{
        return s->ops->release != NULL;
}

/* Give the socket up, of which nobody is told anything: somebody else goes on with it. What it is
 * like goes to *state; octets that were accepted and that the kernel was not given go behind those
 * in rest. Frees the stream; no callback runs. A buffered stream's `in` is to be empty. */
int stream_release(struct stream *s, struct stream_state *state, struct text *rest);

/* Where stream_release() left off, on a new stream that nobody listens to yet: octets are to be
 * sent before anything else. Also makes it notice what happens from now on. */
void stream_resume(struct stream *s, const struct stream_state *state, const struct text *octets);

static inline bool stream_end_is_cut(enum stream_end end)
{
        return end > STREAM_END;
}

/* For implementations. The first cut and its detail stay; lost must be a cut. */
void stream_set_end(struct stream *s, enum stream_end end, const char *detail);
void stream_set_lost(struct stream *s, enum stream_end lost, const char *detail);
void stream_notify_reader(struct stream *s);
void stream_notify_writer(struct stream *s);
/* Both; once where one and the same listens in both slots. */
void stream_notify(struct stream *s);

/* Close a socket with RST (SO_LINGER 0) or plainly. *fd is -1 afterwards. */
void stream_close_fd(int *fd, enum stream_close_how how);
/* FIONREAD, SIOCOUTQNSD, SIOCOUTQ on a stream socket; 0 where the kernel does not tell. */
size_t stream_fd_unread(int fd);
size_t stream_fd_unsent(int fd);
size_t stream_fd_unacked(int fd);
/* Whether a TCP connection is gone altogether (TCP_INFO). Before our own FIN that was a reset, even
 * if somebody has taken the error out of the socket and reading shows an end. */
bool stream_fd_is_closed(int fd);

#endif
