/* SPDX-License-Identifier: ISC */
#include "tls/stream_ktls.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "base/own.h"
#include "net/direct.h"
#include "net/io.h"
#include "tls/ktls.h"

struct kernel_tls {
        struct direct d;
        struct stream_ktls_state is;
        int64_t idle_ms; /* since when TCP holds nothing; 0: it holds something */
};

static struct kernel_tls *self(struct stream *s)
{
        return CONTAINER(s, struct kernel_tls, d.s);
}

static struct kernel_tls *self_of(struct direct *d)
{
        return CONTAINER(d, struct kernel_tls, d);
}

/* --- receiving -------------------------------------------------------------------------------- */

/* A peer that resets while we send it a session ticket: OpenSSL takes the error out of the socket
 * and keeps it to itself, and what is read afterwards looks like a FIN. */
static bool was_reset(const struct kernel_tls *k)
{
        return k->d.s.finished == STREAM_UNFINISHED && stream_fd_is_closed(k->d.fd);
}

static void over(struct kernel_tls *k, const struct ktls_news *news)
{
        struct stream *s = &k->d.s;
        if (news->end == STREAM_BROKEN && news->alert != KTLS_NO_ALERT) {
                direct_socket_error(&k->d); /* with a bad record to tell of it sends nothing */
                ktls_fatal_alert(k->d.fd, news->alert);
        }
        if (news->end == STREAM_BROKEN || news->end == STREAM_RESET)
                direct_lost(&k->d, news->end, news->why);
        if (news->end == STREAM_TRUNCATED && was_reset(k))
                stream_set_end(s, STREAM_RESET, strerror(ECONNRESET));
        else
                stream_set_end(s, news->end, news->why);
        s->readable = false;
}

/* Behind an error of the socket's nothing comes any more. */
static void nothing_is_there(struct stream *s)
{
        s->readable = false;
        if (s->lost != STREAM_OPEN)
                stream_set_end(s, s->lost, NULL);
}

/* Where there is room for no record without data: an alert is two octets. What stands in front is
 * asked for by a call that takes data alone. */
static enum ktls_got receive_octet(struct kernel_tls *k, void *buf, struct ktls_news *news)
{
        unsigned char record[64];
        ssize_t n = recv(k->d.fd, buf, 1, MSG_DONTWAIT);
        if (n > 0) {
                news->n = 1;
                return KTLS_DATA;
        }
        if (n < 0 && errno != EIO && !ktls_splice_ended(&k->is.ktls, n, errno))
                return KTLS_AGAIN;
        return ktls_receive(&k->is.ktls, k->d.fd, record, sizeof record, news);
}

/* Until there is nothing: that something stands behind octets, or not, no event will tell. */
static size_t ktls_stream_receive(struct stream *s, void *buf, size_t size)
{
        struct kernel_tls *k = self(s);
        struct ktls_news news;
        enum ktls_got got;
        do {
                got = size == 1 ? receive_octet(k, buf, &news)
                                : ktls_receive(&k->is.ktls, k->d.fd, buf, size, &news);
        } while (got == KTLS_OTHER);
        if (got == KTLS_DATA) {
                direct_took(&k->d, news.n);
                return news.n;
        }
        if (got == KTLS_AGAIN)
                nothing_is_there(s);
        else
                over(k, &news);
        return 0;
}

/* A call of splice(2) takes one record. */
static ssize_t fill(const struct kernel_tls *k, const struct io_pipe *pipe, size_t most,
                    size_t *got)
{
        ssize_t n = 1;
        for (*got = 0; *got < most && n > 0; *got += n > 0 ? (size_t)n : 0)
                n = splice(k->d.fd, NULL, pipe->write_end, NULL, most - *got,
                           SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
        return n;
}

/* Whatever splice(2) cannot take is for receive(). That an empty pipe cannot be given anything
 * means that nothing is there; a full one may have no slots. */
static size_t ktls_stream_fill_pipe(struct stream *s, const struct io_pipe *pipe, size_t most)
{
        struct kernel_tls *k = self(s);
        size_t got;
        if (k->is.ktls.splice_error != 0 || s->lost != STREAM_OPEN)
                return 0;
        ssize_t n = fill(k, pipe, most, &got);
        if (n <= 0 && !ktls_splice_ended(&k->is.ktls, n, errno) && got == 0)
                s->readable = false;
        direct_took(&k->d, got);
        return got;
}

/* --- sending ---------------------------------------------------------------------------------- */

/* Never with MSG_MORE: the kernel would keep the octets where nothing counts them. */
static void ktls_stream_send(struct stream *s, const void *octets, size_t n, bool more)
{
        (void)more;
        if (s->lost == STREAM_OPEN)
                direct_give(direct_of(s), octets, n, 0);
}

/* TCP may have taken part of a record, and TLS keeps the rest until there is room. A record behind
 * it is taken all the same, and shutdown(2) would overtake both. */
static bool has_room(const struct direct *d)
{
        struct pollfd p = { .fd = d->fd, .events = POLLOUT };
        return poll(&p, 1, 0) == 1;
}

/* Most clients that are through send close_notify and close(2): ours then finds nobody, and the
 * kernel answers with a reset. If they had everything before, nothing was lost. */
static bool peer_is_through(const struct direct *d)
{
        return d->s.end == STREAM_END && stream_fd_unacked(d->fd) == 0;
}

static int say_end(struct kernel_tls *k)
{
        k->is.peer_through = k->is.peer_through || peer_is_through(&k->d);
        if (!has_room(&k->d))
                return EAGAIN;
        int error = ktls_close_notify(k->d.fd);
        k->is.said_end = error == 0;
        return error;
}

static int pass_end_on(struct direct *d)
{
        struct kernel_tls *k = self_of(d);
        int error = k->is.said_end ? 0 : say_end(k);
        if (error == 0 && shutdown(d->fd, SHUT_WR) < 0)
                error = errno;
        return error != EAGAIN && k->is.peer_through ? 0 : error;
}

/* What the kernel says once, and of a record that octets stand before, is kept for receive(). */
static void failed(struct direct *d, int error)
{
        struct kernel_tls *k = self_of(d);
        char why[TLS_ERROR_MAX];
        if (k->is.peer_through && d->s.finished == STREAM_FINISHED)
                return;
        enum stream_end how = ktls_cause(error, why);
        if (how == STREAM_BROKEN)
                ktls_splice_ended(&k->is.ktls, -1, error);
        direct_lost(d, how, why);
}

/* --- what is where ---------------------------------------------------------------------------- */

/* What the kernel counts is what came, not what it has decrypted; half a record is nothing. */
static size_t ktls_stream_unread(struct stream *s)
{
        struct kernel_tls *k = self(s);
        if (!ktls_has_unread(&k->is.ktls, k->d.fd))
                return 0;
        return direct_unread(s) + SSL3_RT_MAX_PLAIN_LENGTH;
}

/* When TCP has got rid of everything TLS may still have part of a record to give it, which it does
 * a moment later, by itself. */
static size_t ktls_stream_unacked(struct stream *s)
{
        struct kernel_tls *k = self(s);
        size_t n = direct_unacked(s);
        if (k->d.given == 0)
                return n;
        int64_t now = clock_ms();
        if (n > 0)
                k->idle_ms = 0;
        else if (k->idle_ms == 0)
                k->idle_ms = now;
        return n == 0 && now == k->idle_ms ? 1 : n;
}

/* --- its life --------------------------------------------------------------------------------- */

void stream_ktls_state_fini(struct stream_ktls_state *state)
{
        tls_info_fini(&state->info);
}

static void ktls_stream_free(struct stream *s, enum stream_close_how how)
{
        stream_ktls_state_fini(&self(s)->is);
        direct_free(s, how);
}

/* A record that came in part is the kernel's, or in stream_ktls_state. */
static int ktls_stream_release(struct stream *s, struct text *rest)
{
        struct direct *d = direct_of(s);
        queue_move(&d->queue, s->io, rest);
        direct_unwatch(d);
        int fd = TAKE_FD(d->fd);
        ktls_stream_free(s, STREAM_CLOSE);
        return fd;
}

static const struct direct_ops ktls_ops = {
        .stream = {
                .path = "ktls",
                .want_read = direct_want_read,
                .receive = ktls_stream_receive,
                .send = ktls_stream_send,
                .fill_pipe = ktls_stream_fill_pipe,
                .take_pipe = direct_take_pipe,
                .finish = direct_finish,
                .unread = ktls_stream_unread,
                .unsent = direct_unsent,
                .unacked = ktls_stream_unacked,
                .fd = direct_fd,
                .release = ktls_stream_release,
                .free = ktls_stream_free,
        },
        .pass_end_on = pass_end_on,
        .failed = failed,
};

/* Right behind the handshake octets may have come along that no event will tell of. */
static struct kernel_tls *new_on(struct io *io, int *fd)
{
        struct kernel_tls *k = calloc(1, sizeof *k);
        if (k == NULL)
                return NULL;
        direct_init(&k->d, &ktls_ops, io, *fd);
        if (!direct_watch(&k->d)) {
                free(k);
                return NULL;
        }
        *fd = -1;
        k->d.s.readable = k->d.writable = true;
        return k;
}

/* What OpenSSL knows is for the record. It does not touch the socket when it goes. */
struct stream *stream_ktls_new(struct io *io, SSL **ssl, int *fd)
{
        struct kernel_tls *k = new_on(io, fd);
        if (k == NULL)
                return NULL;
        ktls_init(&k->is.ktls, *ssl);
        tls_info_fill(&k->is.info, *ssl);
        SSL_free(TAKE(*ssl));
        return &k->d.s;
}

void stream_ktls_save(struct stream *s, struct stream_ktls_state *state)
{
        *state = self(s)->is;
        self(s)->is = (struct stream_ktls_state){ 0 };
}

struct stream *stream_ktls_new_as(struct io *io, int *fd, struct stream_ktls_state *state)
{
        struct kernel_tls *k = new_on(io, fd);
        if (k == NULL)
                return NULL;
        k->is = *state;
        *state = (struct stream_ktls_state){ 0 };
        direct_was_given(&k->d);
        return &k->d.s;
}

bool stream_is_ktls(const struct stream *s)
{
        return s->ops == &ktls_ops.stream;
}

const struct tls_info *stream_ktls_info(struct stream *s)
{
        return &self(s)->is.info;
}

void stream_ktls_alert(struct stream *s)
{
        struct kernel_tls *k = self(s);
        if (s->lost == STREAM_OPEN && !k->is.said_end)
                ktls_fatal_alert(k->d.fd, SSL_AD_INTERNAL_ERROR);
}
