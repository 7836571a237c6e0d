/* SPDX-License-Identifier: ISC */
/* The server behind the proxy. It does what the clients ask, see load.h. */
#include "load.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum guest_state { ASKED_NOTHING, TAKING, ANSWERING_EACH };

struct guest {
        int fd;
        enum guest_state state;
        bool waits_to_send;
        size_t header_n;
        unsigned char header[HEADER];
        unsigned piece;
        uint64_t n, got;       /* what arrives: of TAKING, of each message */
        uint64_t answer, sent; /* what goes: octets of the pattern */
};

static void guest_leave(struct guest *g)
{
        close(g->fd);
        free(g);
}

static void guest_watch(int ep, struct guest *g, bool sending)
{
        if (g->waits_to_send == sending)
                return;
        g->waits_to_send = sending;
        struct epoll_event e = { .events = EPOLLIN | (sending ? EPOLLOUT : 0), .data.ptr = g };
        if (epoll_ctl(ep, EPOLL_CTL_MOD, g->fd, &e) < 0)
                fail("server: epoll_ctl");
}

/* Returns false when the guest is lost. */
static bool guest_send(int ep, struct guest *g)
{
        while (g->sent < g->answer) {
                uint64_t left = g->answer - g->sent;
                ssize_t k = send(g->fd, pattern_at(g->sent), left < CHUNK ? left : CHUNK,
                                 MSG_DONTWAIT | MSG_NOSIGNAL);
                if (k < 0 && errno == EAGAIN) {
                        guest_watch(ep, g, true);
                        return true;
                }
                if (k < 0)
                        return false;
                g->sent += (uint64_t)k;
        }
        guest_watch(ep, g, false);
        return true;
}

static bool guest_say(const struct guest *g, char octet)
{
        return send(g->fd, &octet, 1, MSG_DONTWAIT | MSG_NOSIGNAL) == 1;
}

static bool guest_obey(int ep, struct guest *g)
{
        g->header_n = 0;
        g->n = header_count(g->header);
        g->got = 0;
        switch (g->header[0]) {
        case 'd':
                g->sent = 0;
                g->answer = g->n;
                return guest_send(ep, g);
        case 'u':
                g->state = TAKING;
                return true;
        case 'p':
                g->state = ANSWERING_EACH;
                return guest_say(g, 'k');
        default:
                return false;
        }
}

static bool guest_asks(int ep, struct guest *g)
{
        ssize_t k = recv(g->fd, g->header + g->header_n, HEADER - g->header_n, MSG_DONTWAIT);
        if (k <= 0)
                return k < 0 && errno == EAGAIN;
        g->header_n += (size_t)k;
        if (g->header[0] == 'E') {
                g->header_n = 0;
                return k == 1 && guest_say(g, 'E');
        }
        return g->header_n < HEADER || guest_obey(ep, g);
}

static bool guest_takes(int ep, struct guest *g)
{
        uint64_t left = g->n - g->got;
        bool looked;
        ssize_t k = socket_take(g->fd, left < CHUNK ? left : CHUNK, g->n, &g->piece, &looked);
        if (k <= 0)
                return k < 0 && errno == EAGAIN;
        if (looked && !pattern_ok(g->got, scratch(), (size_t)k))
                return false; /* the client finds that its answer never comes */
        g->got += (uint64_t)k;
        if (g->got < g->n)
                return true;
        if (g->state == TAKING) {
                g->state = ASKED_NOTHING;
                return guest_say(g, 'k');
        }
        g->got = g->sent = 0;
        g->answer = g->n;
        return guest_send(ep, g);
}

static void guest_step(int ep, struct guest *g, uint32_t events)
{
        if (events & EPOLLOUT && !guest_send(ep, g)) {
                guest_leave(g);
                return;
        }
        if (!(events & ~(uint32_t)EPOLLOUT))
                return;
        if (!(g->state == ASKED_NOTHING ? guest_asks(ep, g) : guest_takes(ep, g)))
                guest_leave(g);
}

static void welcome(int ep, int listener)
{
        /* One at a time: whoever is being served should not wait for a crowd. */
        int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
        if (fd < 0 && (errno == EAGAIN || errno == ECONNABORTED))
                return;
        if (fd < 0)
                fail("server: accept4");
        struct guest *g = calloc(1, sizeof *g);
        if (g == NULL)
                fail("server: calloc");
        g->fd = fd;
        struct epoll_event e = { .events = EPOLLIN, .data.ptr = g };
        if (epoll_ctl(ep, EPOLL_CTL_ADD, fd, &e) < 0)
                fail("server: epoll_ctl");
}

static int listen_everywhere(void)
{
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        if (fd < 0)
                fail("server: socket");
        socket_prepare(fd); /* what is accepted inherits it */
        struct sockaddr_in a = { .sin_family = AF_INET };
        socklen_t n = sizeof a;
        if (bind(fd, (struct sockaddr *)&a, n) < 0 || listen(fd, 4096) < 0 ||
            getsockname(fd, (struct sockaddr *)&a, &n) < 0)
                fail("server: listen");
        printf("port %d\n", ntohs(a.sin_port));
        fflush(stdout);
        return fd;
}

int serve(void)
{
        static char at_listener, at_stdin;
        int listener = listen_everywhere();
        int ep = epoll_create1(EPOLL_CLOEXEC);
        struct epoll_event l = { .events = EPOLLIN, .data.ptr = &at_listener };
        struct epoll_event in = { .events = EPOLLIN, .data.ptr = &at_stdin };
        if (ep < 0 || epoll_ctl(ep, EPOLL_CTL_ADD, listener, &l) < 0 ||
            epoll_ctl(ep, EPOLL_CTL_ADD, STDIN_FILENO, &in) < 0)
                fail("server: epoll");
        for (;;) {
                struct epoll_event e[EVENTS];
                int n = epoll_wait(ep, e, EVENTS, -1);
                for (int i = 0; i < n; i++) {
                        if (e[i].data.ptr == &at_stdin)
                                return 0;
                        if (e[i].data.ptr == &at_listener)
                                welcome(ep, listener);
                        else
                                guest_step(ep, e[i].data.ptr, e[i].events);
                }
        }
}
