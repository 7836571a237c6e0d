/* SPDX-License-Identifier: ISC */
#include "link.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { SOURCES = 8 };

static struct sockaddr_in address_plus(struct in_addr from, in_port_t port, unsigned n)
{
        struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = port };
        a.sin_addr.s_addr = htonl(ntohl(from.s_addr) + n);
        return a;
}

/* connect() may block: on loopback the other side's kernel answers within the call, and a system
 * call or two are saved. Several source addresses have as many times the ports. */
static int connected_socket(struct client *c)
{
        int yes = 1;
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (fd < 0)
                fail("client: socket");
        socket_prepare(fd);
        unsigned i = c->opened++;
        struct sockaddr_in from = address_plus(c->from, 0, i % SOURCES);
        struct sockaddr_in to = address_plus(c->target.sin_addr, c->target.sin_port, i % c->spread);
        if (setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &yes, sizeof yes) < 0 ||
            bind(fd, (struct sockaddr *)&from, sizeof from) < 0)
                fail("client: bind");
        if (connect(fd, (struct sockaddr *)&to, sizeof to) < 0)
                fail("client: connect");
        return fd;
}

static void link_is_ready(struct link *l)
{
        l->state = LINK_IDLE;
        l->client->ready(l);
}

struct link *link_open(struct client *c)
{
        struct link *l = calloc(1, sizeof *l);
        if (l == NULL)
                fail("client: calloc");
        l->client = c;
        l->began = now_ns();
        l->fd = connected_socket(c);
        struct epoll_event e = { .events = EPOLLIN, .data.ptr = l };
        if (epoll_ctl(c->ep, EPOLL_CTL_ADD, l->fd, &e) < 0)
                fail("client: epoll_ctl");
        if (c->tls == NULL)
                link_is_ready(l);
        else
                link_shake_hands(l);
        return l;
}

void link_wait_to_send(struct link *l, bool wait)
{
        if (l->waits_to_send == wait)
                return;
        l->waits_to_send = wait;
        struct epoll_event e = { .events = EPOLLIN | (wait ? EPOLLOUT : 0), .data.ptr = l };
        if (epoll_ctl(l->client->ep, EPOLL_CTL_MOD, l->fd, &e) < 0)
                fail("client: epoll_ctl");
}

/* The header, then the pattern. Returns false when it must wait. */
static bool send_some(struct link *l)
{
        struct exchange *x = &l->x;
        uint64_t total = x->header_n + x->send_n;
        while (l->sent < total) {
                ssize_t k;
                if (l->sent < x->header_n) {
                        k = link_send(l, x->header + l->sent, x->header_n - l->sent);
                } else {
                        uint64_t at = l->sent - x->header_n, left = x->send_n - at;
                        k = link_send(l, pattern_at(at), left < CHUNK ? left : CHUNK);
                }
                if (k < 0)
                        return false;
                l->sent += (uint64_t)k;
        }
        return true;
}

static void check(struct link *l, const unsigned char *p, size_t n)
{
        errno = EBADMSG;
        if (l->x.reply != 0 ? p[0] != (unsigned char)l->x.reply : !pattern_ok(l->got, p, n))
                fail("client: what arrived is not what was sent");
}

/* Reads until there is no more, or until what belongs to this exchange has arrived. */
static void receive_some(struct link *l)
{
        while (l->got < l->x.recv_n) {
                uint64_t left = l->x.recv_n - l->got;
                size_t room = left < CHUNK ? left : CHUNK;
                bool looked;
                ssize_t k = link_take(l, room, &looked);
                if (k < 0)
                        return;
                errno = EPIPE;
                if (k == 0)
                        fail("client: an end in the middle");
                if (looked)
                        check(l, scratch(), (size_t)k);
                l->got += (uint64_t)k;
                if (l->ssl == NULL && (size_t)k < room)
                        return; /* there was no more */
        }
}

static void exchange_some(struct link *l)
{
        if (l->waits_to_send)
                link_wait_to_send(l, !(send_some(l) && link_flush(l, 0)));
        receive_some(l);
        if (l->got < l->x.recv_n)
                return;
        errno = EPROTO;
        if (l->sent < l->x.header_n + l->x.send_n)
                fail("client: an answer before the question was asked");
        l->state = LINK_IDLE;
        l->client->exchanged(l);
}

void link_exchange(struct link *l, const struct exchange *x)
{
        l->x = *x;
        l->sent = l->got = 0;
        l->state = LINK_EXCHANGING;
        l->began = now_ns();
        link_wait_to_send(l, !(send_some(l) && link_flush(l, 0)));
}

static void link_free(struct link *l)
{
        struct client *c = l->client;
        SSL_free(l->ssl);
        free(l->out.p);
        close(l->fd);
        c->closed(l);
        free(l);
}

void link_close(struct link *l)
{
        if (l->ssl == NULL) {
                link_free(l);
                return;
        }
        l->state = LINK_CLOSING;
        SSL_shutdown(l->ssl);
        link_flush(l, MSG_MORE); /* close_notify and FIN in one segment */
        shutdown(l->fd, SHUT_WR);
}

/* Nothing is missing any more, so how the proxy closes its side does not matter here. */
static void await_end(struct link *l)
{
        ssize_t k = recv(l->fd, scratch(), CHUNK, MSG_DONTWAIT);
        if (k == 0 || (k < 0 && errno != EAGAIN))
                link_free(l);
}

void link_step(struct link *l)
{
        bool looked;
        switch (l->state) {
        case LINK_SHAKING_HANDS:
                link_shake_hands(l);
                if (l->ssl != NULL && SSL_is_init_finished(l->ssl))
                        link_is_ready(l);
                break;
        case LINK_EXCHANGING:
                exchange_some(l);
                break;
        case LINK_CLOSING:
                await_end(l);
                break;
        case LINK_IDLE:
                if (link_take(l, 1, &looked) < 0)
                        break; /* tickets */
                errno = EPIPE;
                fail("client: the proxy ended a connection, or said what nobody asked");
        }
}
