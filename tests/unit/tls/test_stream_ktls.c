/* SPDX-License-Identifier: ISC */
/* What only a stream through the kernel's TLS has to promise. On a kernel without it there is
 * nothing to test. */
#include "matrix.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/socket.h>

#include <openssl/err.h>
#include <openssl/evp.h>

#include "base/own.h"
#include "base/text.h"
#include "net/stream_direct.h"
#include "tls/stream_ktls.h"

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
                rig_turns(r, 2);
        }
        BIO_free(aside);
        UNTIL(r, r->s->end != STREAM_OPEN);
        check_text(r->taken, "pingpong");
        assert_int_equal(r->s->end, STREAM_END);
        rig_still_sends(r);
}

static void half_a_record_has_not_arrived(struct rig *r)
{
        BIO *socket, *aside = keep_aside(r, &socket);
        char *octets;
        rig_start_reading(r);
        UNTIL(r, stream_unread(r->s) == 0); /* a ticket */
        assert_int_equal(SSL_write(r->peer, "ping", 4), 4);
        SSL_set0_wbio(r->peer, socket);
        size_t n = (size_t)BIO_get_mem_data(aside, &octets);
        peer_raw(r, octets, n - 1);
        UNTIL(r, stream_fd_unread(r->stream_fd) == n - 1);
        assert_int_equal(stream_unread(r->s), 0);
        rig_stop_reading(r);
        peer_raw(r, octets + n - 1, 1);
        UNTIL(r, stream_unread(r->s) > 0);
        assert_in_range(stream_unread(r->s), 4, 64 * 1024);
        rig_start_reading(r);
        UNTIL(r, evbuffer_get_length(r->taken) == 4);
        assert_int_equal(stream_unread(r->s), 0);
        BIO_free(aside);
}

/* With room for one octet, of which no alert is. */
static void one_octet_is_taken_at_a_time(struct rig *r)
{
        char octet;
        peer_send(r, "ping", 4);
        peer_close_notify(r);
        rig_turns(r, 20);
        while (r->s->end == STREAM_OPEN) {
                size_t n = stream_receive(r->s, &octet, 1);
                evbuffer_add(r->taken, &octet, n);
                if (!r->s->readable)
                        rig_turn(r);
        }
        check_text(r->taken, "ping");
        assert_int_equal(r->s->end, STREAM_END);
        rig_still_sends(r);
}

/* --- keys ------------------------------------------------------------------------------------- */

static void a_key_update_is_a_cut(struct rig *r)
{
        rig_start_reading(r);
        peer_send(r, "ping", 4);
        assert_int_equal(SSL_key_update(r->peer, SSL_KEY_UPDATE_NOT_REQUESTED), 1);
        peer_send(r, "pong", 4);
        UNTIL(r, r->s->end != STREAM_OPEN);
        check_text(r->taken, "ping");
        assert_int_equal(r->s->end, STREAM_BROKEN);
        assert_int_equal(r->s->lost, STREAM_BROKEN);
        assert_string_equal(r->s->detail,
                            "the peer changed its keys, which kernel TLS cannot follow");
        UNTIL(r, r->end != PEER_OPEN);
        assert_int_equal(r->fatal_in, SSL_AD_INTERNAL_ERROR);
}

static void renegotiation_is_a_cut(struct rig *r)
{
        rig_start_reading(r);
        SSL_clear_options(r->peer, SSL_OP_NO_RENEGOTIATION);
        assert_int_equal(SSL_renegotiate(r->peer), 1);
        ERR_clear_error();
        assert_true(SSL_do_handshake(r->peer) <= 0);
        UNTIL(r, r->s->end != STREAM_OPEN);
        assert_int_equal(r->s->end, STREAM_BROKEN);
        assert_string_equal(r->s->detail, "the peer asked for renegotiation");
        UNTIL(r, r->end != PEER_OPEN);
        assert_int_equal(r->fatal_in, SSL_AD_HANDSHAKE_FAILURE);
}

/* A record of the next record layer's, behind octets nobody has read yet. */
static void what_came_before_a_bad_record(struct rig *r)
{
        peer_send_pattern(r, 50000);
        assert_int_equal(evbuffer_get_length(r->to_send), 0);
        peer_raw(r, "GET / HTTP/1.1\r\n\r\n", 18);
        rig_turns(r, 50);
        rig_start_reading(r);
        UNTIL(r, r->s->end != STREAM_OPEN);
        assert_int_equal(r->s->end, STREAM_BROKEN);
        assert_int_equal(evbuffer_get_length(r->taken), 50000);
        pattern_check(r->taken, 50000);
}

/* --- our own end ------------------------------------------------------------------------------ */

/* Everything was given away, and the socket is full: nothing may be overtaken. */
static void the_end_waits_for_a_full_socket(struct rig *r)
{
        static unsigned char octets[4096];
        size_t n = 0;
        r->reading = false;
        do {
                rig_send(r, octets, sizeof octets);
                n += sizeof octets;
        } while (stream_queued(r->s) == 0);
        UNTIL(r, r->writes > 0);
        r->reading = true;
        UNTIL(r, stream_queued(r->s) == 0);
        r->reading = false;
        stream_finish(r->s);
        rig_turns(r, 5);
        r->reading = true;
        UNTIL(r, r->end != PEER_OPEN);
        assert_int_equal(r->end, PEER_CLOSE_NOTIFY);
        assert_int_equal(r->s->finished, STREAM_FINISHED);
        assert_int_equal(evbuffer_get_length(r->got), n);
}

/* --- splicing --------------------------------------------------------------------------------- */

/* A plain leg beside the one under test, and who is at its other end. */
struct beside {
        struct stream *s;
        int fd;
        struct evbuffer *got;
        size_t given;
};

static struct beside beside_open(struct rig *r)
{
        int fds[2];
        struct beside b = { .got = evbuffer_new() };
        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
        b.fd = fds[1];
        b.s = stream_direct_new(r->io, &fds[0], STREAM_DIRECT_CONNECTED);
        stream_want_read(b.s, true);
        return b;
}

static void beside_close(struct beside *b)
{
        stream_free(b->s, STREAM_CLOSE);
        own_close(&b->fd);
        evbuffer_free(b->got);
}

static bool splices; /* at least once */

/* As the pump between direct streams does. */
static void move(struct rig *r, struct stream *to, struct stream *from)
{
        static unsigned char octets[65536];
        while (from->readable && from->end == STREAM_OPEN && stream_queued(to) == 0) {
                size_t n = stream_splice(to, from, SIZE_MAX);
                splices = splices || n > 0;
                if (n > 0 || !from->readable)
                        continue;
                n = stream_receive(from, octets, sizeof octets);
                stream_send(to, octets, n, false);
        }
        rig_turn(r);
}

static void take_beside(struct beside *b)
{
        char octets[65536];
        ssize_t n;
        while ((n = recv(b->fd, octets, sizeof octets, MSG_DONTWAIT)) > 0)
                evbuffer_add(b->got, octets, (size_t)n);
}

static void spliced_away(struct rig *r)
{
        struct beside b = beside_open(r);
        splices = false;
        peer_send_pattern(r, MANY);
        for (int turn = 0; turn < 20; turn++) /* the pipe, and then its reader, are full */
                move(r, b.s, r->s);
        assert_true(stream_queued(b.s) > 0);
        while (evbuffer_get_length(r->to_send) > 0) {
                move(r, b.s, r->s);
                take_beside(&b);
        }
        peer_close_notify(r);
        while (r->s->end == STREAM_OPEN || stream_queued(b.s) > 0) {
                move(r, b.s, r->s);
                take_beside(&b);
        }
        take_beside(&b);
        assert_int_equal(r->s->end, STREAM_END);
        assert_true(splices);
        assert_int_equal(evbuffer_get_length(b.got), MANY);
        pattern_check(b.got, MANY);
        beside_close(&b);
        rig_still_sends(r);
}

static void spliced_away_and_cut(struct rig *r)
{
        enum { SOME = 100000 };
        struct beside b = beside_open(r);
        peer_send_pattern(r, SOME);
        assert_int_equal(evbuffer_get_length(r->to_send), 0);
        UNTIL(r, stream_fd_unacked(r->fd) == 0);
        peer_reset(r);
        while (r->s->end == STREAM_OPEN || stream_queued(b.s) > 0) {
                move(r, b.s, r->s);
                take_beside(&b);
        }
        take_beside(&b);
        assert_int_equal(r->s->end, STREAM_RESET);
        assert_int_equal(evbuffer_get_length(b.got), SOME);
        pattern_check(b.got, SOME);
        beside_close(&b);
}

static void give_beside(struct beside *b, struct evbuffer *all)
{
        size_t n = evbuffer_get_length(all) - b->given;
        unsigned char *octets = evbuffer_pullup(all, -1);
        ssize_t k = n > 0 ? send(b->fd, octets + b->given, n, MSG_DONTWAIT | MSG_NOSIGNAL) : 0;
        b->given += k > 0 ? (size_t)k : 0;
        if (n == 0)
                shutdown(b->fd, SHUT_WR);
}

/* Megabytes, of which much is in a pipe when the other side ends. */
static void spliced_towards_it(struct rig *r)
{
        struct beside b = beside_open(r);
        struct evbuffer *all = evbuffer_new();
        pattern_add(all, MANY);
        splices = false;
        r->reading = false;
        while (stream_queued(r->s) == 0) {
                give_beside(&b, all);
                move(r, r->s, b.s);
        }
        assert_true(splices && r->s->end == STREAM_OPEN);
        peer_close_notify(r);
        r->reading = true;
        while (b.s->end == STREAM_OPEN) {
                give_beside(&b, all);
                move(r, r->s, b.s);
        }
        assert_int_equal(b.s->end, STREAM_END);
        stream_finish(r->s);
        UNTIL(r, r->end != PEER_OPEN);
        assert_int_equal(r->end, PEER_CLOSE_NOTIFY);
        assert_int_equal(r->s->finished, STREAM_FINISHED);
        assert_int_equal(evbuffer_get_length(r->got), MANY);
        pattern_check(r->got, MANY);
        evbuffer_free(all);
        beside_close(&b);
}

/* --- by halves -------------------------------------------------------------------------------- */

static void insist(int writing, int version, int type, const void *octets, size_t n, SSL *ssl,
                   void *arg)
{
        (void)writing, (void)version, (void)type, (void)octets, (void)n, (void)arg;
        SSL_set_options(ssl, SSL_OP_ENABLE_KTLS);
}

/* OpenSSL before 3.2 can be brought to leave TLS 1.3 to the kernel in one direction. */
static void one_direction_alone_is_refused(struct rig *r)
{
        const char *has = getenv("KTLS_TLS13");
        if (has == NULL || atoi(has) != KTLS_SENDS)
                return;
        r->refused = true;
        SSL_set_msg_callback(stream_tls_ssl(r->s), insist);
        UNTIL(r, r->done);
        rig_free_stream(r, STREAM_CLOSE_RESET);
        UNTIL(r, r->end != PEER_OPEN);

        struct rig next; /* which is not tried with */
        rig_open(&next, TLS1_2_VERSION, r->role, RIG_NO_KTLS, NULL, NULL);
        rig_shake(&next);
        rig_still_sends(&next);
        rig_close(&next);
}

/* --- going on elsewhere ----------------------------------------------------------------------- */

static void go_on_in_another(struct rig *r)
{
        struct stream_state state;
        struct stream_ktls_state kernel;
        struct text rest = { 0 };
        bool finishing = r->s->finished == STREAM_FINISHING;
        stream_ktls_save(r->s, &kernel);
        int fd = stream_release(TAKE(r->s), &state, &rest);
        r->s = stream_ktls_new_as(r->io, &fd, &kernel);
        assert_non_null(r->s);
        stream_resume(r->s, &state, &rest);
        if (finishing) /* as a relay does */
                stream_finish(r->s);
        rig_listen(r);
        stream_state_fini(&state);
        stream_ktls_state_fini(&kernel);
        text_fini(&rest);
}

/* Each turn of the loop finds it in another stream, in the middle of whatever it is. */
#define RESTLESS(promise)                             \
        static void restless_##promise(struct rig *r) \
        {                                             \
                r->before_turn = go_on_in_another;    \
                promise(r);                           \
                r->before_turn = NULL;                \
        }
RESTLESS(records_come_octet_by_octet)
RESTLESS(half_a_record_has_not_arrived)
RESTLESS(one_octet_is_taken_at_a_time)
RESTLESS(a_key_update_is_a_cut)
RESTLESS(what_came_before_a_bad_record)
RESTLESS(the_end_waits_for_a_full_socket)
RESTLESS(spliced_away)
RESTLESS(spliced_away_and_cut)
RESTLESS(spliced_towards_it)

/* What a handshake agreed on is known though nothing of OpenSSL is left. */
static void it_knows_its_handshake(struct rig *r)
{
        const char *version = r->version == TLS1_2_VERSION ? "TLSv1.2" : "TLSv1.3";
        for (int i = 0; i < 3; i++) {
                struct tls_info none = { 0 };
                const struct tls_info *info = stream_tls_info(r->s, &none);
                assert_string_equal(info->version, version);
                assert_string_equal(info->cipher, SSL_get_cipher_name(r->peer));
                assert_non_null(info->group);
                assert_null(none.version);
                go_on_in_another(r);
        }
        rig_still_sends(r);
}

static const struct promise promises[] = {
        { "records may come octet by octet", records_come_octet_by_octet, ONLY_KTLS },
        { "half a record has not arrived", half_a_record_has_not_arrived, ONLY_KTLS },
        { "octets are taken one at a time", one_octet_is_taken_at_a_time, ONLY_KTLS },
        { "a key update is a cut, answered and named", a_key_update_is_a_cut,
          ONLY_KTLS | ONLY_TLS13 },
        { "renegotiation is a cut, answered and named", renegotiation_is_a_cut,
          ONLY_KTLS | ONLY_TLS12 | ONLY_ACCEPT },
        { "what came before something that is no TLS", what_came_before_a_bad_record, ONLY_KTLS },
        { "our end waits for a full socket", the_end_waits_for_a_full_socket, ONLY_KTLS },
        { "megabytes are spliced away, to their end", spliced_away, ONLY_KTLS },
        { "octets are spliced away, to a reset", spliced_away_and_cut, ONLY_KTLS },
        { "megabytes are spliced towards it", spliced_towards_it, ONLY_KTLS },
        { "it knows its handshake", it_knows_its_handshake, ONLY_KTLS },
        { "restless: records may come octet by octet", restless_records_come_octet_by_octet,
          ONLY_KTLS },
        { "restless: half a record has not arrived", restless_half_a_record_has_not_arrived,
          ONLY_KTLS },
        { "restless: octets are taken one at a time", restless_one_octet_is_taken_at_a_time,
          ONLY_KTLS },
        { "restless: a key update is a cut", restless_a_key_update_is_a_cut,
          ONLY_KTLS | ONLY_TLS13 },
        { "restless: what came before something that is no TLS",
          restless_what_came_before_a_bad_record, ONLY_KTLS },
        { "restless: our end waits for a full socket", restless_the_end_waits_for_a_full_socket,
          ONLY_KTLS },
        { "restless: megabytes are spliced away, to their end", restless_spliced_away, ONLY_KTLS },
        { "restless: octets are spliced away, to a reset", restless_spliced_away_and_cut,
          ONLY_KTLS },
        { "restless: megabytes are spliced towards it", restless_spliced_towards_it, ONLY_KTLS },
        /* The last: nothing is left to the kernel any more. */
        { "one direction alone is refused", one_direction_alone_is_refused,
          BEFORE_HANDSHAKE | ONLY_TLS13 | ONLY_ACCEPT | ONLY_DIRECT },
};

int main(void)
{
        return matrix_run("stream_ktls", promises, COUNTOF(promises));
}
