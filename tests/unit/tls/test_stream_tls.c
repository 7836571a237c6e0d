/* SPDX-License-Identifier: ISC */
/* Every byte, and every end as what it was. */
#include "matrix.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include <openssl/err.h>

#include "base/own.h"

/* --- ends ------------------------------------------------------------------------------------- */

static void end_after_octets(struct rig *r)
{
        rig_start_reading(r);
        peer_send(r, "ping", 4);
        peer_close_notify(r);
        UNTIL(r, r->s->end != STREAM_OPEN);
        check_text(r->taken, "ping");
        assert_int_equal(r->s->end, STREAM_END);
        assert_int_equal(r->s->lost, STREAM_OPEN);
        assert_null(r->s->detail);
        rig_still_sends(r);
}

static void end_with_fin_at_once(struct rig *r)
{
        peer_send(r, "ping", 4);
        peer_close_notify(r);
        peer_fin(r);
        rig_start_reading(r);
        UNTIL(r, r->s->end != STREAM_OPEN);
        check_text(r->taken, "ping");
        assert_int_equal(r->s->end, STREAM_END);
        rig_still_sends(r);
}

static void end_of_nothing(struct rig *r)
{
        rig_start_reading(r);
        peer_close_notify(r);
        UNTIL(r, r->s->end != STREAM_OPEN);
        assert_int_equal(r->s->end, STREAM_END);
        assert_int_equal(evbuffer_get_length(r->taken), 0);
        rig_still_sends(r);
}

static void end_while_much_is_queued(struct rig *r)
{
        r->reading = false;
        rig_send_many(r);
        rig_start_reading(r);
        peer_close_notify(r);
        peer_fin(r);
        UNTIL(r, r->s->end != STREAM_OPEN);
        assert_int_equal(r->s->end, STREAM_END);
        assert_true(stream_queued(r->s) > 0);
        r->reading = true;
        UNTIL(r, evbuffer_get_length(r->got) == MANY);
        pattern_check(r->got, MANY);
        rig_still_sends(r);
}

static void much_then_end(struct rig *r)
{
        peer_send_pattern(r, MANY);
        rig_start_reading(r);
        UNTIL(r, evbuffer_get_length(r->to_send) == 0);
        peer_close_notify(r);
        UNTIL(r, r->s->end != STREAM_OPEN);
        assert_int_equal(evbuffer_get_length(r->taken), MANY);
        pattern_check(r->taken, MANY);
        rig_still_sends(r);
}

static void octets_are_there_before_the_end(struct rig *r)
{
        /* Two records and the end, read in one turn, by a reader who looks once. */
        peer_send(r, "one", 3);
        peer_send(r, "two", 3);
        peer_close_notify(r);
        UNTIL(r, stream_unread(r->s) > 6);
        stream_want_read(r->s, true);
        UNTIL(r, r->s->end != STREAM_OPEN);
        check_text(r->s->in, "onetwo");
}

/* --- our own end ------------------------------------------------------------------------------ */

static void finish_then_receive(struct rig *r)
{
        rig_start_reading(r);
        rig_send_text(r, "ping");
        stream_finish(r->s);
        UNTIL(r, r->end == PEER_CLOSE_NOTIFY);
        check_text(r->got, "ping");
        peer_send_pattern(r, MANY);
        UNTIL(r, evbuffer_get_length(r->to_send) == 0);
        peer_close_notify(r);
        UNTIL(r, r->s->end != STREAM_OPEN);
        assert_int_equal(r->s->end, STREAM_END);
        assert_int_equal(evbuffer_get_length(r->taken), MANY);
        pattern_check(r->taken, MANY);
}

static void finish_comes_after_all(struct rig *r)
{
        r->reading = false;
        rig_send_many(r);
        stream_finish(r->s);
        UNTIL(r, r->writes > 0);
        assert_int_equal(r->s->finished, STREAM_FINISHING);
        r->reading = true;
        UNTIL(r, r->end != PEER_OPEN);
        assert_int_equal(r->end, PEER_CLOSE_NOTIFY);
        assert_int_equal(r->s->finished, STREAM_FINISHED);
        assert_int_equal(evbuffer_get_length(r->got), MANY);
        pattern_check(r->got, MANY);
}

static void finish_of_nothing(struct rig *r)
{
        stream_finish(r->s);
        assert_int_equal(r->s->finished, STREAM_FINISHED);
        stream_finish(r->s);
        UNTIL(r, r->end == PEER_CLOSE_NOTIFY);
        assert_int_equal(evbuffer_get_length(r->got), 0);
}

static int full_socket_for;

static long full_socket(BIO *b, int oper, const char *p, size_t n, int i, long l, int result,
                        size_t *done)
{
        (void)p, (void)n, (void)i, (void)l, (void)done;
        if (oper != BIO_CB_WRITE || full_socket_for == 0)
                return result;
        full_socket_for--;
        BIO_set_retry_write(b);
        return -1;
}

static void finish_into_a_full_socket(struct rig *r)
{
        full_socket_for = 3;
        BIO_set_callback_ex(SSL_get_wbio(stream_tls_ssl(r->s)), full_socket);
        unsigned before = r->writes;
        stream_finish(r->s);
        assert_int_equal(r->s->finished, STREAM_FINISHING);
        UNTIL(r, r->s->finished == STREAM_FINISHED);
        assert_true(r->writes > before);
        assert_int_equal(full_socket_for, 0);
        UNTIL(r, r->end == PEER_CLOSE_NOTIFY);
}

static void both_end_at_once(struct rig *r)
{
        rig_start_reading(r);
        stream_finish(r->s);
        peer_close_notify(r);
        peer_fin(r);
        UNTIL(r, r->end != PEER_OPEN && r->s->end != STREAM_OPEN);
        assert_int_equal(r->end, PEER_CLOSE_NOTIFY);
        assert_int_equal(r->s->end, STREAM_END);
        assert_int_equal(r->s->finished, STREAM_FINISHED);
        assert_int_equal(r->s->lost, STREAM_OPEN);
}

/* close_notify and close(2), as most clients that are through: ours finds nobody, nothing is lost.
 */
static void finish_towards_a_peer_that_is_through(struct rig *r)
{
        rig_start_reading(r);
        rig_send_text(r, "all of it");
        UNTIL(r, evbuffer_get_length(r->got) == strlen("all of it"));
        UNTIL(r, stream_unacked(r->s) == 0);
        peer_close_notify(r);
        UNTIL(r, r->s->end == STREAM_END);
        own_close(&r->fd);
        stream_finish(r->s);
        UNTIL(r, r->s->finished == STREAM_FINISHED);
        rig_turns(r, 20);
        assert_int_equal(r->s->lost, STREAM_OPEN);
}

/* --- cuts ------------------------------------------------------------------------------------- */

static void truncation(struct rig *r)
{
        rig_start_reading(r);
        peer_send(r, "ping", 4);
        peer_fin(r);
        UNTIL(r, r->s->end != STREAM_OPEN);
        check_text(r->taken, "ping");
        assert_int_equal(r->s->end, STREAM_TRUNCATED);
        assert_int_equal(r->s->lost, STREAM_OPEN);
        assert_string_equal(r->s->detail, "connection closed without close_notify");
        rig_still_sends(r);
}

static void truncation_while_much_is_queued(struct rig *r)
{
        r->reading = false;
        rig_send_many(r);
        rig_start_reading(r);
        peer_fin(r);
        UNTIL(r, r->s->end != STREAM_OPEN);
        assert_int_equal(r->s->end, STREAM_TRUNCATED);
        r->reading = true;
        UNTIL(r, evbuffer_get_length(r->got) == MANY);
        pattern_check(r->got, MANY);
        rig_still_sends(r);
}

static void truncation_within_a_record(struct rig *r)
{
        rig_start_reading(r);
        peer_send(r, "ping", 4);
        peer_raw(r, "\x17\x03\x03\x01\x00half", 9);
        peer_fin(r);
        UNTIL(r, r->s->end != STREAM_OPEN);
        check_text(r->taken, "ping");
        assert_int_equal(r->s->end, STREAM_TRUNCATED);
}

static void reset_after_octets(struct rig *r)
{
        peer_send(r, "ping", 4);
        peer_reset(r);
        rig_start_reading(r);
        UNTIL(r, r->s->end != STREAM_OPEN);
        check_text(r->taken, "ping");
        assert_int_equal(r->s->end, STREAM_RESET);
        assert_int_equal(r->s->lost, STREAM_RESET);
        assert_string_equal(r->s->detail, "Connection reset by peer");
}

static void reset_while_reading(struct rig *r)
{
        rig_start_reading(r);
        peer_send(r, "ping", 4);
        UNTIL(r, evbuffer_get_length(r->taken) == 4);
        peer_reset(r);
        UNTIL(r, r->s->end != STREAM_OPEN);
        assert_int_equal(r->s->end, STREAM_RESET);
        assert_int_equal(r->s->lost, STREAM_RESET);
        assert_string_equal(r->s->detail, "Connection reset by peer");
}

static void reset_before_reading_began(struct rig *r)
{
        peer_send(r, "ping", 4);
        peer_reset(r);
        UNTIL(r, r->s->lost != STREAM_OPEN);
        assert_int_equal(r->s->lost, STREAM_RESET);
        UNTIL(r, r->reads > 0 && r->writes > 0);
        rig_start_reading(r);
        UNTIL(r, r->s->end != STREAM_OPEN);
        check_text(r->taken, "ping");
        assert_int_equal(r->s->end, STREAM_RESET);
        assert_string_equal(r->s->detail, "Connection reset by peer");
}

/* TLS 1.3: our ticket is what runs into it, and OpenSSL does not say so. */
static void reset_right_behind_the_handshake(struct rig *r)
{
        while (!r->handshaken)
                rig_turn(r);
        peer_reset(r);
        UNTIL(r, r->done);
        assert_null(r->error);
        rig_start_reading(r);
        UNTIL(r, r->s->end != STREAM_OPEN);
        assert_int_equal(r->s->end, STREAM_RESET);
        assert_int_equal(r->s->lost, STREAM_RESET);
}

static void reset_while_paused(struct rig *r)
{
        rig_start_reading(r);
        peer_send(r, "ping", 4);
        UNTIL(r, evbuffer_get_length(r->taken) == 4);
        rig_stop_reading(r);
        unsigned reads = r->reads, writes = r->writes;
        peer_send(r, "more", 4);
        peer_reset(r);
        UNTIL(r, r->s->lost != STREAM_OPEN);
        assert_int_equal(r->s->end, STREAM_OPEN);
        UNTIL(r, r->reads > reads && r->writes > writes);
        rig_start_reading(r);
        UNTIL(r, r->s->end != STREAM_OPEN);
        check_text(r->taken, "pingmore");
        assert_int_equal(r->s->end, STREAM_RESET);
}

static void reset_after_end(struct rig *r)
{
        rig_start_reading(r);
        peer_close_notify(r);
        UNTIL(r, r->s->end == STREAM_END);
        unsigned writes = r->writes;
        peer_reset(r);
        UNTIL(r, r->s->lost != STREAM_OPEN);
        assert_int_equal(r->s->lost, STREAM_RESET);
        assert_int_equal(r->s->end, STREAM_END);
        UNTIL(r, r->writes > writes);
}

static void write_fails_after_octets_came(struct rig *r)
{
        size_t n = 50000;
        r->reading = false;
        rig_send_many(r);
        UNTIL(r, r->writes > 0);
        peer_send_pattern(r, n);
        assert_int_equal(evbuffer_get_length(r->to_send), 0);
        peer_reset(r);
        UNTIL(r, r->s->lost != STREAM_OPEN);
        rig_start_reading(r);
        UNTIL(r, r->s->end != STREAM_OPEN);
        assert_int_equal(r->s->end, STREAM_RESET);
        assert_int_equal(evbuffer_get_length(r->taken), n);
        pattern_check(r->taken, n);
}

static void write_fails_while_octets_come(struct rig *r)
{
        size_t n = 100000;
        r->reading = false;
        rig_send_many(r);
        rig_start_reading(r);
        UNTIL(r, r->writes > 0);
        peer_send_pattern(r, n);
        assert_int_equal(evbuffer_get_length(r->to_send), 0);
        peer_reset(r);
        UNTIL(r, r->s->end != STREAM_OPEN);
        assert_int_equal(r->s->end, STREAM_RESET);
        assert_int_equal(evbuffer_get_length(r->taken), n);
        pattern_check(r->taken, n);
}

static void writing_breaks(struct rig *r)
{
        /* TLS itself fails, with the peer silent and the socket alive: nothing else will tell. */
        rig_start_reading(r);
        SSL_set0_wbio(stream_tls_ssl(r->s), NULL);
        rig_send_text(r, "pong");
        UNTIL(r, r->s->end != STREAM_OPEN);
        assert_int_equal(r->s->end, STREAM_BROKEN);
        assert_int_equal(r->s->lost, STREAM_BROKEN);
        assert_non_null(r->s->detail);
}

static void fatal_alert(struct rig *r)
{
        rig_start_reading(r);
        peer_send(r, "ping", 4);
        peer_fatal_alert(r);
        UNTIL(r, r->s->end != STREAM_OPEN);
        check_text(r->taken, "ping");
        assert_int_equal(r->s->end, STREAM_BROKEN);
        assert_int_equal(r->s->lost, STREAM_BROKEN);
        assert_string_equal(r->s->detail, "peer sent alert: internal error");
}

static void bad_record(struct rig *r)
{
        rig_start_reading(r);
        peer_send(r, "ping", 4);
        peer_raw(r, "\x17\x03\x03\x00\x20 thirty-two octets of no meaning ", 37);
        UNTIL(r, r->s->end != STREAM_OPEN);
        check_text(r->taken, "ping");
        assert_int_equal(r->s->end, STREAM_BROKEN);
        assert_int_equal(r->s->lost, STREAM_BROKEN);
        assert_string_equal(r->s->detail, "decryption failed or bad record mac");
        UNTIL(r, r->end != PEER_OPEN);
        assert_int_equal(r->fatal_in, SSL_AD_BAD_RECORD_MAC);
}

static const struct promise promises[] = {
        { "an end comes after the octets before it, and our side goes on", end_after_octets, 0 },
        { "an end with its FIN right behind is an end", end_with_fin_at_once, 0 },
        { "a peer may say nothing at all", end_of_nothing, 0 },
        { "an end does not stop megabytes that are queued", end_while_much_is_queued, 0 },
        { "megabytes, then the end", much_then_end, 0 },
        { "every octet is there when the end is told", octets_are_there_before_the_end,
          ONLY_BUFFERED },
        { "after our end we go on receiving", finish_then_receive, 0 },
        { "our end comes after all that was queued", finish_comes_after_all, 0 },
        { "our end when nothing is queued", finish_of_nothing, 0 },
        { "our end waits for a full socket", finish_into_a_full_socket, ONLY_BUFFERED },
        { "both sides may end at the same time", both_end_at_once, 0 },
        { "a FIN without close_notify is a truncation, our side goes on", truncation, 0 },
        { "a truncation does not stop megabytes either", truncation_while_much_is_queued, 0 },
        { "a FIN within a record is a truncation", truncation_within_a_record, 0 },
        { "a reset comes after the octets before it", reset_after_octets, 0 },
        { "a reset is noticed while reading", reset_while_reading, 0 },
        { "a reset is noticed before reading began", reset_before_reading_began, 0 },
        { "a reset is noticed while reading is paused", reset_while_paused, 0 },
        { "an end nobody is left to hear is no cut", finish_towards_a_peer_that_is_through, 0 },
        { "a reset right behind the handshake is no truncation", reset_right_behind_the_handshake,
          BEFORE_HANDSHAKE | ONLY_TLS13 | ONLY_ACCEPT },
        { "a reset is noticed after the peer's end", reset_after_end, 0 },
        { "a failed write does not lose what came before", write_fails_after_octets_came, 0 },
        { "a failed write does not stop what is coming", write_fails_while_octets_come, 0 },
        { "a write that TLS fails breaks the stream", writing_breaks, NOT_KTLS },
        { "a fatal alert breaks the stream and is named", fatal_alert, 0 },
        { "a bad record breaks the stream and is answered", bad_record, 0 },
};

int main(void)
{
        return matrix_run("stream_tls", promises, COUNTOF(promises));
}
