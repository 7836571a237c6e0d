/* SPDX-License-Identifier: ISC */
/* The half of a direct TLS stream that receives, what is noticed, and its life. */
#include "tls/stream_tls_direct.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <event2/event.h>

#include "base/clock.h"
#include "net/io.h"
#include "tls/cause.h"
#include "tls/memory.h"
#include "tls/shutdown.h"
#include "tls/stream_tls_direct_internal.h"

enum {
        /* Octets one recv(2) takes. More than 64 KiB at once make free(3) tidy up each time. */
        READ_AHEAD = 60 * 1024,
        TURN = 512 * 1024, /* octets received in one turn of the loop; then it is others' */
        KEY_UPDATES = 64,  /* within KEY_UPDATES_MS: nobody needs so many */
        KEY_UPDATES_MS = 1000,
};

/* --- receiving -------------------------------------------------------------------------------- */

/* An end or a cut was found behind `got` octets: with them nobody would look for more. */
static void found(struct tls_direct *d, enum stream_end end, const char *why, size_t got)
{
        struct stream *s = &d->s;
        if (got == 0) {
                s->readable = false;
                if (end == STREAM_BROKEN || end == STREAM_RESET)
                        tls_direct_forget_output(d);
                stream_set_end(s, end, why);
                return;
        }
        s->ending = s->readable = true;
        d->found = end;
        if (s->detail == NULL && why != NULL)
                s->detail = strdup(why);
}

/* A peer that resets while we send it a session ticket: OpenSSL takes the error out of the socket
 * and keeps it to itself, and what is read afterwards looks like a FIN. */
static void no_more_to_read(struct tls_direct *d, size_t got)
{
        if (!d->bio.eof)
                found(d, STREAM_END, NULL, got);
        else if (d->s.finished == STREAM_UNFINISHED && stream_fd_is_closed(d->fd))
                found(d, STREAM_RESET, strerror(ECONNRESET), got);
        else
                found(d, STREAM_TRUNCATED, "connection closed without close_notify", got);
}

static void goes_on_in_next_turn(struct tls_direct *d)
{
        d->taken = 0;
        d->s.readable = false;
        io_again(d->s.io, &d->s);
}

/* SSL_read() had nothing behind `got` octets. */
static void stopped(struct tls_direct *d, int result, size_t got)
{
        char why[TLS_ERROR_MAX];
        int verdict = SSL_get_error(d->ssl, result);
        if (verdict == SSL_ERROR_WANT_READ) {
                d->s.readable = false;
                if (d->bio.yielded)
                        goes_on_in_next_turn(d);
        } else if (verdict == SSL_ERROR_ZERO_RETURN) {
                no_more_to_read(d, got);
        } else {
                enum stream_end how = tls_cause_of_call(verdict, d->bio.error, why);
                tls_direct_give(d, false); /* an alert, before the queue is forgotten */
                found(d, how, why, got);
        }
}

static bool too_many_key_updates(struct tls_direct *d)
{
        return d->key_updates > KEY_UPDATES;
}

static size_t read_some(struct tls_direct *d, unsigned char *buf, size_t size)
{
        size_t got = 0;
        while (got < size) {
                size_t room = size - got < INT32_MAX ? size - got : INT32_MAX;
                tls_direct_begin_call(d);
                int n = SSL_read(d->ssl, buf + got, (int)room);
                if (d->bio.batch->n > 0)
                        tls_direct_give(d, false);
                if (too_many_key_updates(d)) {
                        found(d, STREAM_BROKEN, "too many key updates", got);
                        return got;
                }
                if (n <= 0) {
                        stopped(d, n, got);
                        return got;
                }
                got += (size_t)n;
        }
        return got;
}

static size_t tls_direct_receive(struct stream *s, void *buf, size_t size)
{
        struct tls_direct *d = tls_direct(s);
        if (d->found != STREAM_OPEN)
                found(d, d->found, s->detail, 0);
        if (s->end != STREAM_OPEN) {
                s->readable = false;
                return 0;
        }
        size_t n = read_some(d, buf, size);
        tls_direct_go_on(d);
        d->taken += (uint32_t)n;
        if (d->taken >= TURN && s->readable)
                goes_on_in_next_turn(d);
        return n;
}

/* --- what is noticed -------------------------------------------------------------------------- */

static void look_for_reset(struct tls_direct *d)
{
        if (d->s.lost != STREAM_OPEN || (d->peer_through && d->s.finished == STREAM_FINISHED))
                return;
        int error = 0;
        socklen_t len = sizeof error;
        if (getsockopt(d->fd, SOL_SOCKET, SO_ERROR, &error, &len) == 0 && error != 0)
                tls_direct_socket_failed(d, error);
}

static void tls_direct_check(struct stream *s)
{
        look_for_reset(tls_direct(s));
        if (s->lost != STREAM_OPEN)
                stream_notify(s);
}

/* Readable and writable, no end: see io_doubt(). After an end there is one always. */
static void maybe_reset(struct tls_direct *d)
{
        if (d->s.ending)
                look_for_reset(d);
        else
                io_doubt(d->s.io, &d->s);
}

static void on_event(evutil_socket_t fd, short what, void *arg)
{
        (void)fd;
        struct tls_direct *d = arg;
        struct stream *s = &d->s;
        if (s->stopped)
                return;
        if (what & EV_CLOSED)
                s->ending = d->bio.ending = true;
        if (what & (EV_READ | EV_CLOSED)) {
                d->bio.empty = false;
                s->readable = s->end == STREAM_OPEN;
        }
        if ((what & (EV_READ | EV_WRITE | EV_CLOSED)) == (EV_READ | EV_WRITE))
                maybe_reset(d);
        d->taken = 0;
        if ((what & EV_WRITE) && !d->writable && s->lost == STREAM_OPEN)
                tls_direct_flush(d);
        if (s->lost == STREAM_OPEN)
                tls_direct_go_on(d);
        stream_notify(s);
}

/* Resets are noticed either way. */
static void tls_direct_want_read(struct stream *s, bool want)
{
        (void)s;
        (void)want;
}

/* KeyUpdates cost the peer nothing and us a derivation of keys; OpenSSL has no limit for them. */
static void count_key_updates(int writing, int version, int type, const void *message, size_t n,
                              SSL *ssl, void *arg)
{
        (void)version, (void)ssl;
        struct tls_direct *d = arg;
        if (writing || type != SSL3_RT_HANDSHAKE || n < 1 ||
            *(const unsigned char *)message != SSL3_MT_KEY_UPDATE)
                return;
        uint32_t now = (uint32_t)clock_ms();
        if (now - d->key_updates_ms > KEY_UPDATES_MS) {
                d->key_updates_ms = now;
                d->key_updates = 0;
        }
        if (++d->key_updates > KEY_UPDATES)
                d->bio.reads = 0;
}

/* --- what is where ---------------------------------------------------------------------------- */

/* OpenSSL has been asked for all it holds, unless readable still says otherwise. What is left then
 * is half a record, which has not arrived; its rest may be in the kernel. */
static size_t tls_direct_unread(struct stream *s)
{
        SSL *ssl = tls_direct(s)->ssl;
        size_t decrypted = (size_t)SSL_pending(ssl), kernel = stream_fd_unread(tls_direct(s)->fd);
        if (decrypted == 0 && !SSL_has_pending(ssl))
                return kernel;
        if (s->readable || s->waits_for_turn)
                return decrypted + kernel + READ_AHEAD;
        return decrypted + kernel + (kernel > 0 ? SSL3_RT_MAX_PLAIN_LENGTH : 0);
}

/* So little that it left at once need not be asked for. */
static size_t tls_direct_unsent(struct stream *s)
{
        struct tls_direct *d = tls_direct(s);
        return d->given <= TLS_DIRECT_FEW ? 0 : records_length(&d->out) + stream_fd_unsent(d->fd);
}

static int tls_direct_fd(struct stream *s)
{
        return tls_direct(s)->fd;
}

static size_t tls_direct_unacked(struct stream *s)
{
        return records_length(&tls_direct(s)->out) + stream_fd_unacked(tls_direct(s)->fd);
}

/* --- its life --------------------------------------------------------------------------------- */

/* The descriptor is closed first: taking it out of epoll is the kernel's then, and cheaper. */
static void tls_direct_free(struct stream *s, enum stream_close_how how)
{
        struct tls_direct *d = tls_direct(s);
        stream_close_fd(&d->fd, how);
        io_forget(s->io, s);
        if (d->watched)
                event_del(&d->event);
        tls_direct_forget_output(d);
        SSL_free(d->ssl);
        free(s->detail);
        free(d);
}

static const struct stream_ops tls_direct_ops = {
        .path = "tls",
        .want_read = tls_direct_want_read,
        .receive = tls_direct_receive,
        .send = tls_direct_send,
        .push = tls_direct_push,
        .check = tls_direct_check,
        .finish = tls_direct_finish,
        .unread = tls_direct_unread,
        .unsent = tls_direct_unsent,
        .unacked = tls_direct_unacked,
        .fd = tls_direct_fd,
        .free = tls_direct_free,
};

void stream_tls_direct_prepare(SSL *ssl)
{
        SSL_set_read_ahead(ssl, 1);
        SSL_set_mode(ssl, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
}

struct stream *stream_tls_direct_new(struct io *io, SSL **ssl, int *fd,
                                     const struct record_bio *bio)
{
        struct batch *batch = batch_of(io);
        struct tls_direct *d = calloc(1, sizeof *d);
        if (batch == NULL || d == NULL) {
                free(d);
                return NULL;
        }
        /* Right behind the handshake octets may have come along that no event will tell of. */
        *d = (struct tls_direct){ .s = { .ops = &tls_direct_ops, .io = io, .readable = true },
                                  .fd = *fd,
                                  .writable = true };
        event_assign(&d->event, io->base, d->fd,
                     EV_READ | EV_WRITE | EV_CLOSED | EV_ET | EV_PERSIST, on_event, d);
        if (event_add(&d->event, NULL) < 0) {
                free(d);
                return NULL;
        }
        d->watched = true;
        *fd = -1;
        d->ssl = TAKE(*ssl);
        record_bio_move(&d->bio, bio, d->ssl);
        d->bio.batch = batch;
        /* Only now: a handshake has no use for so much. */
        SSL_set_default_read_buffer_len(d->ssl, READ_AHEAD);
        SSL_set_info_callback(d->ssl, NULL);
        tls_memory_trim(d->ssl);
        SSL_set_msg_callback(d->ssl, count_key_updates);
        SSL_set_msg_callback_arg(d->ssl, d);
        return &d->s;
}

bool stream_is_tls_direct(const struct stream *s)
{
        return s->ops == &tls_direct_ops;
}

SSL *stream_tls_direct_ssl(struct stream *s)
{
        return tls_direct(s)->ssl;
}

void stream_tls_direct_alert(struct stream *s)
{
        struct tls_direct *d = tls_direct(s);
        if (s->lost != STREAM_OPEN || d->said_end)
                return;
        tls_put_alert(d->ssl);
        tls_direct_give(d, false);
}
