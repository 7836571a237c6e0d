/* SPDX-License-Identifier: ISC */
#include "direct_fixture.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>
#include <event2/event.h>

#include "base/addr.h"
#include "base/own.h"

const int direct_tcp = AF_INET, direct_local = AF_UNIX;

const unsigned char *direct_pattern(void)
{
        static unsigned char pattern[MUCH];
        if (pattern[1] == 0)
                for (size_t i = 0; i < sizeof pattern; i++)
                        pattern[i] = (unsigned char)(i * 31 + i / 251);
        return pattern;
}

static int count_descriptors(void)
{
        int n = 0;
        DIR *dir = opendir("/proc/self/fd");
        assert_non_null(dir);
        while (readdir(dir) != NULL)
                n++;
        closedir(dir);
        return n;
}

int direct_listen_on_loopback(struct sockaddress *a)
{
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        *a = (struct sockaddress){ .len = sizeof a->in };
        a->in = (struct sockaddr_in){ .sin_family = AF_INET,
                                      .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
        assert_int_equal(bind(fd, &a->sa, a->len), 0);
        assert_int_equal(listen(fd, 1), 0);
        assert_int_equal(getsockname(fd, &a->sa, &a->len), 0);
        return fd;
}

/* Otherwise the kernel finds room for all that a test has. */
static void limit_buffers(int fd)
{
        const int size = SOCKET_BUFFER;
        assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof size), 0);
        assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size), 0);
}

static void connect_pair(int domain, int fds[2])
{
        struct sockaddress a;
        if (domain == AF_UNIX) {
                assert_int_equal(
                        socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds), 0);
                return;
        }
        OWN_FD int listener = direct_listen_on_loopback(&a);
        limit_buffers(listener);
        fds[1] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        limit_buffers(fds[1]);
        assert_int_equal(connect(fds[1], &a.sa, a.len), 0);
        fds[0] = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        assert_true(fds[0] >= 0);
        fcntl(fds[1], F_SETFL, O_NONBLOCK);
}

/* Take what there is; it is the pattern, from where we were. */
void direct_drain(struct leg *leg)
{
        static unsigned char chunk[CHUNK];
        while (leg->s->readable && leg->s->end == STREAM_OPEN) {
                size_t n = stream_receive(leg->s, chunk, sizeof chunk);
                assert_true(leg->received + n <= MUCH);
                assert_memory_equal(chunk, direct_pattern() + leg->received, n);
                leg->received += n;
        }
}

void direct_on_change(void *arg)
{
        struct leg *leg = arg;
        leg->told++;
        if (!leg->idle)
                direct_drain(leg);
}

void direct_open_leg(struct world *w, struct leg *leg)
{
        int fds[2];
        connect_pair(w->domain, fds);
        *leg = (struct leg){ .s = stream_direct_new(w->io, &fds[0], STREAM_DIRECT_CONNECTED),
                             .peer = fds[1] };
        assert_non_null(leg->s);
        assert_int_equal(fds[0], -1);
        stream_set_reader(leg->s, direct_on_change, leg);
        stream_set_writer(leg->s, direct_on_change, leg);
}

int direct_set_up(void **state)
{
        static struct world w;
        w = (struct world){ .domain = *(const int *)*state,
                            .descriptors = count_descriptors(),
                            .base = event_base_new(),
                            .ceiling = { .most = SIZE_MAX } };
        w.io = io_new(w.base, &w.ceiling);
        assert_non_null(w.io);
        direct_open_leg(&w, &w.a);
        direct_open_leg(&w, &w.b);
        *state = &w;
        return 0;
}

int direct_tear_down(void **state)
{
        struct world *w = *state;
        stream_free(w->a.s, STREAM_CLOSE);
        stream_free(w->b.s, STREAM_CLOSE);
        own_close(&w->a.peer);
        own_close(&w->b.peer);
        assert_int_equal(atomic_load(&w->ceiling.held), 0);
        io_free(w->io);
        event_base_free(w->base);
        assert_int_equal(count_descriptors(), w->descriptors);
        return 0;
}

void direct_turn(struct world *w)
{
        event_base_loop(w->base, EVLOOP_ONCE | EVLOOP_NONBLOCK);
}

void direct_turns(struct world *w, int n)
{
        while (n-- > 0)
                direct_turn(w);
}

/* --- what the peer does ----------------------------------------------------------------------- */

/* Send the pattern's next octets, as many as go, up to octet number `most`. */
void direct_feed(struct leg *leg, size_t most)
{
        while (leg->sent < most) {
                ssize_t n = send(leg->peer, direct_pattern() + leg->sent, most - leg->sent,
                                 MSG_NOSIGNAL);
                if (n < 0)
                        return;
                leg->sent += (size_t)n;
        }
}

/* Take what there is. Returns false at the end; a reset is noted in errno. */
bool direct_take(struct leg *leg)
{
        static unsigned char chunk[CHUNK];
        errno = 0;
        ssize_t n = recv(leg->peer, chunk, sizeof chunk, 0);
        if (n <= 0)
                return n < 0 && errno == EAGAIN;
        assert_true(leg->got + (size_t)n <= MUCH);
        assert_memory_equal(chunk, direct_pattern() + leg->got, (size_t)n);
        leg->got += (size_t)n;
        return true;
}

void direct_end_peer(struct leg *leg)
{
        shutdown(leg->peer, SHUT_WR);
}

/* A Unix socket resets when it is closed with something unread. */
void direct_prepare_reset(struct world *w, struct leg *leg)
{
        if (w->domain == AF_UNIX)
                stream_send(leg->s, "x", 1, false);
}

void direct_reset_peer(struct leg *leg)
{
        stream_close_fd(&leg->peer, STREAM_CLOSE_RESET);
}
