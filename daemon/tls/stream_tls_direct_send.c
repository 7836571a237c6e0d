/* SPDX-License-Identifier: ISC */
/* The half of a direct TLS stream that sends: octets, answers of OpenSSL's own, the end. */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <openssl/err.h>

#include "tls/cause.h"
#include "tls/shutdown.h"
#include "tls/stream_tls_direct_internal.h"

enum {
        READS = 4, /* recv(2) for one record: what else comes with them has its bound */
        CONTROL_MAX = 16 * 1024, /* octets of answers the peer asked for and does not take */
};

static size_t least(size_t a, size_t b)
{
        return a < b ? a : b;
}

/* --- cuts ------------------------------------------------------------------------------------- */

void tls_direct_forget_output(struct tls_direct *d)
{
        records_drop(&d->out, d->s.io);
        io_release(d->s.io, d->n_held);
        free(d->held);
        d->held = NULL;
        d->n_held = 0;
        d->s.queued = 0;
}

void tls_direct_lost(struct tls_direct *d, enum stream_end how, const char *why)
{
        tls_direct_forget_output(d);
        stream_set_lost(&d->s, how, why);
        if (how == STREAM_BROKEN) /* in both directions */
                stream_set_end(&d->s, how, why);
}

void tls_direct_socket_failed(struct tls_direct *d, int error)
{
        /* What came before is still to be read, and behind it an end. */
        d->bio.ending = true;
        d->s.readable = d->s.end == STREAM_OPEN;
        /* EPIPE: somebody took the error out of the socket before. */
        tls_direct_lost(d, STREAM_RESET, strerror(error == EPIPE ? ECONNRESET : error));
}

static void call_failed(struct tls_direct *d, int verdict)
{
        char why[TLS_ERROR_MAX];
        enum stream_end how = tls_cause_of_call(verdict, d->bio.error, why);
        tls_direct_lost(d, how, why);
}

void tls_direct_begin_call(struct tls_direct *d)
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
void tls_direct_give(struct tls_direct *d, bool more)
{
        size_t n = d->bio.batch->n;
        if (n == 0)
                return;
        d->given = (uint16_t)least(d->given + n, TLS_DIRECT_FEW + 1);
        int error = records_give(&d->out, d->s.io, d->fd, d->writable, more);
        if (d->s.lost != STREAM_OPEN)
                records_drop(&d->out, d->s.io);
        else if (error != 0)
                tls_direct_socket_failed(d, error);
        else if (d->out.control > CONTROL_MAX)
                tls_direct_lost(d, STREAM_BROKEN,
                                "the peer asks for answers that it does not take");
        d->writable = records_length(&d->out) == 0;
        update_queued(d);
}

/* OpenSSL gives its buffer back behind the last record, not behind each. */
static void keep_buffer(struct tls_direct *d, bool keep)
{
        if (keep == d->keeps_buffer)
                return;
        d->keeps_buffer = keep;
        if (keep)
                SSL_clear_mode(d->ssl, SSL_MODE_RELEASE_BUFFERS);
        else
                SSL_set_mode(d->ssl, SSL_MODE_RELEASE_BUFFERS);
}

/* Encrypts at most a batch. Returns how much; less than was there after a failure, or when OpenSSL
 * has to wait. */
static size_t encrypt(struct tls_direct *d, const unsigned char *octets, size_t n)
{
        size_t done = 0;
        n = least(n, (size_t)BATCH_RECORDS * RECORDS_PLAIN);
        tls_direct_begin_call(d); /* those behind it find everything as one that worked leaves it */
        while (done < n) {
                size_t k = least(n - done, RECORDS_PLAIN);
                keep_buffer(d, k < n - done);
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
        keep_buffer(d, false);
        return done;
}

static void hold(struct tls_direct *d, const unsigned char *octets, size_t n)
{
        unsigned char *held = realloc(d->held, d->n_held + n);
        if (held == NULL) {
                tls_direct_socket_failed(d, ENOMEM);
                return;
        }
        io_hold(d->s.io, n);
        memcpy(held + d->n_held, octets, n);
        d->held = held;
        d->n_held += (uint32_t)n;
}

static void send_records(struct tls_direct *d, const unsigned char *octets, size_t n, bool more)
{
        size_t part = 1;
        while (n > 0 && part > 0 && d->s.lost == STREAM_OPEN) {
                part = encrypt(d, octets, n);
                octets += part;
                n -= part;
                tls_direct_give(d, more || n > 0);
        }
        if (n > 0 && d->s.lost == STREAM_OPEN)
                hold(d, octets, n);
        update_queued(d);
}

void tls_direct_send(struct stream *s, const void *octets, size_t n, bool more)
{
        struct tls_direct *d = tls_direct(s);
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
        io_release(d->s.io, n);
        send_records(d, held, n, false);
        free(held);
}

/* Setting it, even again, sends what waits to be a full segment: tcp(7). */
void tls_direct_push(struct stream *s)
{
        const int on = 1;
        setsockopt(tls_direct(s)->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
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
        tls_direct_begin_call(d);
        int verdict = tls_put_close_notify(d->ssl);
        d->said_end = verdict == SSL_ERROR_NONE;
        tls_direct_give(d, true);
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
                tls_direct_socket_failed(d, errno);
}

void tls_direct_finish(struct stream *s)
{
        s->finished = STREAM_FINISHING;
        pass_end_on(tls_direct(s));
}

void tls_direct_flush(struct tls_direct *d)
{
        int error = records_flush(&d->out, d->s.io, d->fd);
        d->writable = records_length(&d->out) == 0;
        update_queued(d);
        if (error != 0)
                tls_direct_socket_failed(d, error);
}

/* Half a message is completed by reading on, even if nobody wants octets. */
void tls_direct_go_on(struct tls_direct *d)
{
        send_held(d);
        if (d->s.finished == STREAM_FINISHING && d->s.lost == STREAM_OPEN)
                pass_end_on(d);
}
