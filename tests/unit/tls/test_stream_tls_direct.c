/* SPDX-License-Identifier: ISC */
/* What only a direct stream has to promise: records and octets wait in places that a buffered one
 * does not have. */
#include "matrix.h"

#include <errno.h>
#include <netinet/in.h>
#include <linux/tcp.h>
#include <string.h>
#include <sys/socket.h>

#include <openssl/err.h>

#include "base/own.h"

/* Segments with octets in them that the stream's kernel has sent so far. */
static unsigned segments_out(const struct rig *r)
{
        struct tcp_info info = { 0 };
        socklen_t len = sizeof info;
        assert_int_equal(getsockopt(r->stream_fd, IPPROTO_TCP, TCP_INFO, &info, &len), 0);
        return info.tcpi_data_segs_out;
}

/* --- what is behind the handshake ------------------------------------------------------------- */

/* Octets, and the end, that arrive with the peer's Finished. */
static void octets_right_behind_finished(struct rig *r)
{
        BIO *aside = BIO_new(BIO_s_mem()), *socket = SSL_get_wbio(r->peer);
        char *octets;
        /* The peer's last flight is kept back until all is there. */
        if (r->role == STREAM_TLS_ACCEPT || r->version == TLS1_2_VERSION)
                while (SSL_get_state(r->peer) == TLS_ST_BEFORE)
                        rig_turn(r);
        BIO_up_ref(socket);
        BIO_up_ref(aside);
        SSL_set0_wbio(r->peer, aside);
        UNTIL(r, r->handshaken || BIO_get_mem_data(aside, &octets) > 0);
        if (!r->handshaken) { /* one flight more */
                SSL_set0_wbio(r->peer, socket);
                BIO_up_ref(socket);
                peer_raw(r, octets, (size_t)BIO_get_mem_data(aside, &octets));
                (void)BIO_reset(aside);
                BIO_up_ref(aside);
                SSL_set0_wbio(r->peer, aside);
                UNTIL(r, r->handshaken);
        }
        assert_int_equal(SSL_write(r->peer, "ping", 4), 4);
        peer_close_notify(r);
        size_t n = (size_t)BIO_get_mem_data(aside, &octets);
        SSL_set0_wbio(r->peer, socket);
        peer_raw(r, octets, n);
        BIO_free(aside);
        UNTIL(r, r->done);
        rig_turns(r, 5);
        rig_start_reading(r);
        UNTIL(r, r->s->end != STREAM_OPEN);
        check_text(r->taken, "ping");
        assert_int_equal(r->s->end, STREAM_END);
        rig_still_sends(r);
}

static void octets_behind_an_end_are_nothing(struct rig *r)
{
        rig_start_reading(r);
        peer_send(r, "ping", 4);
        peer_close_notify(r);
        peer_raw(r, "\x17\x03\x03\x00\x20 thirty-two octets of no meaning ", 37);
        UNTIL(r, r->s->end != STREAM_OPEN);
        peer_raw(r, "\x17\x03\x03\x00\x20 thirty-two octets of no meaning ", 37);
        rig_turns(r, 10);
        check_text(r->taken, "ping");
        assert_int_equal(r->s->end, STREAM_END);
        assert_int_equal(r->s->lost, STREAM_OPEN);
        rig_still_sends(r);
}

static void a_ticket_is_no_octet(struct rig *r)
{
        rig_start_reading(r);
        assert_int_equal(SSL_new_session_ticket(r->peer), 1);
        assert_int_equal(SSL_do_handshake(r->peer), 1);
        rig_turns(r, 5);
        assert_false(r->s->readable);
        assert_int_equal(evbuffer_get_length(r->taken), 0);
        assert_int_equal(r->s->end, STREAM_OPEN);
}

/* --- records ---------------------------------------------------------------------------------- */

/* What the peer writes from now on, instead of its socket. */
static BIO *keep_aside(struct rig *r, BIO **socket)
{
        BIO *aside = BIO_new(BIO_s_mem());
        *socket = SSL_get_wbio(r->peer);
        BIO_up_ref(*socket);
        BIO_up_ref(aside);
        SSL_set0_wbio(r->peer, aside);
        return aside;
}

static void records_come_octet_by_octet(struct rig *r)
{
        BIO *socket, *aside = keep_aside(r, &socket);
        char *octets;
        rig_start_reading(r);
        assert_int_equal(SSL_write(r->peer, "ping", 4), 4);
        assert_int_equal(SSL_write(r->peer, "pong", 4), 4);
        peer_close_notify(r);
        SSL_set0_wbio(r->peer, socket);
        size_t n = (size_t)BIO_get_mem_data(aside, &octets);
        for (size_t i = 0; i < n; i++) {
                assert_int_equal(r->s->end, STREAM_OPEN);
                peer_raw(r, octets + i, 1);
                UNTIL(r, stream_fd_unread(r->stream_fd) == 0);
        }
        BIO_free(aside);
        UNTIL(r, r->s->end != STREAM_OPEN);
        check_text(r->taken, "pingpong");
        assert_int_equal(r->s->end, STREAM_END);
}

/* The handshake as well. */
static void everything_comes_octet_by_octet(struct rig *r)
{
        BIO *socket, *aside = keep_aside(r, &socket);
        char octet;
        while (!r->done || !r->handshaken || BIO_pending(aside) > 0) {
                rig_turn(r);
                if (BIO_read(aside, &octet, 1) == 1)
                        peer_raw(r, &octet, 1);
        }
        assert_null(r->error);
        SSL_set0_wbio(r->peer, socket);
        BIO_free(aside);
        rig_start_reading(r);
        peer_send(r, "ping", 4);
        UNTIL(r, evbuffer_get_length(r->taken) == 4);
        rig_still_sends(r);
}

static void records_are_full(struct rig *r)
{
        static const struct {
                size_t octets;
                unsigned records;
        } table[] = { { 1, 1 }, { 16384, 1 }, { 16385, 2 }, { 256 * 1024, 16 } };
        for (size_t i = 0; i < COUNTOF(table); i++) {
                r->records_in = 0;
                rig_send_pattern(r, table[i].octets);
                UNTIL(r, evbuffer_get_length(r->got) == table[i].octets);
                assert_int_equal(r->records_in, table[i].records);
                pattern_check(r->got, table[i].octets);
        }
}

/* --- the queue -------------------------------------------------------------------------------- */

/* Whole records given to the kernel are out of the queue, the others are in it. */
static void the_queue_is_honest(struct rig *r)
{
        r->reading = false;
        rig_send_many(r);
        size_t queued = stream_queued(r->s);
        assert_true(queued > 0 && queued < MANY);
        assert_int_equal((MANY - queued) % 16384, 0);
        assert_true(stream_unsent(r->s) > 0);
        assert_true(stream_unacked(r->s) > 0);
        r->reading = true;
        UNTIL(r, stream_queued(r->s) < queued);
        r->reading = false;
        assert_true(stream_queued(r->s) == 0 || (MANY - stream_queued(r->s)) % 16384 == 0);
        r->reading = true;
        UNTIL(r, evbuffer_get_length(r->got) == MANY);
        assert_int_equal(stream_queued(r->s), 0);
        pattern_check(r->got, MANY);
}

static void what_is_queued_goes_with_a_cut(struct rig *r)
{
        r->reading = false;
        rig_send_many(r);
        assert_true(stream_queued(r->s) > 0);
        rig_start_reading(r);
        peer_reset(r);
        UNTIL(r, r->s->end != STREAM_OPEN);
        assert_int_equal(r->s->end, STREAM_RESET);
        assert_int_equal(stream_queued(r->s), 0);
        rig_send_text(r, "into the void");
        stream_finish(r->s);
        assert_int_equal(stream_queued(r->s), 0);
}

static void freed_with_much_in_the_queue(struct rig *r)
{
        r->reading = false;
        rig_send_many(r);
        stream_finish(r->s);
        assert_true(stream_queued(r->s) > 0);
        rig_free_stream(r, STREAM_CLOSE_RESET);
        r->reading = true;
        UNTIL(r, r->end != PEER_OPEN);
        assert_int_equal(r->end, PEER_RESET);
}

/* --- segments --------------------------------------------------------------------------------- */

static void the_last_octets_and_the_end_are_one_segment(struct rig *r)
{
        UNTIL(r, stream_unacked(r->s) == 0);
        unsigned before = segments_out(r);
        stream_send(r->s, "pong", 4, true);
        stream_finish(r->s);
        assert_int_equal(r->s->finished, STREAM_FINISHED);
        UNTIL(r, r->end != PEER_OPEN);
        check_text(r->got, "pong");
        assert_int_equal(r->end, PEER_CLOSE_NOTIFY);
        UNTIL(r, stream_unacked(r->s) == 0);
        assert_int_equal(segments_out(r), before + 1);
}

static void what_waits_for_more_can_be_pushed(struct rig *r)
{
        stream_send(r->s, "pong", 4, true);
        rig_turns(r, 5);
        assert_int_equal(evbuffer_get_length(r->got), 0);
        stream_push(r->s);
        UNTIL(r, evbuffer_get_length(r->got) == 4);
}

/* --- turns ------------------------------------------------------------------------------------ */

static size_t most_at_once;

static void receive_all(void *arg)
{
        static unsigned char octets[IO_SCRATCH_SIZE];
        struct rig *r = arg;
        size_t n, sum = 0;
        while (r->s->readable && (n = stream_receive(r->s, octets, sizeof octets)) > 0) {
                evbuffer_add(r->taken, octets, n);
                sum += n;
        }
        most_at_once = sum > most_at_once ? sum : most_at_once;
}

/* A peer that never runs dry: receiving ends all the same, and goes on in the next turn. */
static void a_turn_is_bounded(struct rig *r)
{
        int room = 16 * 1024 * 1024;
        setsockopt(r->stream_fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof room);
        setsockopt(r->fd, SOL_SOCKET, SO_SNDBUFFORCE, &room, sizeof room);
        most_at_once = 0;
        peer_send_pattern(r, MANY);
        while (evbuffer_get_length(r->to_send) > 0 && stream_fd_unread(r->stream_fd) < MANY / 2)
                rig_turn(r);
        stream_set_reader(r->s, receive_all, r);
        stream_set_writer(r->s, receive_all, r);
        stream_want_read(r->s, true);
        receive_all(r);
        UNTIL(r, evbuffer_get_length(r->taken) == MANY);
        pattern_check(r->taken, MANY);
        assert_true(most_at_once <= 1024 * 1024 + IO_SCRATCH_SIZE);
}

/* --- post-handshake messages ------------------------------------------------------------------ */

static void keys_change_in_the_middle(struct rig *r)
{
        rig_start_reading(r);
        for (int i = 0; i < 8; i++) {
                assert_int_equal(SSL_key_update(r->peer, SSL_KEY_UPDATE_REQUESTED), 1);
                peer_send_pattern(r, MANY / 4);
                rig_send_pattern(r, MANY / 4);
                assert_int_equal(SSL_key_update(stream_tls_ssl(r->s), SSL_KEY_UPDATE_REQUESTED), 1);
                UNTIL(r, evbuffer_get_length(r->taken) == MANY / 4);
                UNTIL(r, evbuffer_get_length(r->got) == MANY / 4);
                pattern_check(r->taken, MANY / 4);
                pattern_check(r->got, MANY / 4);
        }
        peer_close_notify(r);
        UNTIL(r, r->s->end != STREAM_OPEN);
        assert_int_equal(r->s->end, STREAM_END);
        rig_still_sends(r);
}

static void key_updates_without_end_are_a_cut(struct rig *r)
{
        rig_start_reading(r);
        for (int i = 0; i < 1000 && r->end == PEER_OPEN; i++) {
                SSL_key_update(r->peer, SSL_KEY_UPDATE_REQUESTED);
                ERR_clear_error();
                if (SSL_do_handshake(r->peer) != 1)
                        break;
        }
        UNTIL(r, r->s->end != STREAM_OPEN);
        assert_int_equal(r->s->end, STREAM_BROKEN);
        assert_string_equal(r->s->detail, "too many key updates");
}

/* Each is answered with an alert. */
static void ask_to_renegotiate(struct rig *r, unsigned times)
{
        for (unsigned i = 0; i < times && r->s->lost == STREAM_OPEN; i++) {
                assert_int_equal(SSL_renegotiate(r->peer), 1);
                ERR_clear_error();
                SSL_do_handshake(r->peer);
                if (i % 16 == 15)
                        rig_turn(r);
        }
}

static void answers_nobody_reads_are_bounded(struct rig *r)
{
        rig_start_reading(r);
        r->reading = false;
        rig_send_many(r);
        SSL_clear_options(r->peer, SSL_OP_NO_RENEGOTIATION);
        size_t queued = stream_queued(r->s);
        ask_to_renegotiate(r, 100);
        UNTIL(r, stream_unread(r->s) == 0);
        assert_in_range(stream_queued(r->s), 1, queued);
        assert_int_equal(r->s->lost, STREAM_OPEN);
        ask_to_renegotiate(r, 10000);
        UNTIL(r, r->s->end != STREAM_OPEN);
        assert_int_equal(r->s->end, STREAM_BROKEN);
        assert_string_equal(r->s->detail, "the peer asks for answers that it does not take");
}

/* A ticket so large that it takes several records. */
static int fat_ticket(SSL *ssl, void *arg)
{
        (void)arg;
        static const char padding[900];
        return SSL_SESSION_set1_ticket_appdata(SSL_get_session(ssl), padding, sizeof padding);
}

/* OpenSSL writes nothing before the other half has come; what is sent meanwhile is not lost, and
 * counts as queued. */
static void sending_within_a_ticket(struct rig *r)
{
        char *octets;
        BIO *socket, *aside;
        rig_start_reading(r);
        SSL_CTX_set_session_ticket_cb(SSL_get_SSL_CTX(r->peer), fat_ticket, NULL, NULL);
        SSL_set_max_send_fragment(r->peer, 512);
        aside = keep_aside(r, &socket);
        assert_int_equal(SSL_new_session_ticket(r->peer), 1);
        assert_int_equal(SSL_do_handshake(r->peer), 1);
        SSL_set0_wbio(r->peer, socket);
        size_t n = (size_t)BIO_get_mem_data(aside, &octets);
        assert_true(n > 700);
        peer_raw(r, octets, 600);
        UNTIL(r, SSL_in_init(stream_tls_ssl(r->s)));
        rig_send_text(r, "one, ");
        rig_send_text(r, "two, ");
        assert_int_equal(stream_queued(r->s), 10);
        stream_finish(r->s);
        rig_turns(r, 5);
        assert_int_equal(r->s->finished, STREAM_FINISHING);
        assert_int_equal(evbuffer_get_length(r->got), 0);
        peer_raw(r, octets + 600, n - 600);
        UNTIL(r, r->end != PEER_OPEN);
        check_text(r->got, "one, two, ");
        assert_int_equal(r->end, PEER_CLOSE_NOTIFY);
        assert_int_equal(r->s->finished, STREAM_FINISHED);
        assert_int_equal(stream_queued(r->s), 0);
        BIO_free(aside);
}

static const struct promise promises[] = {
        { "octets and an end right behind Finished", octets_right_behind_finished,
          ONLY_DIRECT | BEFORE_HANDSHAKE },
        { "what comes behind an end is nothing", octets_behind_an_end_are_nothing, ONLY_DIRECT },
        { "a ticket is no octet", a_ticket_is_no_octet, ONLY_DIRECT | ONLY_TLS13 | ONLY_CONNECT },
        { "records may come octet by octet", records_come_octet_by_octet, ONLY_DIRECT | NOT_KTLS },
        { "so may the handshake", everything_comes_octet_by_octet, ONLY_DIRECT | BEFORE_HANDSHAKE },
        { "records are full", records_are_full, ONLY_DIRECT | NOT_KTLS },
        { "what is queued is what the kernel has not", the_queue_is_honest,
          ONLY_DIRECT | NOT_KTLS },
        { "what is queued goes with a cut", what_is_queued_goes_with_a_cut, ONLY_DIRECT },
        { "a stream may be freed with much in its queue", freed_with_much_in_the_queue,
          ONLY_DIRECT },
        { "the last octets, close_notify and FIN are one segment",
          the_last_octets_and_the_end_are_one_segment, ONLY_DIRECT | NOT_KTLS },
        { "what waits for more can be pushed", what_waits_for_more_can_be_pushed,
          ONLY_DIRECT | NOT_KTLS },
        { "a turn is bounded", a_turn_is_bounded, ONLY_DIRECT },
        { "keys change in the middle", keys_change_in_the_middle,
          ONLY_DIRECT | NOT_KTLS | ONLY_TLS13 },
        { "key updates without end are a cut", key_updates_without_end_are_a_cut,
          ONLY_DIRECT | NOT_KTLS | ONLY_TLS13 },
        { "answers nobody reads are bounded", answers_nobody_reads_are_bounded,
          ONLY_DIRECT | NOT_KTLS | ONLY_TLS12 | ONLY_CONNECT },
        { "sending waits for the rest of a ticket", sending_within_a_ticket,
          ONLY_DIRECT | NOT_KTLS | ONLY_TLS13 | ONLY_CONNECT },
};

int main(void)
{
        return matrix_run("stream_tls_direct", promises, COUNTOF(promises));
}
