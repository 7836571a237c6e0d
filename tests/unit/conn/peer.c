/* SPDX-License-Identifier: ISC */
#include "peer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>
#include <openssl/err.h>

#include "../tls/cert.h"
#include "base/own.h"
#include "net/stream.h"

void peer_begin(struct peer *p, int fd, const char *script, const char *due)
{
        *p = (struct peer){ .fd = fd, .script = script, .due = due };
}

void peer_use_tls(struct peer *p, bool server)
{
        SSL_CTX *ctx = SSL_CTX_new(TLS_method());
        assert_non_null(ctx);
        if (server) {
                struct cert c = cert_make((struct cert_spec){ .names = "DNS:localhost" });
                assert_int_equal(SSL_CTX_use_certificate(ctx, c.x509), 1);
                assert_int_equal(SSL_CTX_use_PrivateKey(ctx, c.key), 1);
                cert_free(&c);
        }
        p->ssl = SSL_new(ctx);
        SSL_CTX_free(ctx);
        /* Tickets may be unacknowledged: what is said next would wait for that, and a reset not. */
        setsockopt(p->fd, IPPROTO_TCP, TCP_NODELAY, &(int){ 1 }, sizeof(int));
        SSL_set_fd(p->ssl, p->fd);
        if (server) {
                SSL_set_accept_state(p->ssl);
        } else {
                SSL_set_tlsext_host_name(p->ssl, "www.example.com");
                SSL_set_connect_state(p->ssl);
        }
}

/* --- reading ---------------------------------------------------------------------------------- */

static enum peer_end end_of_tls(struct peer *p, int result)
{
        int error = errno;
        switch (SSL_get_error(p->ssl, result)) {
        case SSL_ERROR_WANT_READ:
        case SSL_ERROR_WANT_WRITE:
                return PEER_OPEN;
        case SSL_ERROR_ZERO_RETURN:
                return PEER_FIN;
        case SSL_ERROR_SYSCALL:
                return error == ECONNRESET || error == EPIPE ? PEER_RESET : PEER_CUT;
        default:
                return ERR_GET_REASON(ERR_peek_error()) > SSL_AD_REASON_OFFSET ? PEER_ALERT
                                                                               : PEER_CUT;
        }
}

static ssize_t read_some(struct peer *p, char *buf, size_t room)
{
        ERR_clear_error();
        errno = 0;
        if (p->ssl != NULL) {
                int n = SSL_read(p->ssl, buf, (int)room);
                if (n <= 0)
                        p->end = end_of_tls(p, n);
                return n;
        }
        ssize_t n = recv(p->fd, buf, room, 0);
        if (n == 0)
                p->end = PEER_FIN;
        else if (n < 0 && errno != EAGAIN)
                p->end = PEER_RESET;
        return n;
}

/* What is too much to be kept is counted. */
static void keep(struct peer *p, const char *octets, size_t n)
{
        size_t room = p->n < sizeof p->got - 1 ? sizeof p->got - 1 - p->n : 0;
        if (room > 0)
                memcpy(p->got + p->n, octets, n < room ? n : room);
        p->n += n;
}

static bool hear(struct peer *p)
{
        bool any = false;
        while (p->end == PEER_OPEN) {
                char buf[16384];
                ssize_t n = read_some(p, buf, sizeof buf);
                if (n <= 0)
                        return any || p->end != PEER_OPEN;
                keep(p, buf, (size_t)n);
                any = true;
        }
        return any;
}

/* --- doing ------------------------------------------------------------------------------------ */

static bool is_step(const struct peer *p, const char *name)
{
        size_t n = strlen(name);
        return strncmp(p->script, name, n) == 0 && (p->script[n] == '|' || p->script[n] == '\0');
}

static bool step_done(struct peer *p)
{
        p->script += strcspn(p->script, "|");
        p->script += *p->script == '|';
        return true;
}

static bool finish(struct peer *p)
{
        if (p->ssl != NULL && SSL_shutdown(p->ssl) < 0)
                return false;
        assert_int_equal(shutdown(p->fd, SHUT_WR), 0);
        return step_done(p);
}

static bool say(struct peer *p)
{
        size_t n = strcspn(p->script, "|");
        ERR_clear_error();
        ssize_t sent = p->ssl != NULL ? SSL_write(p->ssl, p->script, (int)n)
                                      : send(p->fd, p->script, n, MSG_NOSIGNAL);
        if (sent <= 0)
                return false;
        assert_int_equal(sent, n);
        return step_done(p);
}

static bool act(struct peer *p)
{
        if (*p->script == '\0')
                return false;
        if (is_step(p, "?"))
                return p->n == strlen(p->due) && step_done(p);
        if (is_step(p, "FIN"))
                return finish(p);
        if (!is_step(p, "RST"))
                return say(p);
        stream_close_fd(&p->fd, STREAM_CLOSE_RESET);
        return step_done(p);
}

bool peer_turn(struct peer *p)
{
        if (p->fd < 0 || is_step(p, "STILL"))
                return false;
        bool heard = hear(p);
        return (p->fd >= 0 && act(p)) || heard;
}

void peer_close(struct peer *p)
{
        SSL_free(p->ssl);
        p->ssl = NULL;
        own_close(&p->fd);
        ERR_clear_error();
}
