/* SPDX-License-Identifier: ISC */
/* A handshake that fails says why, to the record and to the peer. */
#include "matrix.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include <openssl/err.h>

#include "base/own.h"
#include "tls/info.h"

static void fails_with(struct rig *r, const char *why)
{
        UNTIL(r, r->done);
        assert_non_null(r->error);
        assert_string_equal(r->error, why);
}

static void peer_goes_away(struct rig *r)
{
        r->reading = false;
        peer_fin(r);
        fails_with(r, "peer closed during the handshake");
}

static void peer_goes_away_in_the_middle(struct rig *r)
{
        r->reading = false;
        peer_raw(r, "\x16\x03\x01\x02\x00half", 9);
        peer_fin(r);
        fails_with(r, "peer closed during the handshake");
}

static void peer_resets(struct rig *r)
{
        peer_reset(r);
        fails_with(r, "Connection reset by peer during the handshake");
}

static void peer_speaks_http(struct rig *r)
{
        static const char request[] = "GET / HTTP/1.0\r\n\r\n",
                          answer[] = "HTTP/1.1 400 Bad Request\r\n\r\n";
        r->reading = false;
        if (r->role == STREAM_TLS_ACCEPT) {
                peer_raw(r, request, sizeof request - 1);
                fails_with(r, "the peer speaks plain HTTP, not TLS");
        } else {
                peer_raw(r, answer, sizeof answer - 1);
                fails_with(r, "the peer does not speak TLS (wrong version number)");
        }
}

static void peer_speaks_something_else(struct rig *r)
{
        r->reading = false;
        peer_raw(r, "SSH-2.0-OpenSSH_9.2p1\r\n", 23);
        fails_with(r, "the peer does not speak TLS (wrong version number)");
}

static void set_version(SSL *ssl, int version)
{
        SSL_set_min_proto_version(ssl, 0);
        SSL_set_max_proto_version(ssl, version);
        SSL_set_min_proto_version(ssl, version);
}

static int other_version(const struct rig *r)
{
        return r->version == TLS1_2_VERSION ? TLS1_3_VERSION : TLS1_2_VERSION;
}

static void versions_differ(struct rig *r)
{
        set_version(r->peer, other_version(r));
        UNTIL(r, r->done && r->end != PEER_OPEN);
        if (r->role == STREAM_TLS_CONNECT) {
                assert_string_equal(r->error, "peer sent alert: protocol version");
                return;
        }
        assert_string_equal(r->error, "unsupported protocol");
        assert_int_equal(r->fatal_in, SSL_AD_PROTOCOL_VERSION);
}

static void peer_does_not_trust_us(struct rig *r)
{
        SSL_set_verify(r->peer, SSL_VERIFY_PEER, NULL);
        fails_with(r, "peer sent alert: unknown CA");
}

/* Freed with a reset as soon as it failed, while the peer has sent more than was read: the alert
 * must arrive all the same, and nothing that looks like a proper end. */
static void the_alert_arrives(struct rig *r)
{
        char more[2000] = "\x16\x03\x01\x07\xcb";
        set_version(r->peer, other_version(r));
        r->free_on_done = true;
        UNTIL(r, r->end != PEER_OPEN || SSL_get_state(r->peer) != TLS_ST_BEFORE);
        peer_raw(r, more, sizeof more);
        UNTIL(r, r->done && r->end != PEER_OPEN);
        assert_null(r->s);
        assert_int_equal(r->end, PEER_ERROR);
        assert_int_equal(r->fatal_in, SSL_AD_PROTOCOL_VERSION);
        /* A reset might have overtaken it. */
        int error = -1;
        socklen_t len = sizeof error;
        assert_int_equal(getsockopt(r->fd, SOL_SOCKET, SO_ERROR, &error, &len), 0);
        assert_int_equal(error, 0);
}

static void info_of_what_failed(struct rig *r)
{
        struct tls_info info = { 0 };
        if (r->role == STREAM_TLS_ACCEPT)
                SSL_set_tlsext_host_name(r->peer, "a.example");
        else
                SSL_set_tlsext_host_name(stream_tls_ssl(r->s), "a.example");
        UNTIL(r, r->done || r->s == NULL);
        const struct tls_info *said = stream_tls_info(r->s, &info);
        assert_string_equal(said->sni, "a.example");
        assert_string_equal(said->version, r->version == TLS1_2_VERSION ? "TLSv1.2" : "TLSv1.3");
        tls_info_fini(&info);
}

static void info_before_it_began(struct rig *r)
{
        struct tls_info info;
        tls_info_fill(&info, stream_tls_ssl(r->s));
        assert_null(info.version);
        assert_null(info.cipher);
        assert_null(info.group);
        tls_info_fini(&info);
        r->reading = false;
        peer_raw(r, "nonsense\r\n", 10);
        UNTIL(r, r->done);
        tls_info_fill(&info, stream_tls_ssl(r->s));
        assert_null(info.version);
        assert_null(info.cipher);
        tls_info_fini(&info);
}

static void alert_in_the_middle(struct rig *r)
{
        /* The peer's first flight has come, its last not: whoever runs out of patience may say so.
         */
        if (r->role == STREAM_TLS_CONNECT) {
                rig_turn(r);
                r->reading = false;
                stream_tls_alert(r->s);
                rig_free_stream(r, STREAM_CLOSE_RESET);
                return;
        }
        UNTIL(r, SSL_get_state(stream_tls_ssl(r->s)) != TLS_ST_BEFORE);
        if (r->done)
                return;
        stream_tls_alert(r->s);
        rig_free_stream(r, STREAM_CLOSE_RESET);
        UNTIL(r, r->end != PEER_OPEN);
        assert_int_equal(r->fatal_in, SSL_AD_INTERNAL_ERROR);
}

static const struct promise promises[] = {
        { "the peer goes away", peer_goes_away, BEFORE_HANDSHAKE },
        { "the peer goes away within a message", peer_goes_away_in_the_middle, BEFORE_HANDSHAKE },
        { "the peer resets", peer_resets, BEFORE_HANDSHAKE },
        { "the peer speaks HTTP", peer_speaks_http, BEFORE_HANDSHAKE },
        { "the peer speaks something else", peer_speaks_something_else, BEFORE_HANDSHAKE },
        { "no common version", versions_differ, BEFORE_HANDSHAKE },
        { "the peer does not trust us", peer_does_not_trust_us, BEFORE_HANDSHAKE | ONLY_ACCEPT },
        { "our alert arrives, though we close at once", the_alert_arrives,
          BEFORE_HANDSHAKE | ONLY_ACCEPT },
        { "the record knows what was agreed on", info_of_what_failed, BEFORE_HANDSHAKE },
        { "the record knows nothing of what never began", info_before_it_began, BEFORE_HANDSHAKE },
        { "an alert in the middle of a handshake", alert_in_the_middle, BEFORE_HANDSHAKE },
};

int main(void)
{
        return matrix_run("handshake", promises, COUNTOF(promises));
}
