/* SPDX-License-Identifier: ISC */
/* Octets from one socket straight into another: all of them, in order, whatever happens on the way.
 */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "direct_fixture.h"

/* As a pump does: splice, and where that does not work, copy; nothing while octets are queued. */
static void move(void *arg)
{
        struct world *w = arg;
        struct stream *src = w->a.s, *dst = w->b.s;
        while (src->readable && src->end == STREAM_OPEN && dst->lost == STREAM_OPEN &&
               stream_queued(dst) == 0) {
                size_t n = stream_splice(dst, src, MUCH);
                if (n == 0 && src->readable && src->end == STREAM_OPEN) {
                        n = stream_receive(src, w->io->scratch, CHUNK);
                        stream_send(dst, w->io->scratch, n, false);
                }
                w->moved += n;
        }
        if (src->end == STREAM_END)
                stream_finish(dst);
}

static void join(struct world *w)
{
        assert_true(stream_can_splice(w->b.s, w->a.s));
        stream_set_reader(w->a.s, move, w);
        stream_set_writer(w->b.s, move, w);
        stream_set_writer(w->a.s, NULL, NULL);
        stream_set_reader(w->b.s, NULL, NULL);
        stream_want_read(w->a.s, true);
        stream_want_read(w->b.s, true);
}

static void assert_all_delivered(struct world *w, size_t n)
{
        UNTIL_DOING(w->a.sent == n, direct_feed(&w->a, n); direct_take(&w->b));
        direct_end_peer(&w->a);
        UNTIL(!direct_take(&w->b));
        assert_int_equal(errno, 0);
        assert_int_equal(w->b.got, n);
        assert_int_equal(w->moved, n);
        assert_int_equal(w->a.s->end, STREAM_END);
        assert_int_equal(w->b.s->finished, STREAM_FINISHED);
}

/* Both sockets are full, and so is the pipe between them: by half at least where one read can bring
 * that much. */
static void fill_up(struct world *w)
{
        size_t before = 0, half;
        struct io_pipe *pipe = io_pipe_borrow(w->io);
        half = w->domain == AF_INET ? pipe->size / 2 : 1;
        io_pipe_return(w->io, pipe);
        UNTIL_DOING(stream_queued(w->b.s) > 0, direct_feed(&w->a, MUCH));
        while (w->a.sent != before) {
                before = w->a.sent;
                direct_turns(w, 20);
                direct_feed(&w->a, MUCH);
        }
        UNTIL_DOING(stream_queued(w->b.s) >= half, direct_take(&w->b));
        assert_in_range(w->a.sent, 1, MUCH - 1);
        assert_int_equal(atomic_load(&w->ceiling.held), stream_queued(w->b.s));
        assert_int_equal(w->io->n_pipes, 0); /* it is in the pipe, not in memory */
}

static void megabytes_are_spliced(void **state)
{
        struct world *w = *state;
        join(w);
        assert_all_delivered(w, MUCH);
        assert_true(w->io->n_pipes > 0);
}

static void an_end_finds_the_pipe_full(void **state)
{
        struct world *w = *state;
        join(w);
        fill_up(w);
        direct_end_peer(&w->a);
        assert_all_delivered(w, w->a.sent);
}

static void a_reset_finds_the_pipe_full(void **state)
{
        struct world *w = *state;
        direct_prepare_reset(w, &w->a);
        join(w);
        fill_up(w);
        direct_reset_peer(&w->a);
        UNTIL(w->a.s->lost != STREAM_OPEN);
        size_t arrived = w->moved + stream_unread(w->a.s);
        assert_true(stream_queued(w->b.s) > 0);
        UNTIL_DOING(w->b.got >= arrived && w->b.got == w->moved && w->a.s->end != STREAM_OPEN,
                    direct_take(&w->b));
        assert_int_equal(w->a.s->end, STREAM_RESET);
        assert_int_equal(w->b.got, arrived);
        assert_int_equal(stream_queued(w->b.s), 0);
        /* A cut is not passed on as an end. */
        assert_int_equal(w->b.s->finished, STREAM_UNFINISHED);
}

static void a_receiver_that_resets_takes_the_pipe_along(void **state)
{
        struct world *w = *state;
        join(w);
        fill_up(w);
        direct_reset_peer(&w->b);
        UNTIL(w->b.s->lost != STREAM_OPEN);
        assert_int_equal(stream_queued(w->b.s), 0);
        assert_int_equal(w->io->n_pipes, 0); /* it held octets that were nobody else's */
        assert_int_equal(w->a.s->lost, STREAM_OPEN);
}

static void without_descriptors_it_is_copied(void **state)
{
        struct world *w = *state;
        struct rlimit before, low;
        struct io_pipe *pipe;
        join(w);
        fill_up(w);
        assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
        low = before;
        low.rlim_cur = 3;
        assert_int_equal(setrlimit(RLIMIT_NOFILE, &low), 0);
        UNTIL_DOING(stream_queued(w->b.s) == 0, direct_take(&w->b));
        while ((pipe = io_pipe_borrow(w->io)) != NULL) {
                pipe->held = 4;
                io_pipe_return(w->io, pipe);
        }
        assert_all_delivered(w, MUCH);
        assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
        assert_int_equal(w->io->n_pipes, 0);
}

static void copying_and_splicing_may_alternate(void **state)
{
        struct world *w = *state;
        int n = 0;
        join(w);
        UNTIL_DOING(w->a.sent == MUCH - 1, w->io->no_pipes = ++n % 3 == 0;
                    direct_feed(&w->a, MUCH - 1); direct_take(&w->b));
        assert_true(n > 3);
        assert_all_delivered(w, MUCH);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                BOTH(megabytes_are_spliced),
                BOTH(an_end_finds_the_pipe_full),
                BOTH(a_reset_finds_the_pipe_full),
                BOTH(a_receiver_that_resets_takes_the_pipe_along),
                BOTH(without_descriptors_it_is_copied),
                BOTH(copying_and_splicing_may_alternate),
        };
        signal(SIGPIPE, SIG_IGN); /* as the daemon does */
        return cmocka_run_group_tests(tests, NULL, NULL);
}
