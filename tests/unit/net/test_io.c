/* SPDX-License-Identifier: ISC */
/* What the streams of one loop share: pipes, turns, doubts, and the account of memory. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cmocka.h>
#include <event2/event.h>

#include "base/clock.h"
#include "base/own.h"
#include "net/io.h"
#include "net/stream.h"

#include "../child.h"

enum {
        N_STREAMS = 3,
        NOBODY = 65534,
        MANY_PIPES = 5000, /* more than a user may have in full size */
};

/* A stream of which io sees no more than its place in the queues. */
struct pawn {
        struct stream s;
        struct io *io;
        int told, checked;
        bool comes_back;        /* asks for another turn, or doubts again, each time it is told */
        struct stream *forgets; /* another one, taken out of the queues when this one is told */
};

struct world {
        struct event_base *base;
        struct io_ceiling ceiling;
        struct io *io;
        struct pawn pawns[N_STREAMS];
};

static void told(void *arg)
{
        struct pawn *p = arg;
        p->told++;
        if (p->comes_back)
                io_again(p->io, &p->s);
        if (p->forgets != NULL)
                io_forget(p->io, p->forgets);
}

static void checked(struct stream *s)
{
        struct pawn *p = CONTAINER(s, struct pawn, s);
        p->checked++;
        if (p->comes_back)
                io_doubt(p->io, s);
        if (p->forgets != NULL)
                io_forget(p->io, p->forgets);
}

static const struct stream_ops pawn_ops = { .path = "pawn", .check = checked };

static int set_up(void **state)
{
        static struct world w;
        w = (struct world){ .base = event_base_new(), .ceiling = { .most = 1000 } };
        w.io = io_new(w.base, &w.ceiling);
        assert_non_null(w.io);
        for (int i = 0; i < N_STREAMS; i++) {
                struct pawn *p = &w.pawns[i];
                *p = (struct pawn){ .s = { .ops = &pawn_ops, .io = w.io }, .io = w.io };
                stream_set_reader(&p->s, told, p);
                stream_set_writer(&p->s, told, p); /* the same in both slots: told once */
        }
        *state = &w;
        return 0;
}

static int tear_down(void **state)
{
        struct world *w = *state;
        io_free(w->io);
        event_base_free(w->base);
        return 0;
}

/* Exactly one turn of the loop, or none if nothing is due. */
static void turn(struct world *w)
{
        event_base_loop(w->base, EVLOOP_ONCE | EVLOOP_NONBLOCK);
}

#define UNTIL(condition)                                                        \
        do {                                                                    \
                int64_t deadline_ = clock_ms() + 20000;                         \
                while (!(condition)) {                                          \
                        if (clock_ms() > deadline_)                             \
                                fail_msg("waited in vain for: %s", #condition); \
                        turn(w);                                                \
                }                                                               \
        } while (0)

static bool is_open(int fd)
{
        return fcntl(fd, F_GETFD) >= 0;
}

/* --- pipes ------------------------------------------------------------------------------------ */

static void an_empty_pipe_is_used_again(void **state)
{
        struct world *w = *state;
        struct io_pipe *first = io_pipe_borrow(w->io);
        assert_non_null(first);
        assert_true(first->size >= 4096);
        assert_true(fcntl(first->read_end, F_GETFL) & O_NONBLOCK);
        assert_true(fcntl(first->write_end, F_GETFL) & O_NONBLOCK);
        assert_true(fcntl(first->read_end, F_GETFD) & FD_CLOEXEC);
        struct io_pipe *second = io_pipe_borrow(w->io);
        assert_non_null(second);
        assert_ptr_not_equal(first, second);
        io_pipe_return(w->io, first);
        assert_int_equal(w->io->n_pipes, 1);
        assert_ptr_equal(io_pipe_borrow(w->io), first);
        assert_int_equal(w->io->n_pipes, 0);
        io_pipe_return(w->io, first);
        io_pipe_return(w->io, second);
        assert_int_equal(w->io->n_pipes, 2);
}

static void a_pipe_that_holds_octets_is_closed(void **state)
{
        struct world *w = *state;
        struct io_pipe *pipe = io_pipe_borrow(w->io);
        int fds[2] = { pipe->read_end, pipe->write_end };
        assert_int_equal(write(pipe->write_end, "ping", 4), 4);
        pipe->held = 4;
        io_pipe_return(w->io, pipe);
        assert_int_equal(w->io->n_pipes, 0);
        assert_false(is_open(fds[0]));
        assert_false(is_open(fds[1]));
}

static void the_pool_is_bounded_and_closed_at_the_end(void **state)
{
        struct world *w = *state;
        struct io_pipe *pipes[100];
        int fds[COUNTOF(pipes)], open = 0;
        for (size_t i = 0; i < COUNTOF(pipes); i++) {
                pipes[i] = io_pipe_borrow(w->io);
                assert_non_null(pipes[i]);
                fds[i] = pipes[i]->read_end;
        }
        for (size_t i = 0; i < COUNTOF(pipes); i++)
                io_pipe_return(w->io, pipes[i]);
        for (size_t i = 0; i < COUNTOF(pipes); i++)
                open += is_open(fds[i]);
        assert_int_equal(open, w->io->n_pipes);
        assert_in_range(open, 1, COUNTOF(pipes) - 1);
        io_free(w->io);
        w->io = io_new(w->base, &w->ceiling);
        for (size_t i = 0; i < COUNTOF(pipes); i++)
                assert_false(is_open(fds[i]));
}

static void a_pool_that_nobody_uses_is_closed(void **state)
{
        struct world *w = *state;
        io_pipe_return(w->io, io_pipe_borrow(w->io));
        assert_int_equal(w->io->n_pipes, 1);
        while (w->io->n_pipes > 0)
                event_base_loop(w->base, EVLOOP_ONCE);
        assert_true(SLIST_EMPTY(&w->io->pipes));
        assert_false(event_pending(&w->io->pipes_event, EV_TIMEOUT, NULL));
}

static void without_descriptors_there_is_no_pipe(void **state)
{
        struct world *w = *state;
        struct rlimit before, low;
        assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
        low = before;
        low.rlim_cur = 3;
        assert_int_equal(setrlimit(RLIMIT_NOFILE, &low), 0);
        struct io_pipe *none = io_pipe_borrow(w->io);
        assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
        assert_null(none);
        struct io_pipe *pipe = io_pipe_borrow(w->io);
        assert_non_null(pipe);
        io_pipe_return(w->io, pipe);
        w->io->no_pipes = true; /* also where the pool has some */
        assert_null(io_pipe_borrow(w->io));
}

static void pipes_leave_descriptors_to_connections(void **state)
{
        struct world *w = *state;
        atomic_int left = 65;
        w->io->descriptors = &left;
        struct io_pipe *pipe = io_pipe_borrow(w->io);
        assert_non_null(pipe);
        assert_int_equal(atomic_load(&left), 63);
        assert_null(io_pipe_borrow(w->io)); /* the rest is for others */
        io_pipe_return(w->io, pipe);        /* nor is one kept for later */
        assert_int_equal(w->io->n_pipes, 0);
        assert_int_equal(atomic_load(&left), 65);
        w->io->descriptors = NULL;
}

/* --- turns ------------------------------------------------------------------------------------ */

static void each_is_told_once_in_the_next_turn(void **state)
{
        struct world *w = *state;
        for (int i = 0; i < N_STREAMS; i++) {
                io_again(w->io, &w->pawns[i].s);
                io_again(w->io, &w->pawns[i].s);
                assert_int_equal(w->pawns[i].told, 0);
        }
        turn(w);
        for (int i = 0; i < N_STREAMS; i++) {
                assert_int_equal(w->pawns[i].told, 1);
                assert_true(w->pawns[i].s.readable);
        }
        for (int i = 0; i < 10; i++)
                turn(w);
        assert_int_equal(w->pawns[0].told, 1);
}

static void who_comes_back_waits_for_the_turn_after(void **state)
{
        struct world *w = *state;
        for (int i = 0; i < N_STREAMS; i++) {
                w->pawns[i].comes_back = true;
                io_again(w->io, &w->pawns[i].s);
        }
        for (int n = 1; n <= 5; n++) {
                turn(w);
                for (int i = 0; i < N_STREAMS; i++)
                        assert_int_equal(w->pawns[i].told, n);
        }
}

/* Whichever is forgotten: one already told, one still to come, and the last of the turn. */
static void who_is_forgotten_by_another_is_not_told(void **state)
{
        struct world *w = *state;
        for (int forgotten = 1; forgotten < N_STREAMS; forgotten++) {
                for (int i = 0; i < N_STREAMS; i++) {
                        w->pawns[i].told = 0;
                        io_again(w->io, &w->pawns[i].s);
                }
                w->pawns[0].forgets = &w->pawns[forgotten].s;
                for (int i = 0; i < 10; i++)
                        turn(w);
                for (int i = 0; i < N_STREAMS; i++)
                        assert_int_equal(w->pawns[i].told, i != forgotten);
        }
}

static void forgetting_oneself_is_harmless(void **state)
{
        struct world *w = *state;
        w->pawns[0].forgets = &w->pawns[0].s;
        w->pawns[0].comes_back = true;
        io_again(w->io, &w->pawns[0].s);
        io_doubt(w->io, &w->pawns[0].s);
        for (int i = 0; i < 10; i++)
                turn(w);
        assert_int_equal(w->pawns[0].told, 1);
        assert_int_equal(w->pawns[0].checked, 0); /* the doubt was forgotten with the turn */
}

/* --- doubts ----------------------------------------------------------------------------------- */

static void several_doubts_are_one_question(void **state)
{
        struct world *w = *state;
        for (int n = 0; n < 10; n++)
                for (int i = 0; i < N_STREAMS; i++)
                        io_doubt(w->io, &w->pawns[i].s);
        UNTIL(w->pawns[N_STREAMS - 1].checked > 0);
        for (int i = 0; i < N_STREAMS; i++)
                assert_int_equal(w->pawns[i].checked, 1);
        assert_int_equal(w->pawns[0].told, 0); /* a doubt alone tells nobody */
        io_doubt(w->io, &w->pawns[0].s);
        UNTIL(w->pawns[0].checked == 2);
        assert_int_equal(w->pawns[1].checked, 1);
}

static void a_doubt_may_be_forgotten_by_another(void **state)
{
        struct world *w = *state;
        w->pawns[0].forgets = &w->pawns[1].s;
        for (int i = 0; i < N_STREAMS; i++)
                io_doubt(w->io, &w->pawns[i].s);
        UNTIL(w->pawns[2].checked == 1);
        w->pawns[0].forgets = NULL;
        io_doubt(w->io, &w->pawns[0].s);
        UNTIL(w->pawns[0].checked == 2);
        assert_int_equal(w->pawns[1].checked, 0);
}

static void who_doubts_again_is_asked_again(void **state)
{
        struct world *w = *state;
        w->pawns[0].comes_back = true;
        io_doubt(w->io, &w->pawns[0].s);
        UNTIL(w->pawns[0].checked > 0);
        assert_int_equal(w->pawns[0].checked, 1); /* not in the same breath */
        UNTIL(w->pawns[0].checked == 2);
}

/* --- memory ----------------------------------------------------------------------------------- */

static void above_the_ceiling_everybody_gets_less(void **state)
{
        struct world *w = *state;
        assert_int_equal(io_room(w->io), IO_SCRATCH_SIZE);
        io_hold(w->io, 1000);
        assert_int_equal(io_room(w->io), IO_SCRATCH_SIZE);
        io_hold(w->io, 1);
        size_t less = io_room(w->io);
        assert_in_range(less, 1, IO_SCRATCH_SIZE / 4);
        io_release(w->io, 1);
        assert_int_equal(io_room(w->io), IO_SCRATCH_SIZE);
        io_release(w->io, 1000);
        assert_int_equal(atomic_load(&w->ceiling.held), 0);
}

static void a_pipe_is_filled_while_little_is_held(void **state)
{
        struct world *w = *state;
        static const struct {
                size_t held, size, least, most;
        } rows[] = {
                { 0, 1 << 20, 1 << 20, 1 << 20 },
                { 250, 1 << 20, 1 << 20, 1 << 20 },
                { 251, 1 << 20, IO_SCRATCH_SIZE, IO_SCRATCH_SIZE },
                { 1000, 1 << 20, IO_SCRATCH_SIZE, IO_SCRATCH_SIZE },
                { 1001, 1 << 20, 1, IO_SCRATCH_SIZE / 4 },
                { 0, 65536, 65536, 65536 },
                { 251, 65536, 65536, 65536 },
        };
        for (size_t i = 0; i < COUNTOF(rows); i++) {
                const struct io_pipe pipe = { .size = rows[i].size };
                io_hold(w->io, rows[i].held);
                assert_in_range(io_pipe_room(w->io, &pipe), rows[i].least, rows[i].most);
                io_release(w->io, rows[i].held);
        }
}

static void borrow_without_privileges(const void *arg)
{
        struct io *io = ((const struct world *)arg)->io;
        const struct io_pipe *pipe;
        if (geteuid() == 0)
                assert_int_equal(setuid(NOBODY), 0);
        for (int i = 0; i < MANY_PIPES && (pipe = io_pipe_borrow(io)) != NULL; i++)
                assert_true(pipe->size >= 64 * 1024);
}

/* There is a limit for all pipes of a user together: beyond it they hold a page or two. */
static void a_small_pipe_is_none(void **state)
{
        assert_int_equal(in_child(borrow_without_privileges, *state), 0);
}

static void without_a_ceiling_there_is_always_room(void **state)
{
        struct world *w = *state;
        struct io *io = io_new(w->base, NULL);
        assert_non_null(io);
        io_hold(io, SIZE_MAX / 2);
        assert_int_equal(io_room(io), IO_SCRATCH_SIZE);
        io_release(io, SIZE_MAX / 2);
        io_free(io);
}

/* The last of the turn is forgotten, and the first comes back: no endless turn. */
static void forgetting_the_last_ends_the_turn_all_the_same(void **state)
{
        struct world *w = *state;
        w->pawns[0].forgets = &w->pawns[1].s;
        w->pawns[0].comes_back = true;
        io_again(w->io, &w->pawns[0].s);
        io_again(w->io, &w->pawns[1].s);
        for (int i = 0; i < 5; i++) {
                int before = w->pawns[0].told;
                turn(w);
                assert_true(w->pawns[0].told <= before + 1);
                w->pawns[0].comes_back = w->pawns[0].told < 3;
        }
        assert_int_equal(w->pawns[1].told, 0);
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)
        const struct CMUnitTest tests[] = {
                TEST(an_empty_pipe_is_used_again),
                TEST(a_pipe_that_holds_octets_is_closed),
                TEST(the_pool_is_bounded_and_closed_at_the_end),
                TEST(a_pool_that_nobody_uses_is_closed),
                TEST(without_descriptors_there_is_no_pipe),
                TEST(pipes_leave_descriptors_to_connections),
                TEST(each_is_told_once_in_the_next_turn),
                TEST(who_comes_back_waits_for_the_turn_after),
                TEST(who_is_forgotten_by_another_is_not_told),
                TEST(forgetting_oneself_is_harmless),
                TEST(forgetting_the_last_ends_the_turn_all_the_same),
                TEST(several_doubts_are_one_question),
                TEST(a_doubt_may_be_forgotten_by_another),
                TEST(who_doubts_again_is_asked_again),
                TEST(above_the_ceiling_everybody_gets_less),
                TEST(a_pipe_is_filled_while_little_is_held),
                TEST(a_small_pipe_is_none),
                TEST(without_a_ceiling_there_is_always_room),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
