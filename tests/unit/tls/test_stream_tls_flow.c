/* SPDX-License-Identifier: ISC */
/* How octets flow through a TLS stream, and how it is closed. */
#include "matrix.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include <openssl/err.h>

#include "base/own.h"

/* --- back-pressure ---------------------------------------------------------------------------- */

static void input_is_bounded(struct rig *r)
{
        stream_want_read(r->s, true);
        peer_send_pattern(r, MANY);
        size_t queued = 0;
        /* Until the peer's socket is full too, and nothing moves any more. */
        while (queued != evbuffer_get_length(r->to_send)) {
                queued = evbuffer_get_length(r->to_send);
                rig_turns(r, 50);
        }
        assert_true(queued > 0);
        assert_in_range(evbuffer_get_length(r->s->in), 64 * 1024, 128 * 1024);
        /* Whoever takes a little at a time gets everything. */
        while (evbuffer_get_length(r->taken) < MANY) {
                UNTIL(r, evbuffer_get_length(r->s->in) > 0);
                evbuffer_remove_buffer(r->s->in, r->taken, 30011);
        }
        pattern_check(r->taken, MANY);
}

/* A record that crosses the bound of `in`, and then nothing that could make the socket readable
 * once more: all of it must come. */
static void a_record_across_the_bound(struct rig *r)
{
        enum { BOUND = 64 * 1024, LAST = 16384 };
        static const size_t sizes[] = { 16000, 16383, 9000, 12345, 1000, 65 };
        stream_want_read(r->s, true);
        for (size_t i = 0; i < COUNTOF(sizes); i++) {
                struct evbuffer *from = evbuffer_new();
                size_t total = 0;
                pattern_add(from, BOUND + LAST);
                while (total < BOUND) {
                        size_t n = total + sizes[i] < BOUND ? sizes[i] : LAST;
                        unsigned char *record = evbuffer_pullup(from, (ev_ssize_t)n);
                        assert_int_equal(SSL_write(r->peer, record, (int)n), n);
                        evbuffer_drain(from, n);
                        total += n;
                        UNTIL(r, stream_unread(r->s) == 0);
                }
                evbuffer_add_buffer(r->taken, r->s->in);
                UNTIL(r, evbuffer_get_length(r->s->in) + evbuffer_get_length(r->taken) == total);
                evbuffer_add_buffer(r->taken, r->s->in);
                pattern_check(r->taken, total);
                evbuffer_free(from);
        }
}

static void nothing_is_read_unasked(struct rig *r)
{
        peer_send(r, "early", 5);
        UNTIL(r, stream_unread(r->s) >= 5);
        rig_turns(r, 10);
        assert_true(r->kind != RIG_BUFFERED || evbuffer_get_length(r->s->in) == 0);
        rig_start_reading(r);
        UNTIL(r, evbuffer_get_length(r->taken) == 5);
        check_text(r->taken, "early");
}

static void every_size_arrives(struct rig *r)
{
        size_t total = 0;
        for (size_t n = 1; n < 70000; n = n * 3 / 2 + 1) {
                rig_send_pattern(r, n);
                UNTIL(r, evbuffer_get_length(r->got) == n);
                pattern_check(r->got, n);
                total += n;
        }
        for (int i = 0; i < 1000; i++)
                rig_send(r, "x", 1);
        UNTIL(r, evbuffer_get_length(r->got) == 1000);
        assert_true(total > 0);
}

static void half_a_record_has_not_arrived(struct rig *r)
{
        rig_start_reading(r);
        UNTIL(r, stream_unread(r->s) == 0); /* a ticket */
        peer_raw(r, "\x17\x03\x03\x10\x00half", 9);
        UNTIL(r, SSL_has_pending(stream_tls_ssl(r->s)));
        assert_int_equal(stream_unread(r->s), 0);
        rig_stop_reading(r);
        peer_raw(r, "more", 4);
        /* The rest may be there: what OpenSSL holds counts again. */
        UNTIL(r, stream_unread(r->s) > 0);
        assert_true(stream_unread(r->s) >= 8);
}

/* --- special octets --------------------------------------------------------------------------- */

static void renegotiation_is_refused(struct rig *r)
{
        rig_start_reading(r);
        SSL_clear_options(r->peer, SSL_OP_NO_RENEGOTIATION);
        assert_int_equal(SSL_renegotiate(r->peer), 1);
        ERR_clear_error();
        assert_true(SSL_do_handshake(r->peer) <= 0);
        UNTIL(r, r->end != PEER_OPEN);
        assert_int_equal(r->warnings_in, 1);
        assert_int_equal(r->last_warning, SSL_AD_NO_RENEGOTIATION);
        /* The peer would not have it (and said so): the connection did not break because of us. */
        assert_int_equal(r->fatal_in, -1);
        assert_int_equal(r->fatal_out, SSL_AD_HANDSHAKE_FAILURE);
}

static void key_updates_are_answered(struct rig *r)
{
        rig_start_reading(r);
        for (int i = 0; i < 5; i++) {
                assert_int_equal(SSL_key_update(r->peer, SSL_KEY_UPDATE_REQUESTED), 1);
                peer_send(r, "ping", 4);
                UNTIL(r, evbuffer_get_length(r->taken) == 4);
                check_text(r->taken, "ping");
                rig_send_text(r, "pong");
                UNTIL(r, evbuffer_get_length(r->got) == 4);
                check_text(r->got, "pong");
        }
        SSL_key_update(r->peer, SSL_KEY_UPDATE_REQUESTED);
        peer_send(r, "last", 4);
        UNTIL(r, evbuffer_get_length(r->taken) == 4);
        rig_still_sends(r);
}

/* A ticket so large that it takes several records. */
static int fat_ticket(SSL *ssl, void *arg)
{
        (void)arg;
        static const char padding[900];
        return SSL_SESSION_set1_ticket_appdata(SSL_get_session(ssl), padding, sizeof padding);
}

static void finish_within_a_ticket(struct rig *r)
{
        char *octets;
        BIO *aside = BIO_new(BIO_s_mem());
        rig_start_reading(r);
        SSL_CTX_set_session_ticket_cb(SSL_get_SSL_CTX(r->peer), fat_ticket, NULL, NULL);
        SSL_set_max_send_fragment(r->peer, 512);
        BIO *socket = SSL_get_wbio(r->peer);
        BIO_up_ref(socket);
        BIO_up_ref(aside);
        SSL_set0_wbio(r->peer, aside);
        assert_int_equal(SSL_new_session_ticket(r->peer), 1);
        assert_int_equal(SSL_do_handshake(r->peer), 1);
        SSL_set0_wbio(r->peer, socket);
        size_t n = (size_t)BIO_get_mem_data(aside, &octets);
        assert_true(n > 700);
        peer_raw(r, octets, 600); /* one record, and some of the next */
        UNTIL(r, SSL_in_init(stream_tls_ssl(r->s)));
        stream_finish(r->s);
        rig_turns(r, 5);
        assert_int_equal(r->s->finished, STREAM_FINISHING);
        assert_int_equal(r->s->lost, STREAM_OPEN);
        rig_stop_reading(r);
        peer_raw(r, octets + 600, n - 600);
        UNTIL(r, r->s->finished == STREAM_FINISHED);
        UNTIL(r, r->end == PEER_CLOSE_NOTIFY);
        BIO_free(aside);
}

/* --- how it is closed ------------------------------------------------------------------------- */

static void alert_before_reset(struct rig *r)
{
        r->reading = false;
        peer_send(r, "unread", 6);
        rig_send_text(r, "pong");
        UNTIL(r, stream_queued(r->s) == 0 && stream_unread(r->s) > 0);
        stream_tls_alert(r->s);
        rig_free_stream(r, STREAM_CLOSE_RESET);
        r->reading = true;
        UNTIL(r, r->end != PEER_OPEN);
        check_text(r->got, "pong");
        assert_int_equal(r->end, PEER_ERROR);
        assert_int_equal(r->fatal_in, SSL_AD_INTERNAL_ERROR);
        char octet;
        assert_int_equal(recv(r->fd, &octet, 1, 0), -1);
        assert_int_equal(errno, ECONNRESET);
}

static void alert_after_half_a_record(struct rig *r)
{
        rig_start_reading(r);
        peer_raw(r, "\x17\x03\x03\x10\x00half", 9);
        UNTIL(r, r->kind == RIG_KTLS || SSL_has_pending(stream_tls_ssl(r->s)));
        stream_tls_alert(r->s);
        rig_free_stream(r, STREAM_CLOSE_RESET);
        UNTIL(r, r->end != PEER_OPEN);
        assert_int_equal(r->fatal_in, SSL_AD_INTERNAL_ERROR);
}

static void reset_is_a_reset(struct rig *r)
{
        rig_start_reading(r);
        peer_send(r, "ping", 4);
        UNTIL(r, evbuffer_get_length(r->taken) == 4);
        rig_free_stream(r, STREAM_CLOSE_RESET);
        UNTIL(r, r->end != PEER_OPEN);
        assert_int_equal(r->end, PEER_RESET);
        assert_int_equal(r->fatal_in, -1);
}

static void close_after_both_ended(struct rig *r)
{
        rig_start_reading(r);
        stream_finish(r->s);
        peer_close_notify(r);
        UNTIL(r, r->s->end == STREAM_END && r->end == PEER_CLOSE_NOTIFY);
        rig_free_stream(r, STREAM_CLOSE);
        char octet;
        assert_int_equal(recv(r->fd, &octet, 1, 0), 0);
        peer_fin(r);
}

static void free_from_the_reader(struct rig *r)
{
        r->free_on_read = true;
        stream_want_read(r->s, true);
        peer_send(r, "ping", 4);
        UNTIL(r, r->s == NULL);
        UNTIL(r, r->end == PEER_RESET);
}

static void free_at_the_end(struct rig *r)
{
        r->free_on_read = true;
        stream_want_read(r->s, true);
        peer_close_notify(r);
        UNTIL(r, r->s == NULL);
        UNTIL(r, r->end == PEER_RESET);
}

static void free_from_the_writer(struct rig *r)
{
        r->free_on_write = true;
        rig_send_text(r, "pong");
        UNTIL(r, r->s == NULL);
        UNTIL(r, r->end == PEER_RESET);
}

static void free_when_lost(struct rig *r)
{
        r->free_on_write = true;
        r->reading = false;
        peer_reset(r);
        UNTIL(r, r->s == NULL);
}

static void free_when_a_write_fails(struct rig *r)
{
        r->reading = false;
        rig_send_many(r);
        UNTIL(r, r->writes > 0);
        r->free_on_read = true;
        peer_reset(r);
        UNTIL(r, r->s == NULL);
}

static void free_on_handshake(struct rig *r)
{
        r->free_on_done = true;
        UNTIL(r, r->done && r->end != PEER_OPEN);
        assert_null(r->error);
        /* A server's write of its ticket takes the reset out of the socket. */
        assert_true(r->end == PEER_RESET || r->end == PEER_FIN);
        assert_int_equal(r->fatal_in, -1);
}

static void free_during_handshake(struct rig *r)
{
        rig_free_stream(r, STREAM_CLOSE_RESET);
        UNTIL(r, r->end != PEER_OPEN);
        assert_false(r->done);
}

static const struct promise promises[] = {
        { "input is bounded, and nothing gets stuck", input_is_bounded, ONLY_BUFFERED },
        { "a record across the bound comes whole", a_record_across_the_bound, ONLY_BUFFERED },
        { "nothing is read before it is wanted", nothing_is_read_unasked, 0 },
        { "octets of every size arrive", every_size_arrives, 0 },
        { "half a record has not arrived", half_a_record_has_not_arrived, NOT_KTLS },
        { "renegotiation is refused", renegotiation_is_refused,
          ONLY_TLS12 | ONLY_ACCEPT | NOT_KTLS },
        { "key updates are answered, even before our end", key_updates_are_answered,
          ONLY_TLS13 | NOT_KTLS },
        { "our end waits for the rest of a ticket", finish_within_a_ticket,
          ONLY_TLS13 | ONLY_CONNECT | NOT_KTLS },
        { "an alert goes before our reset", alert_before_reset, 0 },
        { "an alert can follow half a record", alert_after_half_a_record, 0 },
        { "our reset is a reset: no alert, no end", reset_is_a_reset, 0 },
        { "closing after both ends sends no reset", close_after_both_ended, 0 },
        { "the reader may free the stream", free_from_the_reader, 0 },
        { "the reader may free the stream at its end", free_at_the_end, 0 },
        { "the writer may free the stream", free_from_the_writer, ONLY_BUFFERED },
        { "the writer may free the stream when it is lost", free_when_lost, 0 },
        { "the reader may free the stream when a write fails", free_when_a_write_fails, 0 },
        { "the handshake's end may free the stream", free_on_handshake, BEFORE_HANDSHAKE },
        { "freed during the handshake, it says nothing more", free_during_handshake,
          BEFORE_HANDSHAKE },
};

int main(void)
{
        return matrix_run("stream_tls_flow", promises, COUNTOF(promises));
}
