/* SPDX-License-Identifier: ISC */
/* Octets of a link. TLS reads up to CHUNK octets in one system call and collects what it writes,
 * so that the client costs the proxy as little as a client can. */
#include "link.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <openssl/err.h>

/* --- a BIO that collects --- */

static bool outgoing_room(struct outgoing *o, size_t n)
{
        if (o->room - o->n >= n)
                return true;
        size_t room = o->room > 0 ? o->room : 4096;
        while (room - o->n < n)
                room *= 2;
        unsigned char *p = realloc(o->p, room);
        if (p == NULL)
                return false;
        o->p = p;
        o->room = room;
        return true;
}

static int collect(BIO *bio, const char *p, size_t n, size_t *written)
{
        struct outgoing *o = BIO_get_data(bio);
        if (!outgoing_room(o, n))
                return 0;
        memcpy(o->p + o->n, p, n);
        o->n += n;
        *written = n;
        return 1;
}

static long collector_ctrl(BIO *bio, int command, long number, void *pointer)
{
        (void)bio, (void)number, (void)pointer;
        return command == BIO_CTRL_FLUSH;
}

static BIO *collector_new(struct outgoing *o)
{
        static BIO_METHOD *method;
        if (method == NULL) {
                method = BIO_meth_new(BIO_TYPE_SOURCE_SINK, "collector");
                if (method == NULL || !BIO_meth_set_write_ex(method, collect) ||
                    !BIO_meth_set_ctrl(method, collector_ctrl))
                        fail("client: BIO_meth_new");
        }
        BIO *bio = BIO_new(method);
        if (bio == NULL)
                fail("client: BIO_new");
        BIO_set_data(bio, o);
        BIO_set_init(bio, 1);
        return bio;
}

bool link_flush(struct link *l, int flags)
{
        struct outgoing *o = &l->out;
        while (o->sent < o->n) {
                ssize_t k = send(l->fd, o->p + o->sent, o->n - o->sent,
                                 MSG_DONTWAIT | MSG_NOSIGNAL | flags);
                if (k < 0 && errno == EAGAIN)
                        return false;
                if (k < 0)
                        fail("client: send");
                o->sent += (size_t)k;
        }
        o->sent = o->n = 0;
        return true;
}

/* --- the context --- */

static int keep_ticket(SSL *ssl, SSL_SESSION *session)
{
        struct client *c = SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));
        if (c->tickets == TICKETS)
                return 0;
        c->ticket[c->tickets++] = session;
        return 1; /* ours now */
}

void client_use_tls(struct client *c)
{
        SSL_CTX *t = SSL_CTX_new(TLS_client_method());
        if (t == NULL || !SSL_CTX_set_min_proto_version(t, TLS1_3_VERSION) ||
            !SSL_CTX_set_ciphersuites(t, "TLS_AES_128_GCM_SHA256") ||
            !SSL_CTX_set1_groups_list(t, "X25519"))
                fail("client: TLS context");
        SSL_CTX_set_mode(t, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                    SSL_MODE_RELEASE_BUFFERS);
        SSL_CTX_set_app_data(t, c);
        SSL_CTX_set_session_cache_mode(t, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
        if (c->resume)
                SSL_CTX_sess_set_new_cb(t, keep_ticket);
        c->tls = t;
}

static void start_tls(struct link *l)
{
        struct client *c = l->client;
        l->ssl = SSL_new(c->tls);
        BIO *in = BIO_new_socket(l->fd, BIO_NOCLOSE);
        if (l->ssl == NULL || in == NULL || fcntl(l->fd, F_SETFL, O_NONBLOCK) < 0)
                fail("client: SSL_new");
        SSL_set_bio(l->ssl, in, collector_new(&l->out));
        SSL_set_connect_state(l->ssl);
        if (c->tickets == 0)
                return;
        SSL_SESSION *ticket = c->ticket[--c->tickets];
        if (!SSL_set_session(l->ssl, ticket))
                fail("client: SSL_set_session");
        SSL_SESSION_free(ticket);
}

/* --- octets --- */

_Noreturn static void fail_tls(const char *what, int r)
{
        static char text[256];
        unsigned long e = ERR_peek_last_error();
        snprintf(text, sizeof text, "client: %s: %d %s", what, r,
                 e != 0 ? ERR_reason_error_string(e) : "");
        fail(text);
}

void link_shake_hands(struct link *l)
{
        if (l->ssl == NULL)
                start_tls(l);
        ERR_clear_error();
        int r = SSL_do_handshake(l->ssl);
        int why = r == 1 ? SSL_ERROR_NONE : SSL_get_error(l->ssl, r);
        if (r != 1 && why != SSL_ERROR_WANT_READ)
                fail_tls("handshake", why);
        if (!link_flush(l, 0))
                fail("client: a handshake that does not fit");
        if (r != 1)
                return;
        *(SSL_session_reused(l->ssl) ? &l->client->resumed : &l->client->full) += 1;
        /* Only now: a handshake needs little, data much. */
        SSL_set_default_read_buffer_len(l->ssl, CHUNK);
        SSL_set_read_ahead(l->ssl, 1);
}

ssize_t link_send(struct link *l, const void *p, size_t n)
{
        ssize_t k;
        if (l->ssl == NULL) {
                k = send(l->fd, p, n, MSG_DONTWAIT | MSG_NOSIGNAL);
                if (k < 0 && errno != EAGAIN)
                        fail("client: send");
                return k;
        }
        if (!link_flush(l, 0))
                return -1;
        ERR_clear_error();
        k = SSL_write(l->ssl, p, (int)n);
        if (k <= 0)
                fail_tls("SSL_write", SSL_get_error(l->ssl, (int)k));
        return k;
}

ssize_t link_take(struct link *l, size_t room, bool *looked)
{
        ssize_t k;
        *looked = true;
        if (l->ssl == NULL) {
                k = socket_take(l->fd, room, l->x.recv_n, &l->piece, looked);
                if (k < 0 && errno != EAGAIN)
                        fail("client: recv");
                return k;
        }
        ERR_clear_error();
        k = SSL_read(l->ssl, scratch(), (int)room);
        if (k > 0)
                return k;
        int why = SSL_get_error(l->ssl, (int)k);
        if (why == SSL_ERROR_WANT_READ)
                return -1;
        if (why == SSL_ERROR_ZERO_RETURN)
                return 0;
        fail_tls("SSL_read", why);
}
