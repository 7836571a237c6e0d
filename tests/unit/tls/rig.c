/* SPDX-License-Identifier: ISC */
#include "rig.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <openssl/err.h>

#include "base/own.h"
#include "cert.h"

/* --- the sockets ------------------------------------------------------------------------------ */

/* So that megabytes do not fit into the kernel. */
static void bound_buffers(int fd)
{
        int size = 128 * 1024;
        setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
        setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
}

static void connected_pair(int *a, int *b)
{
        struct sockaddr_in at = { .sin_family = AF_INET,
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
        socklen_t len = sizeof at;
        int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        bound_buffers(listener);
        assert_int_equal(bind(listener, (struct sockaddr *)&at, len), 0);
        assert_int_equal(listen(listener, 1), 0);
        assert_int_equal(getsockname(listener, (struct sockaddr *)&at, &len), 0);
        *a = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        bound_buffers(*a);
        assert_int_equal(connect(*a, (struct sockaddr *)&at, len), 0);
        *b = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
        assert_true(*b >= 0);
        close(listener);
        for (int i = 0; i < 2; i++) {
                int fd = i == 0 ? *a : *b, on = 1;
                setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
                assert_int_equal(ioctl(fd, FIONBIO, &on), 0);
        }
}

/* --- TLS contexts ----------------------------------------------------------------------------- */

static void restrict_to(SSL_CTX *ctx, int version)
{
        SSL_CTX_set_min_proto_version(ctx, version);
        SSL_CTX_set_max_proto_version(ctx, version);
        SSL_CTX_set_options(ctx, SSL_OP_NO_RENEGOTIATION);
        SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
        SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS);
}

SSL_CTX *rig_server_ctx(int version)
{
        static struct cert cert;
        if (cert.x509 == NULL)
                cert = cert_make((struct cert_spec){ .names = "DNS:localhost" });
        SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
        restrict_to(ctx, version);
        assert_int_equal(SSL_CTX_use_certificate(ctx, cert.x509), 1);
        assert_int_equal(SSL_CTX_use_PrivateKey(ctx, cert.key), 1);
        SSL_CTX_set_num_tickets(ctx, 1);
        return ctx;
}

SSL_CTX *rig_client_ctx(int version)
{
        SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
        restrict_to(ctx, version);
        return ctx;
}

static SSL *make_ssl(int version, bool server)
{
        SSL_CTX *ctx = server ? rig_server_ctx(version) : rig_client_ctx(version);
        SSL *ssl = SSL_new(ctx);
        SSL_CTX_free(ctx);
        assert_non_null(ssl);
        return ssl;
}

/* --- the stream under test -------------------------------------------------------------------- */

static void on_read(void *arg);
static void on_write(void *arg);
static void on_change(void *arg);

void rig_listen(struct rig *r)
{
        bool direct = stream_is_direct(r->s);
        stream_set_reader(r->s, direct ? on_change : on_read, r);
        stream_set_writer(r->s, direct ? on_change : on_write, r);
}

static void listen_to(struct rig *r)
{
        if (r->refused && r->done) {
                assert_non_null(stream_tls_detach(&r->s));
                return;
        }
        if (r->kind != RIG_BUFFERED && r->done && r->error == NULL) {
                assert_null(stream_tls_detach(&r->s));
                assert_string_equal(r->s->ops->path, r->kind == RIG_KTLS ? "ktls" : "tls");
        }
        rig_listen(r);
}

static void on_done(const char *error, void *arg)
{
        struct rig *r = arg;
        assert_false(r->done);
        r->done = true;
        if (error != NULL)
                r->error = strdup(error);
        listen_to(r);
        if (r->free_on_done)
                rig_free_stream(r, STREAM_CLOSE_RESET);
}

/* As a pump does. */
static void receive(struct rig *r)
{
        static unsigned char octets[IO_SCRATCH_SIZE];
        struct stream *s = r->s;
        while (s->readable && s->end == STREAM_OPEN) {
                size_t n = stream_receive(s, octets, sizeof octets);
                assert_true(n > 0 || !s->readable);
                assert_true(n == 0 || s->end == STREAM_OPEN || s->end == STREAM_BROKEN);
                evbuffer_add(r->taken, octets, n);
        }
}

static void take(struct rig *r)
{
        if (r->taking && stream_is_direct(r->s))
                receive(r);
        else if (r->taking)
                evbuffer_add_buffer(r->taken, r->s->in);
}

static void on_read(void *arg)
{
        struct rig *r = arg;
        r->reads++;
        take(r);
        if (r->free_on_read)
                rig_free_stream(r, STREAM_CLOSE_RESET);
}

static void on_write(void *arg)
{
        struct rig *r = arg;
        r->writes++;
        if (r->free_on_write)
                rig_free_stream(r, STREAM_CLOSE_RESET);
}

/* Of a direct stream, which says no more than that something did. */
static void on_change(void *arg)
{
        struct rig *r = arg;
        on_read(r);
        if (r->s != NULL)
                on_write(r);
}

void rig_free_stream(struct rig *r, enum stream_close_how how)
{
        stream_free(TAKE(r->s), how);
        r->stream_fd = -1;
}

/* --- the peer --------------------------------------------------------------------------------- */

static void note_alert(int writing, int version, int type, const void *data, size_t n, SSL *ssl,
                       void *arg)
{
        (void)version;
        (void)ssl;
        struct rig *r = arg;
        const unsigned char *alert = data;
        if (!writing && type == SSL3_RT_HEADER && alert[0] == SSL3_RT_APPLICATION_DATA)
                r->records_in++;
        if (type != SSL3_RT_ALERT || n != 2)
                return;
        if (alert[0] == SSL3_AL_FATAL && writing)
                r->fatal_out = alert[1];
        else if (alert[0] == SSL3_AL_FATAL)
                r->fatal_in = alert[1];
        else if (!writing && alert[1] != SSL_AD_CLOSE_NOTIFY) {
                r->warnings_in++;
                r->last_warning = alert[1];
        }
}

/* SSL_read() or SSL_do_handshake() did not succeed. */
static void peer_stopped(struct rig *r, int result)
{
        int saved = errno;
        switch (SSL_get_error(r->peer, result)) {
        case SSL_ERROR_WANT_READ:
        case SSL_ERROR_WANT_WRITE:
                return;
        case SSL_ERROR_ZERO_RETURN:
                r->end = PEER_CLOSE_NOTIFY;
                return;
        case SSL_ERROR_SYSCALL:
                assert_true(saved == ECONNRESET || saved == EPIPE);
                r->end = PEER_RESET;
                return;
        default:
                r->peer_error = ERR_peek_error();
                r->end = ERR_GET_REASON(r->peer_error) == SSL_R_UNEXPECTED_EOF_WHILE_READING
                                 ? PEER_FIN
                                 : PEER_ERROR;
        }
}

static bool peer_writes(struct rig *r)
{
        bool progress = false;
        while (evbuffer_get_length(r->to_send) > 0) {
                size_t n = evbuffer_get_length(r->to_send);
                n = n < 100000 ? n : 100000;
                ERR_clear_error();
                int sent = SSL_write(r->peer, evbuffer_pullup(r->to_send, (ev_ssize_t)n), (int)n);
                if (sent <= 0)
                        break;
                evbuffer_drain(r->to_send, (size_t)sent);
                progress = true;
        }
        return progress;
}

static bool peer_reads(struct rig *r)
{
        char buf[16384];
        int n = 0;
        bool progress = false;
        while (r->end == PEER_OPEN) {
                ERR_clear_error();
                errno = 0;
                n = SSL_read(r->peer, buf, sizeof buf);
                if (n <= 0)
                        break;
                evbuffer_add(r->got, buf, (size_t)n);
                progress = true;
        }
        if (n <= 0 && r->end == PEER_OPEN)
                peer_stopped(r, n);
        return progress || r->end != PEER_OPEN;
}

static bool peer_turn(struct rig *r)
{
        if (r->fd < 0 || r->end == PEER_RESET || r->end == PEER_ERROR)
                return false;
        if (!r->handshaken) {
                if (!r->reading || r->end != PEER_OPEN)
                        return false;
                ERR_clear_error();
                int result = SSL_do_handshake(r->peer);
                r->handshaken = result == 1;
                if (!r->handshaken)
                        peer_stopped(r, result);
                return r->handshaken;
        }
        bool wrote = peer_writes(r);
        return (r->reading && peer_reads(r)) || wrote;
}

void rig_turn(struct rig *r)
{
        unsigned before = r->reads + r->writes;
        if (r->before_turn != NULL)
                r->before_turn(r);
        event_base_loop(r->base, EVLOOP_NONBLOCK);
        if (!peer_turn(r) && before == r->reads + r->writes)
                poll(NULL, 0, 1);
}

void rig_turns(struct rig *r, unsigned n)
{
        while (n-- > 0)
                rig_turn(r);
}

/* --- set up, tear down ------------------------------------------------------------------------ */

static void set_up_peer(struct rig *r, SSL *peer, int fd)
{
        r->peer = peer != NULL ? peer : make_ssl(r->version, r->role == STREAM_TLS_CONNECT);
        r->fd = fd;
        r->reading = true;
        SSL_set_fd(r->peer, fd);
        SSL_set_mode(r->peer, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
        SSL_set_msg_callback(r->peer, note_alert);
        SSL_set_msg_callback_arg(r->peer, r);
        if (r->role == STREAM_TLS_CONNECT)
                SSL_set_accept_state(r->peer);
        else
                SSL_set_connect_state(r->peer);
}

void rig_open(struct rig *r, int version, enum stream_tls_role role, enum rig_kind kind, SSL *ssl,
              SSL *peer)
{
        int mine, theirs;
        *r = (struct rig){
                .version = version, .role = role, .kind = kind, .fatal_in = -1, .fatal_out = -1
        };
        r->taken = evbuffer_new();
        r->to_send = evbuffer_new();
        r->got = evbuffer_new();
        struct event_config *config = event_config_new();
        event_config_set_flag(config,
                              EVENT_BASE_FLAG_NOLOCK | EVENT_BASE_FLAG_EPOLL_USE_CHANGELIST);
        r->base = event_base_new_with_config(config);
        event_config_free(config);
        r->hangup = hangup_new(r->base);
        assert_non_null(r->hangup);
        r->io = io_new(r->base, NULL);
        assert_non_null(r->io);
        connected_pair(&mine, &theirs);
        set_up_peer(r, peer, theirs);
        if (ssl == NULL)
                ssl = make_ssl(version, role == STREAM_TLS_ACCEPT);
        r->stream_fd = mine;
        r->s = stream_tls_new(r->base, r->hangup, kind != RIG_BUFFERED ? r->io : NULL, &ssl, &mine,
                              role, on_done, r);
        assert_non_null(r->s);
        assert_null(ssl);
        assert_int_equal(mine, -1);
        assert_false(r->done);
        if (kind == RIG_KTLS || kind == RIG_NO_KTLS)
                assert_true(stream_tls_leave_to_kernel(r->s, KTLS_ALWAYS));
        listen_to(r);
}

void rig_shake(struct rig *r)
{
        UNTIL(r, r->done && r->handshaken);
        assert_null(r->error);
}

void rig_close(struct rig *r)
{
        rig_free_stream(r, STREAM_CLOSE);
        SSL_free(r->peer);
        own_close(&r->fd);
        event_base_loop(r->base, EVLOOP_NONBLOCK); /* libevent frees bufferevents from its loop */
        io_free(r->io);
        hangup_free(r->hangup);
        event_base_free(r->base);
        evbuffer_free(r->taken);
        evbuffer_free(r->to_send);
        evbuffer_free(r->got);
        free(r->error);
        ERR_clear_error();
}

/* --- what most tests do -------------------------------------------------------------------- */

void rig_start_reading(struct rig *r)
{
        r->taking = true;
        stream_want_read(r->s, true);
        take(r);
}

void rig_stop_reading(struct rig *r)
{
        r->taking = false;
        stream_want_read(r->s, false);
}

void rig_send(struct rig *r, const void *octets, size_t n)
{
        if (stream_is_direct(r->s)) {
                stream_send(r->s, octets, n, false);
                return;
        }
        /* In pieces, as a relay would: libevent tells of progress between them. */
        for (size_t at = 0; at < n; at += 10000)
                evbuffer_add(r->s->out, (const char *)octets + at, n - at < 10000 ? n - at : 10000);
        stream_wrote(r->s);
}

void rig_send_text(struct rig *r, const char *text)
{
        rig_send(r, text, strlen(text));
}

void rig_send_pattern(struct rig *r, size_t n)
{
        struct evbuffer *octets = evbuffer_new();
        pattern_add(octets, n);
        rig_send(r, evbuffer_pullup(octets, -1), n);
        evbuffer_free(octets);
}

void rig_send_many(struct rig *r)
{
        rig_send_pattern(r, MANY);
}

void rig_still_sends(struct rig *r)
{
        rig_send_text(r, "pong");
        UNTIL(r, evbuffer_get_length(r->got) == 4);
        check_text(r->got, "pong");
        stream_finish(r->s);
        UNTIL(r, r->end != PEER_OPEN);
        assert_int_equal(r->end, PEER_CLOSE_NOTIFY);
        assert_int_equal(r->s->finished, STREAM_FINISHED);
        assert_int_equal(r->fatal_in, -1);
        char octet;
        assert_int_equal(recv(r->fd, &octet, 1, 0), 0);
}

/* --- the peer's doings ------------------------------------------------------------------------ */

void peer_send(struct rig *r, const void *data, size_t n)
{
        evbuffer_add(r->to_send, data, n);
        peer_writes(r);
}

void peer_send_pattern(struct rig *r, size_t n)
{
        pattern_add(r->to_send, n);
        peer_writes(r);
}

void peer_close_notify(struct rig *r)
{
        ERR_clear_error();
        assert_true(SSL_shutdown(r->peer) >= 0);
}

void peer_fin(struct rig *r)
{
        assert_int_equal(shutdown(r->fd, SHUT_WR), 0);
}

void peer_reset(struct rig *r)
{
        stream_close_fd(&r->fd, STREAM_CLOSE_RESET);
        r->end = PEER_RESET;
}

void peer_raw(struct rig *r, const void *octets, size_t n)
{
        assert_int_equal(send(r->fd, octets, n, MSG_NOSIGNAL), n);
}

void peer_fatal_alert(struct rig *r)
{
        char nothing[1];
        SSL_set0_rbio(r->peer, NULL);
        assert_true(SSL_read(r->peer, nothing, 1) < 0);
        assert_int_equal(r->fatal_out, SSL_AD_INTERNAL_ERROR);
        r->end = PEER_ERROR;
        ERR_clear_error();
}

/* --- patterns --------------------------------------------------------------------------------- */

static unsigned char octet_at(size_t i)
{
        return (unsigned char)(i ^ i >> 8 ^ i >> 16);
}

void pattern_add(struct evbuffer *to, size_t n)
{
        unsigned char *p = malloc(n);
        assert_non_null(p);
        for (size_t i = 0; i < n; i++)
                p[i] = octet_at(i);
        evbuffer_add(to, p, n);
        free(p);
}

void pattern_check(struct evbuffer *buf, size_t n)
{
        assert_true(evbuffer_get_length(buf) >= n);
        const unsigned char *p = evbuffer_pullup(buf, (ev_ssize_t)n);
        for (size_t i = 0; i < n; i++)
                if (p[i] != octet_at(i))
                        fail_msg("octet %zu of %zu is wrong", i, n);
        evbuffer_drain(buf, n);
}

void check_text(struct evbuffer *buf, const char *text)
{
        size_t n = evbuffer_get_length(buf);
        assert_int_equal(n, strlen(text));
        if (n > 0)
                assert_memory_equal(evbuffer_pullup(buf, -1), text, n);
        evbuffer_drain(buf, n);
}
