/* SPDX-License-Identifier: ISC */
#include "tls/stream_tls_direct.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <netinet/in.h>
#include <netinet/tcp.h>

#include <event2/event.h>
#include <event2/event_struct.h>

#include <openssl/err.h>

#include "base/clock.h"
#include "base/own.h"
#include "net/io.h"
#include "tls/cause.h"
#include "tls/records.h"
#include "tls/shutdown.h"

enum {
        READ_AHEAD = 64 * 1024, /* octets one recv(2) takes */
        TURN = 512 * 1024,      /* octets received in one turn of the loop; then it is others' */
        READS = 4, /* recv(2) for one record: what else comes with them has its bound */
        CONTROL_MAX = 16 * 1024, /* octets of answers the peer asked for and does not take */
        KEY_UPDATES = 64,        /* within KEY_UPDATES_MS: nobody needs so many */
        KEY_UPDATES_MS = 1000,
        FEW = 512, /* so few octets are on the wire at once: the least segment and window there are
                    */
};

struct tls_direct {
        struct stream s;
        struct event event;
        int fd;
        SSL *ssl;
        struct record_bio bio;
        struct records out;
        /* Octets that cannot be encrypted yet: half a post-handshake message has arrived, and
         * OpenSSL wants its other half first. */
        unsigned char *held;
        size_t n_held;
        bool watched, writable;
        bool said_end;     /* close_notify is among the records */
        bool peer_through; /* it had ended, and had everything, when our own end was passed on */
        enum stream_end found; /* behind what receive() gave last: told with the next */
        uint32_t taken;        /* octets received in this turn of the loop */
        uint32_t given;        /* octets given to the kernel in all, as far as FEW */
        unsigned key_updates;  /* since … */
        int64_t key_updates_ms;
};

static struct tls_direct *self(struct stream *s)
{
        return CONTAINER(s, struct tls_direct, s);
}

/* --- cuts ------------------------------------------------------------------------------------- */

static void forget_output(struct tls_direct *d)
{
        records_drop(&d->out, d->s.io);
        free(d->held);
        d->held = NULL;
        d->n_held = 0;
        d->s.queued = 0;
}

static void lost(struct tls_direct *d, enum stream_end how, const char *why)
{
        forget_output(d);
        stream_set_lost(&d->s, how, why);
        if (how == STREAM_BROKEN) /* in both directions */
                stream_set_end(&d->s, how, why);
}

static void socket_failed(struct tls_direct *d, int error)
{
        /* What came before is still to be read, and behind it an end. */
        d->bio.ending = true;
        d->s.readable = d->s.end == STREAM_OPEN;
        /* EPIPE: somebody took the error out of the socket before. */
        lost(d, STREAM_RESET, strerror(error == EPIPE ? ECONNRESET : error));
}

static void call_failed(struct tls_direct *d, int verdict)
{
        char why[TLS_ERROR_MAX];
        enum stream_end how = tls_cause_of_call(verdict, d->bio.error, why);
        lost(d, how, why);
}

/* libevent says nothing of EPOLLERR but that one can read and write. Octets that came before a
 * reset hide it, and so does a reader who takes no more. */
static void look_for_reset(struct tls_direct *d)
{
        if (d->s.lost != STREAM_OPEN || (d->peer_through && d->s.finished == STREAM_FINISHED))
                return;
        int error = 0;
        socklen_t len = sizeof error;
        if (getsockopt(d->fd, SOL_SOCKET, SO_ERROR, &error, &len) == 0 && error != 0)
                socket_failed(d, error);
}

static void begin_call(struct tls_direct *d)
{
        d->bio.reads = READS;
        ERR_clear_error();
}

/* --- sending ---------------------------------------------------------------------------------- */

static void update_queued(struct tls_direct *d)
{
        d->s.queued = d->out.plain + d->n_held;
}

/* Passes on what OpenSSL has written. */
static void give(struct tls_direct *d, bool more)
{
        size_t n = d->bio.batch->n;
        if (n == 0)
                return;
        d->given = n > FEW || d->given + n > FEW ? FEW + 1 : d->given + (uint32_t)n;
        int error = records_give(&d->out, d->s.io, d->fd, d->writable, more);
        if (d->s.lost != STREAM_OPEN)
                records_drop(&d->out, d->s.io);
        else if (error != 0)
                socket_failed(d, error);
        else if (d->out.control > CONTROL_MAX)
                lost(d, STREAM_BROKEN, "the peer asks for answers that it does not take");
        d->writable = records_length(&d->out) == 0;
        update_queued(d);
}

/* Encrypts at most a batch. Returns how much; less than was there after a failure, or when OpenSSL
 * has to wait. */
static size_t encrypt(struct tls_direct *d, const unsigned char *octets, size_t n)
{
        size_t done = 0;
        for (int i = 0; i < BATCH_RECORDS && done < n; i++) {
                size_t k = n - done < RECORDS_PLAIN ? n - done : RECORDS_PLAIN;
                begin_call(d);
                int written = SSL_write(d->ssl, octets + done, (int)k);
                if (written <= 0) {
                        int verdict = SSL_get_error(d->ssl, written);
                        if (verdict != SSL_ERROR_WANT_READ)
                                call_failed(d, verdict);
                        break;
                }
                batch_mark(d->bio.batch, k);
                done += k;
        }
        return done;
}

static void hold(struct tls_direct *d, const unsigned char *octets, size_t n)
{
        unsigned char *held = realloc(d->held, d->n_held + n);
        if (held == NULL) {
                socket_failed(d, ENOMEM);
                return;
        }
        memcpy(held + d->n_held, octets, n);
        d->held = held;
        d->n_held += n;
}

static void send_records(struct tls_direct *d, const unsigned char *octets, size_t n, bool more)
{
        size_t part = 1;
        while (n > 0 && part > 0 && d->s.lost == STREAM_OPEN) {
                part = encrypt(d, octets, n);
                octets += part;
                n -= part;
                give(d, more || n > 0);
        }
        if (n > 0 && d->s.lost == STREAM_OPEN)
                hold(d, octets, n);
        update_queued(d);
}

static void tls_direct_send(struct stream *s, const void *octets, size_t n, bool more)
{
        struct tls_direct *d = self(s);
        if (s->lost != STREAM_OPEN)
                return;
        if (d->n_held == 0) {
                send_records(d, octets, n, more);
                return;
        }
        hold(d, octets, n);
        update_queued(d);
}

/* Something has been read: what was held may be possible now. */
static void send_held(struct tls_direct *d)
{
        if (d->n_held == 0)
                return;
        unsigned char *held = TAKE(d->held);
        size_t n = d->n_held;
        d->n_held = 0;
        send_records(d, held, n, false);
        free(held);
}

/* Setting it, even again, sends what waits to be a full segment: tcp(7). */
static void tls_direct_push(struct stream *s)
{
        const int on = 1;
        setsockopt(self(s)->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

/* --- our own end ------------------------------------------------------------------------------ */

/* Most clients that are through send close_notify and close(2): ours then finds nobody, and the
 * kernel answers with a reset. If they had everything before, nothing was lost. */
static bool peer_is_through(const struct tls_direct *d)
{
        return d->s.end == STREAM_END && records_length(&d->out) == 0 &&
               stream_fd_unacked(d->fd) == 0;
}

/* Returns whether close_notify is on its way. */
static bool say_end(struct tls_direct *d)
{
        if (d->said_end || d->n_held > 0)
                return d->said_end;
        d->peer_through = d->peer_through || peer_is_through(d);
        begin_call(d);
        int verdict = tls_put_close_notify(d->ssl);
        d->said_end = verdict == SSL_ERROR_NONE;
        give(d, true);
        if (!d->said_end && verdict != SSL_ERROR_WANT_READ)
                call_failed(d, verdict);
        return d->said_end;
}

static void pass_end_on(struct tls_direct *d)
{
        if (!say_end(d) || d->s.lost != STREAM_OPEN || records_length(&d->out) > 0)
                return;
        if (shutdown(d->fd, SHUT_WR) == 0 || d->peer_through)
                d->s.finished = STREAM_FINISHED;
        else
                socket_failed(d, errno);
}

static void tls_direct_finish(struct stream *s)
{
        s->finished = STREAM_FINISHING;
        pass_end_on(self(s));
}

/* --- receiving -------------------------------------------------------------------------------- */

/* An end or a cut was found behind `got` octets: with them nobody would look for more. */
static void found(struct tls_direct *d, enum stream_end end, const char *why, size_t got)
{
        struct stream *s = &d->s;
        if (got == 0) {
                s->readable = false;
                if (end == STREAM_BROKEN || end == STREAM_RESET)
                        forget_output(d);
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
                give(d, false); /* an alert, before the queue is forgotten */
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
                begin_call(d);
                int n = SSL_read(d->ssl, buf + got, (int)room);
                if (d->bio.batch->n > 0)
                        give(d, false);
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
        struct tls_direct *d = self(s);
        if (d->found != STREAM_OPEN)
                found(d, d->found, s->detail, 0);
        if (s->end != STREAM_OPEN) {
                s->readable = false;
                return 0;
        }
        size_t n = read_some(d, buf, size);
        send_held(d);
        d->taken += (uint32_t)n;
        if (d->taken >= TURN && s->readable)
                goes_on_in_next_turn(d);
        return n;
}

/* --- what is noticed -------------------------------------------------------------------------- */

/* Half a message is completed by reading on, even if nobody wants octets. */
static void go_on_with_half_a_message(struct tls_direct *d)
{
        send_held(d);
        if (d->s.finished == STREAM_FINISHING && d->s.lost == STREAM_OPEN)
                pass_end_on(d);
}

static void flush(struct tls_direct *d)
{
        int error = records_flush(&d->out, d->s.io, d->fd);
        d->writable = records_length(&d->out) == 0;
        update_queued(d);
        if (error != 0)
                socket_failed(d, error);
}

static void on_event(evutil_socket_t fd, short what, void *arg)
{
        (void)fd;
        struct tls_direct *d = arg;
        struct stream *s = &d->s;
        if (what & EV_CLOSED)
                s->ending = d->bio.ending = true;
        if (what & (EV_READ | EV_CLOSED)) {
                d->bio.empty = false;
                s->readable = s->end == STREAM_OPEN;
                look_for_reset(d);
        }
        d->taken = 0;
        if ((what & EV_WRITE) && !d->writable && s->lost == STREAM_OPEN)
                flush(d);
        if (s->lost == STREAM_OPEN)
                go_on_with_half_a_message(d);
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
        int64_t now = clock_ms();
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
        SSL *ssl = self(s)->ssl;
        size_t decrypted = (size_t)SSL_pending(ssl), kernel = stream_fd_unread(self(s)->fd);
        if (decrypted == 0 && !SSL_has_pending(ssl))
                return kernel;
        if (s->readable || s->waits_for_turn)
                return decrypted + kernel + READ_AHEAD;
        return decrypted + kernel + (kernel > 0 ? SSL3_RT_MAX_PLAIN_LENGTH : 0);
}

/* So little that it left at once need not be asked for. */
static size_t tls_direct_unsent(struct stream *s)
{
        struct tls_direct *d = self(s);
        return d->given <= FEW ? 0 : records_length(&d->out) + stream_fd_unsent(d->fd);
}

static size_t tls_direct_unacked(struct stream *s)
{
        return records_length(&self(s)->out) + stream_fd_unacked(self(s)->fd);
}

/* --- its life --------------------------------------------------------------------------------- */

/* The descriptor is closed first: taking it out of epoll is the kernel's then, and cheaper. */
static void tls_direct_free(struct stream *s, enum stream_close_how how)
{
        struct tls_direct *d = self(s);
        stream_close_fd(&d->fd, how);
        io_forget(s->io, s);
        if (d->watched)
                event_del(&d->event);
        forget_output(d);
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
        .finish = tls_direct_finish,
        .unread = tls_direct_unread,
        .unsent = tls_direct_unsent,
        .unacked = tls_direct_unacked,
        .free = tls_direct_free,
};

void stream_tls_direct_prepare(SSL *ssl)
{
        SSL_set_read_ahead(ssl, 1);
        SSL_set_default_read_buffer_len(ssl, READ_AHEAD);
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
        return self(s)->ssl;
}

void stream_tls_direct_alert(struct stream *s)
{
        struct tls_direct *d = self(s);
        if (s->lost != STREAM_OPEN || d->said_end)
                return;
        tls_put_alert(d->ssl);
        give(d, false);
}
