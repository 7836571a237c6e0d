/* SPDX-License-Identifier: ISC */
#include "tls/stream_tls.h"

#include <assert.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <event2/bufferevent.h>
#include <event2/bufferevent_ssl.h>
#include <event2/bufferevent_struct.h>
#include <event2/event.h>
#include <event2/event_struct.h>

#include <openssl/err.h>

#include "base/own.h"
#include "net/hangup.h"
#include "tls/cause.h"
#include "tls/record_bio.h"
#include "tls/shutdown.h"
#include "tls/stream_ktls.h"
#include "tls/stream_tls_direct.h"

enum {
        INPUT_MAX = 64 * 1024,  /* octets kept in `in` before reading pauses by itself */
        NO_WATERMARK = 1 << 30, /* see stream_tls_new() */
        LINGER_MAX = 64 * 1024, /* octets thrown away after a failed handshake */
};

enum stream_tls_phase { TLS_HANDSHAKE, TLS_OPEN, TLS_FAILED };

struct stream_tls {
        struct stream s;
        enum stream_tls_phase phase;
        int fd;
        SSL *ssl;
        struct io *io;         /* becomes a direct stream after the handshake; NULL: does not */
        struct record_bio bio; /* then */
        enum ktls_wish wish;   /* not KTLS_NEVER: over a socket BIO instead */
        struct bufferevent *bev;
        struct evbuffer_cb_entry *in_watch;
        struct hangup *hangup;
        struct hangup_watch watch;
        struct event retry; /* close_notify waits for the socket */
        bool want_read;     /* the reader's wish */
        bool full;          /* INPUT_MAX reached: reading pauses until the reader took some */
        bool peer_through;  /* it had ended, and had everything, when our own end was passed on */
        stream_tls_done_fn *done;
        void *arg;
};

static struct stream_tls *self(struct stream *s)
{
        return CONTAINER(s, struct stream_tls, s);
}

/* --- reading, and what is noticed without it -------------------------------------------------- */

static void update_reading(struct stream_tls *t)
{
        if (t->want_read && !t->full && t->s.end == STREAM_OPEN)
                bufferevent_enable(t->bev, EV_READ);
        else
                bufferevent_disable(t->bev, EV_READ);
}

/* Both sides look again, from the event loop: libevent may be in the middle of a read or a write
 * here, and whoever looks may free the stream. */
static void tell_both(struct stream_tls *t)
{
        bufferevent_trigger(t->bev, EV_READ | EV_WRITE,
                            BEV_TRIG_IGNORE_WATERMARKS | BEV_TRIG_DEFER_CALLBACKS);
}

static void set_lost(struct stream_tls *t, enum stream_end how, const char *why)
{
        stream_set_lost(&t->s, how, why);
        bufferevent_disable(t->bev, EV_WRITE);
        event_del(&t->retry);
        tell_both(t);
}

/* The same after a call failed. A socket that cannot be written may still hold what the peer sent
 * before; TLS that is broken is so in both directions. */
static void set_failed(struct stream_tls *t, enum stream_end how, const char *why)
{
        set_lost(t, how, why);
        if (how == STREAM_BROKEN)
                stream_set_end(&t->s, how, why);
        update_reading(t);
}

static void on_hangup(int error, void *arg)
{
        struct stream_tls *t = arg;
        if (t->peer_through && t->s.finished == STREAM_FINISHED)
                return;
        char text[TLS_ERROR_MAX];
        set_lost(arg, tls_cause_of_call(SSL_ERROR_SYSCALL, error, text), text);
}

static void tls_want_read(struct stream *s, bool want)
{
        self(s)->want_read = want;
        update_reading(self(s));
}

static void on_in_changed(struct evbuffer *in, const struct evbuffer_cb_info *info, void *arg)
{
        struct stream_tls *t = arg;
        if (!t->full || info->n_deleted == 0 || evbuffer_get_length(in) >= INPUT_MAX)
                return;
        t->full = false;
        update_reading(t);
}

static void on_read(struct bufferevent *bev, void *arg)
{
        (void)bev;
        struct stream_tls *t = arg;
        if (t->s.end == STREAM_OPEN && evbuffer_get_length(t->s.in) >= INPUT_MAX) {
                t->full = true;
                update_reading(t);
        }
        stream_notify_reader(&t->s);
}

/* --- our own end ------------------------------------------------------------------------------ */

static void on_retry(evutil_socket_t fd, short what, void *arg);

static void retry_when(struct stream_tls *t, short what)
{
        event_del(&t->retry);
        event_assign(&t->retry, bufferevent_get_base(t->bev), t->fd, what, on_retry, t);
        event_add(&t->retry, NULL);
}

/* Most clients that are through send close_notify and close(2): ours then finds nobody, and the
 * kernel answers with a reset. If they had everything before, nothing was lost. */
static bool peer_is_through(struct stream_tls *t)
{
        return t->s.end == STREAM_END && stream_fd_unacked(t->fd) == 0;
}

static void pass_end_on(struct stream_tls *t)
{
        char why[TLS_ERROR_MAX];
        t->peer_through = t->peer_through || peer_is_through(t);
        int verdict = tls_put_close_notify(t->ssl);
        if (verdict == SSL_ERROR_WANT_WRITE) {
                retry_when(t, EV_WRITE);
        } else if (verdict == SSL_ERROR_WANT_READ) {
                retry_when(t, EV_READ);
        } else if (verdict == SSL_ERROR_NONE &&
                   (shutdown(t->fd, SHUT_WR) == 0 || t->peer_through)) {
                t->s.finished = STREAM_FINISHED;
        } else if (verdict == SSL_ERROR_SYSCALL && t->peer_through) {
                ERR_clear_error();
                t->s.finished = STREAM_FINISHED;
        } else {
                enum stream_end how = tls_cause_of_call(verdict, errno, why);
                set_failed(t, how, why);
        }
}

static void on_retry(evutil_socket_t fd, short what, void *arg)
{
        (void)fd;
        (void)what;
        struct stream_tls *t = arg;
        pass_end_on(t);
        stream_notify_writer(&t->s);
}

static void tls_finish(struct stream *s)
{
        s->finished = STREAM_FINISHING;
        if (stream_queued(s) == 0)
                pass_end_on(self(s));
}

static void on_write(struct bufferevent *bev, void *arg)
{
        (void)bev;
        struct stream_tls *t = arg;
        if (t->s.finished == STREAM_FINISHING && t->s.lost == STREAM_OPEN &&
            stream_queued(&t->s) == 0)
                pass_end_on(t);
        stream_notify_writer(&t->s);
}

/* --- ends and cuts ---------------------------------------------------------------------------- */

/* A peer that resets while we send it a session ticket: OpenSSL takes the error out of the socket
 * and keeps it to itself, and what is read afterwards looks like a FIN. */
static bool was_reset(const struct stream_tls *t)
{
        return t->s.finished == STREAM_UNFINISHED && stream_fd_is_closed(t->fd);
}

static void no_more_to_read(struct stream_tls *t)
{
        if (BIO_eof(SSL_get_rbio(t->ssl)) == 0)
                stream_set_end(&t->s, STREAM_END, NULL);
        else if (was_reset(t))
                stream_set_end(&t->s, STREAM_RESET, strerror(ECONNRESET));
        else
                stream_set_end(&t->s, STREAM_TRUNCATED, "connection closed without close_notify");
        if (t->s.lost == STREAM_OPEN)
                bufferevent_enable(t->bev, EV_WRITE);
}

/* libevent stops writing as well when reading ends. But an end, and a FIN without close_notify,
 * says nothing about our direction. The octets read in the same turn are not in `in` yet; they will
 * be when libevent is done, before anybody can look. */
static void reading_ended(struct stream_tls *t, short what, int error)
{
        char why[TLS_ERROR_MAX];
        if (what & BEV_EVENT_EOF) {
                no_more_to_read(t);
        } else {
                enum stream_end how = tls_cause_of_error(t->bev, error, why);
                set_lost(t, how, why);
                stream_set_end(&t->s, how, why);
        }
        update_reading(t);
        tell_both(t);
}

static void writing_failed(struct stream_tls *t, int error)
{
        char why[TLS_ERROR_MAX];
        enum stream_end how = tls_cause_of_error(t->bev, error, why);
        set_failed(t, how, why);
}

static void handshake_ended(struct stream_tls *t, short what, int error)
{
        char text[TLS_ERROR_MAX];
        if (what & BEV_EVENT_CONNECTED) {
                t->phase = TLS_OPEN;
                /* libevent leaves a descriptor alone that is neither read nor written: a reset is
                 * to be noticed all the same. */
                if (t->io == NULL)
                        hangup_watch_add(t->hangup, &t->watch, t->fd, on_hangup, t);
                t->done(NULL, t->arg);
                return;
        }
        t->phase = TLS_FAILED;
        t->done(tls_cause_of_handshake(t->bev, t->ssl, what, error, text), t->arg);
}

static void on_event(struct bufferevent *bev, short what, void *arg)
{
        (void)bev;
        int error = errno; /* of the read(2) or write(2) that failed */
        struct stream_tls *t = arg;
        if (t->phase == TLS_HANDSHAKE)
                handshake_ended(t, what, error);
        else if (what & BEV_EVENT_WRITING)
                writing_failed(t, error);
        else
                reading_ended(t, what, error);
}

/* --- what is where ---------------------------------------------------------------------------- */

/* With octets in the kernel, the rest of a record may be there whose beginning OpenSSL holds. Half
 * a record alone is nothing that has arrived. */
static size_t tls_unread(struct stream *s)
{
        SSL *ssl = self(s)->ssl;
        size_t decrypted = (size_t)SSL_pending(ssl), kernel = stream_fd_unread(self(s)->fd);
        if (kernel > 0 && decrypted == 0 && SSL_has_pending(ssl))
                kernel += SSL3_RT_MAX_PLAIN_LENGTH;
        return decrypted + kernel;
}

static size_t tls_unsent(struct stream *s)
{
        return stream_fd_unsent(self(s)->fd);
}

static int tls_fd(struct stream *s)
{
        return self(s)->fd;
}

static size_t tls_unacked(struct stream *s)
{
        return stream_fd_unacked(self(s)->fd);
}

/* --- its life --------------------------------------------------------------------------------- */

/* A handshake that fails ends with an alert, which says why. What the peer still sends would turn
 * our close(2) into a reset that can overtake it: take what has arrived away, and end with a FIN.
 * After a fatal alert nobody takes that for an end. */
static void let_alert_arrive(int fd)
{
        shutdown(fd, SHUT_WR);
        char unread[4096];
        for (size_t n = 0; n < LINGER_MAX; n += sizeof unread)
                if (recv(fd, unread, sizeof unread, MSG_DONTWAIT) <= 0)
                        return;
}

static void bev_free(struct stream_tls *t)
{
        if (t->in_watch != NULL)
                evbuffer_remove_cb_entry(t->s.in, t->in_watch);
        bufferevent_disable(t->bev, EV_READ | EV_WRITE);
        bufferevent_setcb(t->bev, NULL, NULL, NULL, NULL);
        bufferevent_free(t->bev);
}

static void tls_stop(struct stream *s)
{
        struct stream_tls *t = self(s);
        if (t->bev == NULL)
                return;
        event_del(&t->retry);
        bufferevent_disable(t->bev, EV_READ | EV_WRITE);
}

/* libevent holds a reference to the bufferevent while it runs a callback, and looks at neither SSL
 * nor descriptor after one: freeing from inside is safe. */
static void tls_free(struct stream *s, enum stream_close_how how)
{
        struct stream_tls *t = self(s);
        hangup_watch_remove(&t->watch);
        if (t->bev != NULL) {
                event_del(&t->retry);
                bev_free(t);
        }
        SSL_free(t->ssl);
        if (t->phase == TLS_FAILED) {
                let_alert_arrive(t->fd);
                how = STREAM_CLOSE;
        }
        stream_close_fd(&t->fd, how);
        free(s->detail);
        free(t);
}

static const struct stream_ops tls_ops = {
        .path = "tls",
        .want_read = tls_want_read,
        .finish = tls_finish,
        .unread = tls_unread,
        .unsent = tls_unsent,
        .unacked = tls_unacked,
        .fd = tls_fd,
        .stop = tls_stop,
        .free = tls_free,
};

/* libevent takes its event away and adds it again; it is not needed any more. */
static void on_progress(const SSL *ssl, int where, int value)
{
        (void)value;
        struct stream_tls *t = SSL_get_record_padding_callback_arg(ssl);
        if (t->wish != KTLS_NEVER)
                ktls_want(t->ssl, t->wish);
        if (where & SSL_CB_HANDSHAKE_DONE)
                event_del(&t->bev->ev_read);
}

/* Each time the kernel is told what to watch costs as much as a write. Left alone libevent begins
 * with a try at writing, then reads; here it begins with what comes first, and waits for one thing
 * from then on. */
static void begin_for_detaching(struct stream_tls *t, int fd, SSL *ssl, enum stream_tls_role role)
{
        bufferevent_disable(t->bev, EV_READ | EV_WRITE);
        bufferevent_setfd(t->bev, fd);
        event_add(&t->bev->ev_read, NULL);
        if (role == STREAM_TLS_CONNECT)
                event_active(&t->bev->ev_write, EV_WRITE, 1);
        SSL_set_record_padding_callback_arg(ssl, t); /* 96 octets less than app_data */
        SSL_set_info_callback(ssl, on_progress);
}

static bool set_up(struct stream_tls *t, struct event_base *base, SSL *ssl, int fd,
                   enum stream_tls_role role)
{
        /* Without this a FIN that no close_notify precedes is a fatal error: OpenSSL answers with
         * an alert, and nothing can be written any more. With it, it looks like a close_notify to
         * SSL_read(); BIO_eof() tells them apart. */
        SSL_set_options(ssl, SSL_OP_IGNORE_UNEXPECTED_EOF);
        t->bev = bufferevent_openssl_socket_new(
                base, t->io != NULL ? -1 : fd, ssl,
                role == STREAM_TLS_ACCEPT ? BUFFEREVENT_SSL_ACCEPTING : BUFFEREVENT_SSL_CONNECTING,
                0);
        if (t->bev == NULL)
                return false;
        if (t->io != NULL) {
                stream_tls_direct_prepare(ssl);
                begin_for_detaching(t, fd, ssl, role);
                if (!record_bio_attach(&t->bio, ssl, fd))
                        return false;
        }
        t->s.in = bufferevent_get_input(t->bev);
        t->s.out = bufferevent_get_output(t->bev);
        event_assign(&t->retry, base, fd, EV_WRITE, on_retry, t);
        t->in_watch = evbuffer_add_cb(t->s.in, on_in_changed, t);
        bufferevent_setcb(t->bev, on_read, on_write, on_event, t);
        /* A read watermark that works would lose octets: libevent stops reading in the middle of a
         * record and waits for the socket to become readable, which holds none of it any more. So
         * INPUT_MAX is kept here, and between records; but without any libevent takes 4 KiB at a
         * time. */
        bufferevent_setwatermark(t->bev, EV_READ, 0, NO_WATERMARK);
        /* Called after every write, not only when all is gone: progress restarts timers. */
        bufferevent_setwatermark(t->bev, EV_WRITE, SIZE_MAX, 0);
        return t->in_watch != NULL;
}

struct stream *stream_tls_new(struct event_base *base, struct hangup *hangup, struct io *io,
                              SSL **ssl, int *fd, enum stream_tls_role role,
                              stream_tls_done_fn *done, void *arg)
{
        struct stream_tls *t = calloc(1, sizeof *t);
        if (t == NULL)
                return NULL;
        *t = (struct stream_tls){
                .s.ops = &tls_ops, .fd = -1, .hangup = hangup, .io = io, .done = done, .arg = arg
        };
        if (!set_up(t, base, *ssl, *fd, role)) {
                tls_free(&t->s, STREAM_CLOSE);
                return NULL;
        }
        t->ssl = TAKE(*ssl);
        t->fd = TAKE_FD(*fd);
        return &t->s;
}

/* The kernel took one direction alone, which no version and no cipher is a reason for: it is not
 * asked again. */
static atomic_bool half_taken;

bool stream_tls_leave_to_kernel(struct stream *s, enum ktls_wish wish)
{
        struct stream_tls *t = self(s);
        assert(t->io != NULL && t->phase == TLS_HANDSHAKE);
        if (wish == KTLS_NEVER || half_taken)
                return true;
        t->wish = wish;
        SSL_set_read_ahead(t->ssl, 0); /* what is read ahead the kernel never sees */
        return SSL_set_fd(t->ssl, t->fd) == 1;
}

/* It was wished for, and nothing came of it. */
static bool take_back(struct stream_tls *t)
{
        stream_tls_direct_prepare(t->ssl);
        return record_bio_attach(&t->bio, t->ssl, t->fd);
}

static struct stream *detached(struct stream_tls *t)
{
        unsigned kernel_has = t->wish != KTLS_NEVER ? ktls_directions(t->ssl) : 0;
        if (kernel_has == KTLS_BOTH)
                return stream_ktls_new(t->io, &t->ssl, &t->fd);
        if (kernel_has != 0) {
                half_taken = true;
                return NULL;
        }
        if (t->wish != KTLS_NEVER && !take_back(t))
                return NULL;
        return stream_tls_direct_new(t->io, &t->ssl, &t->fd, &t->bio);
}

/* libevent must have let go of the descriptor before somebody else watches it. */
const char *stream_tls_detach(struct stream **s)
{
        struct stream_tls *t = self(*s);
        assert(t->io != NULL && t->phase == TLS_OPEN);
        bufferevent_disable(t->bev, EV_READ | EV_WRITE);
        struct stream *direct = detached(t);
        if (direct == NULL)
                return half_taken ? "the kernel has taken one direction of TLS alone"
                                  : "out of memory";
        tls_free(*s, STREAM_CLOSE);
        *s = direct;
        return NULL;
}

bool stream_is_tls(const struct stream *s)
{
        return s->ops == &tls_ops || stream_is_tls_direct(s) || stream_is_ktls(s);
}

const struct tls_info *stream_tls_info(struct stream *s, struct tls_info *info)
{
        if (stream_is_ktls(s))
                return stream_ktls_info(s);
        tls_info_fill(info, stream_tls_ssl(s));
        return info;
}

SSL *stream_tls_ssl(struct stream *s)
{
        assert(!stream_is_ktls(s));
        return stream_is_tls_direct(s) ? stream_tls_direct_ssl(s) : self(s)->ssl;
}

void stream_tls_alert(struct stream *s)
{
        if (stream_is_ktls(s)) {
                stream_ktls_alert(s);
                return;
        }
        if (stream_is_tls_direct(s)) {
                stream_tls_direct_alert(s);
                return;
        }
        struct stream_tls *t = self(s);
        if (t->phase == TLS_FAILED || s->lost != STREAM_OPEN)
                return;
        bufferevent_disable(t->bev, EV_READ | EV_WRITE);
        tls_put_alert(t->ssl);
}
