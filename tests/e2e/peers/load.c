/* SPDX-License-Identifier: ISC */
/* Thousands of clients at once, or an echo server for them.
 *
 *   load serve                             echo server on all of 127.0.0.0/8; prints "port N"
 *   load hold plain|tls N PORT             N clients at once: exchange, print "held N", wait for a
 *                                          line on standard input, exchange again, end well
 *   load mixed plain|tls N AT_ONCE PORT    N clients, AT_ONCE at a time, of every fate below
 *
 * Prints what went wrong (at most some lines), then "done RIGHT wrong WRONG". */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <openssl/err.h>
#include <openssl/ssl.h>

enum { EVENTS = 512, SMALL = 48, LARGE = 64 * 1024, PER_SOURCE = 8000, COMPLAINTS = 20 };

static void die(const char *what)
{
        fprintf(stderr, "load: %s: %s\n", what, strerror(errno));
        exit(2);
}

static void close_with_reset(int fd)
{
        struct linger linger = { .l_onoff = 1, .l_linger = 0 };
        setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof linger);
        close(fd);
}

static void watch(int ep, int op, int fd, uint32_t events, void *arg)
{
        struct epoll_event e = { .events = events, .data.ptr = arg };
        if (epoll_ctl(ep, op, fd, &e) < 0)
                die("epoll_ctl");
}

/* --- the echo server -------------------------------------------------------------------------- */

struct guest {
        int fd;
        bool ended;
        size_t n, sent;
        char data[4096];
};

static void guest_leave(struct guest *g)
{
        close(g->fd);
        free(g);
}

/* Returns false when the guest has left. */
static bool guest_step(int ep, struct guest *g)
{
        for (;;) {
                while (g->sent < g->n) {
                        ssize_t k = send(g->fd, g->data + g->sent, g->n - g->sent, MSG_NOSIGNAL);
                        if (k < 0 && errno == EAGAIN) {
                                watch(ep, EPOLL_CTL_MOD, g->fd, EPOLLOUT, g);
                                return true;
                        }
                        if (k < 0)
                                return false;
                        g->sent += (size_t)k;
                }
                ssize_t k = recv(g->fd, g->data, sizeof g->data, 0);
                if (k < 0 && errno == EAGAIN) {
                        watch(ep, EPOLL_CTL_MOD, g->fd, EPOLLIN, g);
                        return true;
                }
                if (k <= 0)
                        return false;
                g->n = (size_t)k;
                g->sent = 0;
        }
}

static void serve(void)
{
        struct sockaddr_in a = { .sin_family = AF_INET };
        socklen_t len = sizeof a;
        int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
        int ep = epoll_create1(0);
        if (listener < 0 || ep < 0 || bind(listener, (struct sockaddr *)&a, len) < 0 ||
            listen(listener, SOMAXCONN) < 0 ||
            getsockname(listener, (struct sockaddr *)&a, &len) < 0)
                die("listen");
        watch(ep, EPOLL_CTL_ADD, listener, EPOLLIN, NULL);
        printf("port %d\n", ntohs(a.sin_port));
        fflush(stdout);
        for (;;) {
                struct epoll_event events[EVENTS];
                int n = epoll_wait(ep, events, EVENTS, -1);
                for (int i = 0; i < n; i++) {
                        struct guest *g = events[i].data.ptr;
                        if (g != NULL) {
                                if (!guest_step(ep, g))
                                        guest_leave(g);
                                continue;
                        }
                        int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK);
                        if (fd < 0)
                                continue;
                        if ((g = calloc(1, sizeof *g)) == NULL)
                                die("calloc");
                        g->fd = fd;
                        watch(ep, EPOLL_CTL_ADD, fd, EPOLLIN, g);
                }
        }
}

/* --- the clients ------------------------------------------------------------------------------ */

enum fate {
        ENDS,      /* exchanges, ends, is ended */
        RESETS,    /* exchanges, resets */
        TRUNCATES, /* exchanges, FIN without close_notify: on TLS both are reset */
        RESETS_AT_ONCE,
        ENDS_AT_ONCE,  /* without an octet */
        IDLES,         /* exchanges, then is silent until it is cut */
        ENDS_LARGE,    /* as ENDS, with more */
        RESETS_UNREAD, /* sends much, reads nothing, resets */
        N_FATES,
};

enum phase { CONNECTING, HANDSHAKING, TALKING, HELD, AWAITING_END };
enum outcome { PENDING, GOT_END, GOT_RESET, GOT_TRUNCATION };

struct client {
        int fd;
        SSL *ssl;
        unsigned id;
        enum fate fate;
        enum phase phase;
        size_t want, sent, got;
        uint32_t interest;
};

struct load {
        int ep;
        SSL_CTX *tls;
        in_port_t port;
        bool hold;
        unsigned total, at_once, started, live, held, right, wrong;
};

static unsigned char octet(unsigned id, size_t at)
{
        return (unsigned char)(id * 31 + at * 7 + (at >> 8));
}

static void complain(struct load *l, const struct client *c, const char *what)
{
        if (l->wrong++ < COMPLAINTS)
                printf("client %u (fate %d, phase %d, sent %zu, got %zu of %zu): %s\n", c->id,
                       c->fate, c->phase, c->sent, c->got, c->want, what);
}

static void leave(struct load *l, struct client *c, bool with_reset)
{
        SSL_free(c->ssl);
        if (with_reset)
                close_with_reset(c->fd);
        else
                close(c->fd);
        l->live--;
        free(c);
}

static void interested(struct load *l, struct client *c, uint32_t events)
{
        if (c->interest != events)
                watch(l->ep, EPOLL_CTL_MOD, c->fd, events, c);
        c->interest = events;
}

static void start(struct load *l)
{
        static const int on = 1;
        struct client *c = calloc(1, sizeof *c);
        struct sockaddr_in from = { .sin_family = AF_INET }, to = { .sin_family = AF_INET };
        if (c == NULL)
                die("calloc");
        c->id = l->started++;
        c->fate = l->hold ? ENDS : (enum fate)(c->id % N_FATES);
        c->want = c->fate == ENDS_AT_ONCE                             ? 0
                  : c->fate == ENDS_LARGE || c->fate == RESETS_UNREAD ? LARGE
                                                                      : SMALL;
        c->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
        if (c->fd < 0)
                die("socket");
        setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        setsockopt(c->fd, SOL_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
        from.sin_addr.s_addr = htonl(INADDR_LOOPBACK + 1 + c->id / PER_SOURCE);
        to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        to.sin_port = l->port;
        if (bind(c->fd, (struct sockaddr *)&from, sizeof from) < 0)
                die("bind");
        if (connect(c->fd, (struct sockaddr *)&to, sizeof to) < 0 && errno != EINPROGRESS)
                die("connect");
        if (l->tls != NULL &&
            ((c->ssl = SSL_new(l->tls)) == NULL || SSL_set_fd(c->ssl, c->fd) != 1))
                die("SSL_new");
        c->interest = EPOLLOUT;
        watch(l->ep, EPOLL_CTL_ADD, c->fd, c->interest, c);
        l->live++;
}

/* Like recv and send: -1 with errno EAGAIN, ECONNRESET, or EPROTO for a truncation. 0 is an end. */
static ssize_t tls_result(struct client *c, int n)
{
        if (n > 0)
                return n;
        int saved = errno;
        int error = SSL_get_error(c->ssl, n);
        bool eof = ERR_GET_REASON(ERR_peek_error()) == SSL_R_UNEXPECTED_EOF_WHILE_READING;
        ERR_clear_error();
        if (error == SSL_ERROR_ZERO_RETURN)
                return 0;
        errno = error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE ? EAGAIN
                : error == SSL_ERROR_SYSCALL && saved != 0                    ? saved
                : eof                                                         ? EPROTO
                                                                              : EBADMSG;
        return -1;
}

static ssize_t take(struct client *c, void *buf, size_t n)
{
        errno = 0;
        return c->ssl != NULL ? tls_result(c, SSL_read(c->ssl, buf, (int)n))
                              : recv(c->fd, buf, n, 0);
}

static ssize_t give(struct client *c, const void *buf, size_t n)
{
        errno = 0;
        return c->ssl != NULL ? tls_result(c, SSL_write(c->ssl, buf, (int)n))
                              : send(c->fd, buf, n, MSG_NOSIGNAL);
}

static void end(struct client *c)
{
        if (c->ssl != NULL && c->fate != TRUNCATES)
                SSL_shutdown(c->ssl);
        ERR_clear_error();
        shutdown(c->fd, SHUT_WR);
        c->phase = AWAITING_END;
}

static enum outcome expected(const struct load *l, const struct client *c)
{
        if (c->fate == IDLES || (c->fate == TRUNCATES && l->tls != NULL))
                return GOT_RESET;
        return GOT_END;
}

/* The exchange is over. Returns false when the client is gone. */
static bool meet_fate(struct load *l, struct client *c)
{
        if (l->hold && c->phase == TALKING && c->want == SMALL) {
                c->phase = HELD;
                interested(l, c, EPOLLIN);
                if (++l->held == l->total) {
                        printf("held %u\n", l->held);
                        fflush(stdout);
                }
                return true;
        }
        if (c->fate == RESETS || c->fate == RESETS_UNREAD) {
                l->right++;
                leave(l, c, true);
                return false;
        }
        if (c->fate == IDLES)
                c->phase = AWAITING_END;
        else
                end(c);
        interested(l, c, EPOLLIN);
        return true;
}

static bool finished(struct load *l, struct client *c, enum outcome outcome)
{
        if (c->phase != AWAITING_END)
                complain(l, c, outcome == GOT_END ? "ended too soon" : "cut too soon");
        else if (outcome != expected(l, c))
                complain(l, c,
                         outcome == GOT_END     ? "an end instead of a cut"
                         : outcome == GOT_RESET ? "a reset instead of an end"
                                                : "a truncation");
        else
                l->right++;
        leave(l, c, false);
        return false;
}

/* Returns false when the client is gone. */
static bool read_some(struct load *l, struct client *c)
{
        unsigned char buf[16384];
        ssize_t n;
        while ((n = take(c, buf, sizeof buf)) > 0) {
                for (ssize_t i = 0; i < n; i++, c->got++) {
                        if (c->got >= c->sent || buf[i] != octet(c->id, c->got)) {
                                complain(l, c, "an octet that was not sent");
                                leave(l, c, true);
                                return false;
                        }
                }
        }
        if (n == 0)
                return finished(l, c, GOT_END);
        if (errno == EAGAIN)
                return true;
        return finished(l, c, errno == EPROTO ? GOT_TRUNCATION : GOT_RESET);
}

static bool write_some(struct load *l, struct client *c)
{
        unsigned char buf[4096];
        while (c->sent < c->want) {
                size_t n = c->want - c->sent < sizeof buf ? c->want - c->sent : sizeof buf;
                for (size_t i = 0; i < n; i++)
                        buf[i] = octet(c->id, c->sent + i);
                ssize_t k = give(c, buf, n);
                if (k < 0 && errno == EAGAIN)
                        break;
                if (k <= 0)
                        return read_some(l, c); /* which says how it ended */
                c->sent += (size_t)k;
        }
        interested(l, c, c->sent < c->want ? EPOLLIN | EPOLLOUT : EPOLLIN);
        return true;
}

static bool talk(struct load *l, struct client *c)
{
        if (!write_some(l, c))
                return false;
        if (c->fate != RESETS_UNREAD && !read_some(l, c))
                return false;
        bool over = c->fate == RESETS_UNREAD ? c->sent == c->want || c->interest & EPOLLOUT
                                             : c->got == c->want;
        return over ? meet_fate(l, c) : true;
}

static bool shake_hands(struct load *l, struct client *c)
{
        int n = SSL_connect(c->ssl);
        if (n == 1) {
                c->phase = TALKING;
                return talk(l, c);
        }
        int error = SSL_get_error(c->ssl, n);
        ERR_clear_error();
        if (error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE) {
                interested(l, c, error == SSL_ERROR_WANT_READ ? EPOLLIN : EPOLLOUT);
                return true;
        }
        complain(l, c, "the handshake failed");
        leave(l, c, true);
        return false;
}

static bool connected(struct load *l, struct client *c)
{
        int error = 0;
        socklen_t len = sizeof error;
        getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &error, &len);
        if (error != 0) {
                complain(l, c, strerror(error));
                leave(l, c, true);
                return false;
        }
        if (c->fate == RESETS_AT_ONCE) {
                l->right++;
                leave(l, c, true);
                return false;
        }
        c->phase = c->ssl != NULL ? HANDSHAKING : TALKING;
        return c->ssl != NULL ? shake_hands(l, c) : talk(l, c);
}

static void step(struct load *l, struct client *c)
{
        switch (c->phase) {
        case CONNECTING:
                connected(l, c);
                break;
        case HANDSHAKING:
                shake_hands(l, c);
                break;
        case TALKING:
                talk(l, c);
                break;
        case HELD:
        case AWAITING_END:
                read_some(l, c);
                break;
        }
}

/* The held ones go on, when standard input says so. */
static void go_on(struct load *l, struct client **clients)
{
        char line[64];
        if (fgets(line, sizeof line, stdin) == NULL)
                exit(1);
        for (unsigned i = 0; i < l->total; i++) {
                struct client *c = clients[i];
                c->want += SMALL;
                c->phase = TALKING;
                talk(l, c);
        }
}

static void run(struct load *l)
{
        struct client **clients = calloc(l->total, sizeof *clients);
        bool went_on = !l->hold;
        if (clients == NULL)
                die("calloc");
        while (l->live > 0 || l->started < l->total) {
                while (l->started < l->total && l->live < l->at_once)
                        start(l);
                if (!went_on && l->held == l->total) {
                        go_on(l, clients);
                        went_on = true;
                }
                struct epoll_event events[EVENTS];
                int n = epoll_wait(l->ep, events, EVENTS, 60000);
                if (n == 0) {
                        printf("nothing moves: %u live, %u held\n", l->live, l->held);
                        break;
                }
                for (int i = 0; i < n; i++) {
                        struct client *c = events[i].data.ptr;
                        clients[c->id] = c;
                        step(l, c);
                }
        }
        free(clients);
        printf("done %u wrong %u\n", l->right, l->wrong + l->live);
}

int main(int argc, char **argv)
{
        signal(SIGPIPE, SIG_IGN);
        if (argc == 2 && strcmp(argv[1], "serve") == 0)
                serve();
        bool hold = argc == 5 && strcmp(argv[1], "hold") == 0;
        if (!hold && !(argc == 6 && strcmp(argv[1], "mixed") == 0)) {
                fprintf(stderr, "usage: load serve | hold plain|tls N PORT | "
                                "mixed plain|tls N AT_ONCE PORT\n");
                return 2;
        }
        struct load l = { .ep = epoll_create1(0), .hold = hold };
        l.total = (unsigned)atoi(argv[3]);
        l.at_once = hold ? l.total : (unsigned)atoi(argv[4]);
        l.port = htons((in_port_t)atoi(argv[argc - 1]));
        if (strcmp(argv[2], "tls") == 0) {
                l.tls = SSL_CTX_new(TLS_client_method());
                if (l.tls == NULL)
                        die("SSL_CTX_new");
                SSL_CTX_set_mode(l.tls, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                                                SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
                /* The second is the certificate's: under TLS 1.2 it has to be among them. */
                SSL_CTX_set1_groups_list(l.tls, "X25519:P-256");
        }
        if (l.ep < 0)
                die("epoll_create1");
        run(&l);
        SSL_CTX_free(l.tls);
        return l.wrong == 0 ? 0 : 1;
}
