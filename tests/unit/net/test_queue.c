/* SPDX-License-Identifier: ISC */
/* Octets that wait for a socket: in order, all of them, and accounted for. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>
#include <event2/event.h>

#include "base/clock.h"
#include "base/own.h"
#include "net/io.h"
#include "net/queue.h"

enum { MUCH = 3 * 1024 * 1024 + 7 }; /* octets: more than any socket takes at once */

struct world {
        struct event_base *base;
        struct io_ceiling ceiling;
        struct io *io;
        struct queue q;
        int fd, peer;
};

static unsigned char pattern[MUCH];

static int set_up(void **state)
{
        static struct world w;
        int fds[2];
        w = (struct world){ .base = event_base_new(), .ceiling = { .most = SIZE_MAX } };
        w.io = io_new(w.base, &w.ceiling);
        assert_non_null(w.io);
        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds),
                         0);
        w.fd = fds[0];
        w.peer = fds[1];
        *state = &w;
        return 0;
}

static int tear_down(void **state)
{
        struct world *w = *state;
        queue_drop(&w->q, w->io);
        assert_int_equal(queue_length(&w->q), 0);
        assert_int_equal(atomic_load(&w->ceiling.held), 0);
        own_close(&w->fd);
        own_close(&w->peer);
        io_free(w->io);
        event_base_free(w->base);
        return 0;
}

/* A pipe with the first n octets of the pattern in it. */
static struct io_pipe *filled(struct world *w, size_t n)
{
        struct io_pipe *pipe = io_pipe_borrow(w->io);
        assert_non_null(pipe);
        assert_int_equal(write(pipe->write_end, pattern, n), n);
        return pipe;
}

static void add(struct world *w, size_t start, size_t n)
{
        size_t before = queue_length(&w->q);
        assert_true(queue_add(&w->q, w->io, pattern + start, n));
        assert_int_equal(queue_length(&w->q), before + n);
        assert_true(atomic_load(&w->ceiling.held) >= n);
}

/* What has arrived is what the pattern says from *got on. */
static void take_some(struct world *w, size_t *got)
{
        static unsigned char chunk[65536];
        ssize_t n = recv(w->peer, chunk, sizeof chunk, 0);
        if (n < 0)
                return;
        assert_true(*got + (size_t)n <= sizeof pattern);
        assert_memory_equal(chunk, pattern + *got, (size_t)n);
        *got += (size_t)n;
}

/* Flush and receive in turn until all `expected` octets have come through. */
static void deliver(struct world *w, size_t expected)
{
        int64_t deadline = clock_ms() + 20000;
        size_t got = 0;
        while (got < expected) {
                size_t before = queue_length(&w->q);
                assert_int_equal(queue_flush(&w->q, w->io, w->fd), 0);
                assert_true(queue_length(&w->q) <= before);
                take_some(w, &got);
                if (clock_ms() > deadline)
                        fail_msg("%zu of %zu octets arrived", got, expected);
        }
        assert_int_equal(queue_length(&w->q), 0);
        assert_int_equal(atomic_load(&w->ceiling.held), 0);
}

static void an_empty_queue_has_nothing_to_flush(void **state)
{
        struct world *w = *state;
        char got[1];
        assert_int_equal(queue_length(&w->q), 0);
        assert_int_equal(queue_flush(&w->q, w->io, w->fd), 0);
        assert_int_equal(recv(w->peer, got, sizeof got, 0), -1);
        assert_int_equal(errno, EAGAIN);
}

static void octets_keep_their_order(void **state)
{
        static const struct {
                size_t in_pipe, adds[4];
        } rows[] = {
                { 0, { 1 } },
                { 0, { 5, 1, 70000, 3 } },
                { 1, { 0 } },
                { 4096, { 1, 2, 3, 4 } },
                { 60000, { 100000, 1 } },
                { 0, { MUCH } },
                { 50000, { MUCH - 50001, 1 } },
        };
        struct world *w = *state;
        for (size_t i = 0; i < COUNTOF(rows); i++) {
                size_t n = rows[i].in_pipe;
                if (n > 0)
                        queue_add_pipe(&w->q, w->io, filled(w, n), n);
                for (size_t k = 0; k < COUNTOF(rows[i].adds) && rows[i].adds[k] > 0; k++) {
                        add(w, n, rows[i].adds[k]);
                        n += rows[i].adds[k];
                }
                deliver(w, n);
        }
        assert_true(w->io->n_pipes > 0); /* emptied, they went back into the pool */
}

/* Added while the socket is full and a part has gone already. */
static void octets_added_behind_a_part_that_went_keep_their_order(void **state)
{
        struct world *w = *state;
        size_t n = MUCH / 3, got = 0;
        add(w, 0, n);
        while (n < MUCH) {
                size_t more = MUCH - n < 100003 ? MUCH - n : 100003;
                assert_int_equal(queue_flush(&w->q, w->io, w->fd), 0);
                take_some(w, &got);
                add(w, n, more);
                n += more;
        }
        assert_true(queue_length(&w->q) > 0);
        while (got < MUCH) {
                assert_int_equal(queue_flush(&w->q, w->io, w->fd), 0);
                take_some(w, &got);
        }
        assert_int_equal(queue_length(&w->q), 0);
}

static void a_full_socket_takes_part_and_that_is_no_error(void **state)
{
        struct world *w = *state;
        add(w, 0, MUCH);
        assert_int_equal(queue_flush(&w->q, w->io, w->fd), 0);
        size_t left = queue_length(&w->q);
        assert_in_range(left, 1, MUCH - 1);
        assert_int_equal(queue_flush(&w->q, w->io, w->fd), 0);
        assert_int_equal(queue_length(&w->q), left);
        deliver(w, MUCH);
}

static void a_full_socket_takes_nothing_of_a_pipe(void **state)
{
        struct world *w = *state;
        char zeros[4096] = "", got[4096];
        while (send(w->fd, zeros, sizeof zeros, 0) > 0)
                ;
        queue_add_pipe(&w->q, w->io, filled(w, 30000), 30000);
        assert_int_equal(queue_flush(&w->q, w->io, w->fd), 0);
        assert_int_equal(queue_length(&w->q), 30000);
        while (recv(w->peer, got, sizeof got, 0) > 0)
                ;
        deliver(w, 30000);
}

static void a_closed_peer_is_an_error(void **state)
{
        struct world *w = *state;
        static const size_t in_pipe[] = { 0, 1000 };
        own_close(&w->peer);
        for (size_t i = 0; i < COUNTOF(in_pipe); i++) {
                if (in_pipe[i] > 0)
                        queue_add_pipe(&w->q, w->io, filled(w, in_pipe[i]), in_pipe[i]);
                add(w, in_pipe[i], 1000);
                assert_int_equal(queue_flush(&w->q, w->io, w->fd), EPIPE);
                queue_drop(&w->q, w->io);
                assert_int_equal(queue_length(&w->q), 0);
                assert_int_equal(atomic_load(&w->ceiling.held), 0);
        }
}

static void what_is_dropped_is_gone_for_good(void **state)
{
        struct world *w = *state;
        char got[1];
        struct io_pipe *pipe = filled(w, 1000);
        int read_end = pipe->read_end;
        queue_add_pipe(&w->q, w->io, pipe, 1000);
        add(w, 1000, 1000);
        queue_drop(&w->q, w->io);
        assert_int_equal(w->io->n_pipes, 0); /* others would get what it holds */
        assert_int_equal(fcntl(read_end, F_GETFD), -1);
        assert_int_equal(queue_flush(&w->q, w->io, w->fd), 0);
        assert_int_equal(recv(w->peer, got, sizeof got, 0), -1);
        add(w, 0, 10);
        deliver(w, 10);
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)
        const struct CMUnitTest tests[] = {
                TEST(an_empty_queue_has_nothing_to_flush),
                TEST(octets_keep_their_order),
                TEST(octets_added_behind_a_part_that_went_keep_their_order),
                TEST(a_full_socket_takes_part_and_that_is_no_error),
                TEST(a_full_socket_takes_nothing_of_a_pipe),
                TEST(a_closed_peer_is_an_error),
                TEST(what_is_dropped_is_gone_for_good),
        };
        signal(SIGPIPE, SIG_IGN); /* as the daemon does */
        for (size_t i = 0; i < sizeof pattern; i++)
                pattern[i] = (unsigned char)(i * 31 + i / 251);
        return cmocka_run_group_tests(tests, NULL, NULL);
}
