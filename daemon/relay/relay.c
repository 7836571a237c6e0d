/* SPDX-License-Identifier: ISC */
/* What one leg's end or cut means for the other. Callbacks only say "look again": relay_update()
 * brings everything up to date from the state of the two streams, as often as it takes.
 *
 *   on leg A                       pump A → B                          pump B → A
 *   end                            drain, then pass the end on         flows on (close: drain what
 *                                  (hold: once B has ended too)        has arrived, then end)
 *   reset, broken (A is lost)      drain, wait for B's ACK             failed: throw away
 *   truncated, truncation=reset    drain, wait for B's ACK             drain what has arrived, wait
 *                                                                      for A's ACK
 *   truncated, =forward            as an end                           as on an end
 *
 * After a cut both legs are closed with RST, once every octet that arrived before it has been
 * acknowledged: a reset that overtook them would take them away again. */
#include "relay/relay.h"

#include <stdlib.h>
#include <string.h>

#include <event2/event.h>
#include <event2/event_struct.h>

#include "base/clock.h"
#include "base/pulse.h"
#include "net/io.h"
#include "relay/pump.h"
#include "stats/service_stats.h"

enum {
        POLL_FIRST_MS =
                1, /* nothing tells when the last octet is acknowledged: ask, ever less often */
        POLL_LAST_MS = 50,
        CUT_PATIENCE_MS =
                60 * 60 * 1000, /* for what comes ahead of a cut, without half-close timer */
};

enum relay_mode {
        RELAY_OPEN,    /* ends may still come */
        RELAY_CUTTING, /* a leg was cut: deliver what had arrived, then reset */
        RELAY_OVER,    /* told */
};

/* In an order without holes: there are as many as connections. */
struct relay {
        enum relay_mode mode : 8;
        enum relay_side first : 8; /* who ended first, if `ended` */
        bool updating, again;      /* an update is running; something changed meanwhile */
        bool ended;                /* an end was seen, first on side `first`, at ended_us */
        bool half_closed;          /* that end was clean: the other direction went on */
        uint32_t counted;          /* octets of ours in io's account */
        int32_t poll_ms;           /* interval of asking the kernel; 0: nothing to ask */
        struct pump pumps[2];      /* by source: [RELAY_CLIENT] client → upstream */
        const struct relay_settings *set;
        struct relay_result result;
        int64_t ended_us, half_closed_us;
        int64_t progress_ms; /* when octets last moved, either way */
        int64_t timer_ms;    /* when the timer is set to run; 0: it is not */
        struct event *timer; /* NULL until one is needed */
        struct io *io;
        struct pulse *pulse; /* NULL: none */
        relay_done_fn *done;
        void *arg;
};

static void update(struct relay *r);

static enum relay_side other(enum relay_side side)
{
        return side == RELAY_CLIENT ? RELAY_UPSTREAM : RELAY_CLIENT;
}

static struct stream *leg(const struct relay *r, enum relay_side side)
{
        return r->pumps[side].src;
}

/* --- the rules ------------------------------------------------------------------------------- */

static bool counts_as_end(const struct relay *r, enum stream_end end)
{
        if (end == STREAM_TRUNCATED)
                return r->set->truncation == RELAY_TRUNCATION_FORWARD;
        return end == STREAM_END;
}

static enum relay_outcome outcome_of(enum stream_end cut)
{
        switch (cut) {
        case STREAM_TRUNCATED:
                return RELAY_TRUNCATED;
        case STREAM_BROKEN:
                return RELAY_BROKEN;
        default:
                return RELAY_RESET;
        }
}

static struct service_stats *stats(const struct relay *r)
{
        return stats_of(r->set->stats, r->io->worker);
}

static void note_end(struct relay *r, enum relay_side side)
{
        const struct stream *s = leg(r, side);
        if (s->end == STREAM_TRUNCATED && r->result.outcome == RELAY_ENDED) {
                r->result.outcome = RELAY_TRUNCATED; /* the record says so either way */
                r->result.side = side;
                r->result.detail = s->detail;
        }
        if (r->ended)
                return;
        r->ended = r->half_closed = true;
        counter_add(&stats(r)->half_closed, 1);
        r->first = side;
        r->ended_us = clock_us();
        if (r->set->half_close == RELAY_CLOSE)
                pump_limit(&r->pumps[other(side)]);
}

static void begin_cut(struct relay *r, enum relay_side side, enum stream_end cut)
{
        r->mode = RELAY_CUTTING;
        r->result.close = STREAM_CLOSE_RESET;
        if (r->result.outcome == RELAY_ENDED) {
                r->result.outcome = outcome_of(cut);
                r->result.side = side;
                r->result.detail = leg(r, side)->detail;
        }
        if (!r->ended) {
                r->ended = true;
                r->first = side;
                r->ended_us = clock_us();
        }
        pump_limit(&r->pumps[other(side)]);
        /* The end that octets were kept back for does not come. */
        stream_push(leg(r, RELAY_CLIENT));
        stream_push(leg(r, RELAY_UPSTREAM));
}

static void look_at_leg(struct relay *r, enum relay_side side)
{
        const struct stream *s = leg(r, side);
        if (r->mode != RELAY_OPEN)
                return;
        if (s->lost != STREAM_OPEN)
                begin_cut(r, side, s->lost);
        else if (counts_as_end(r, s->end))
                note_end(r, side);
        else if (s->end != STREAM_OPEN)
                begin_cut(r, side, s->end);
}

static void look_at_legs(struct relay *r)
{
        look_at_leg(r, RELAY_CLIENT);
        look_at_leg(r, RELAY_UPSTREAM);
}

static bool may_pass_end(const struct relay *r, enum relay_side side)
{
        const struct pump *p = &r->pumps[side];
        if (p->state != PUMP_DRAINING || r->mode != RELAY_OPEN)
                return false;
        return r->set->half_close != RELAY_HOLD || r->pumps[other(side)].state != PUMP_FLOWING;
}

/* The last end of all: closing, which comes next, passes it on as well. Where the kernel has not
 * sent everything yet closing must wait, and so does the end not. */
static bool is_left_to_close(const struct relay *r, enum relay_side side)
{
        const struct pump *p = &r->pumps[side], *back = &r->pumps[other(side)];
        return back->state == PUMP_DONE && p->dst->end == STREAM_END && p->dst->ops->close_is_end &&
               stream_queued(p->dst) == 0 && stream_unsent(p->dst) == 0;
}

/* Whether all is done; sets poll_ms where only the kernel is still to be waited for. */
static bool is_complete(struct relay *r)
{
        struct pump *up = &r->pumps[RELAY_CLIENT], *down = &r->pumps[RELAY_UPSTREAM];
        bool complete, ours;
        if (r->mode == RELAY_OPEN) {
                ours = up->state == PUMP_DONE && down->state == PUMP_DONE;
                /* close(2) now would leave the rest to the kernel, which gives up on a peer that
                 * reads slowly. */
                complete = ours && stream_unsent(up->dst) == 0 && stream_unsent(down->dst) == 0;
        } else {
                ours = pump_delivered(up) && pump_delivered(down);
                complete = ours && pump_acknowledged(up) && pump_acknowledged(down);
        }
        bool limited = (up->state == PUMP_FLOWING && up->allowance != PUMP_NO_LIMIT) ||
                       (down->state == PUMP_FLOWING && down->allowance != PUMP_NO_LIMIT);
        if (complete || !(ours || limited))
                r->poll_ms = 0;
        else if (r->poll_ms == 0)
                r->poll_ms = POLL_FIRST_MS;
        return complete;
}

/* --- the timers ------------------------------------------------------------------------------ */

/* Octets that were given to the receiver since this was asked last are counted. */
static bool was_given(struct relay *r, enum relay_side side)
{
        static const int direction[] = { [RELAY_CLIENT] = STATS_UP, [RELAY_UPSTREAM] = STATS_DOWN };
        struct pump *p = &r->pumps[side];
        uint64_t given = pump_given(p), n = given - p->seen_given;
        if (n == 0)
                return false;
        counter_add(&stats(r)->octets[direction[side]], n);
        p->seen_given = given;
        return true;
}

static void note_progress(struct relay *r, enum relay_side side, int64_t now, uint64_t moved_before,
                          bool was_empty)
{
        struct pump *p = &r->pumps[side];
        bool given = was_given(r, side);
        if (given || was_empty)
                p->written_ms = now;
        if (given || p->moved != moved_before)
                r->progress_ms = now;
}

static bool waits_for_reader(const struct relay *r, enum relay_side side)
{
        const struct pump *p = &r->pumps[side];
        return r->set->write_ms > 0 && p->state != PUMP_FAILED && stream_queued(p->dst) > 0;
}

/* The kernel takes no more before much of what it holds is gone: a slow reader may take octets all
 * the while although nothing can be written. What has been acknowledged tells. */
static void ask_for_readers(struct relay *r, int64_t now)
{
        for (int i = 0; i < 2; i++) {
                struct pump *p = &r->pumps[i];
                if (!waits_for_reader(r, (enum relay_side)i))
                        continue;
                uint32_t unacked = (uint32_t)stream_unacked(p->dst);
                if (unacked != p->seen_unacked)
                        p->written_ms = now;
                p->seen_unacked = unacked;
        }
}

/* What runs out first: fills *outcome and *side, returns when (clock_ms); INT64_MAX: nothing. */
static int64_t next_deadline(const struct relay *r, enum relay_outcome *outcome,
                             enum relay_side *side)
{
        const struct relay_settings *set = r->set;
        int64_t first = INT64_MAX;
        if (set->idle_ms > 0) {
                first = r->progress_ms + set->idle_ms;
                *outcome = RELAY_IDLE_TIMEOUT;
        }
        int64_t patience = set->half_close_ms;
        if (patience == 0 && r->mode == RELAY_CUTTING)
                patience = CUT_PATIENCE_MS;
        if (patience > 0 && r->ended) {
                int64_t since = r->ended_us / 1000;
                if (since < r->progress_ms)
                        since = r->progress_ms;
                if (since + patience < first) {
                        first = since + patience;
                        *outcome = RELAY_HALF_CLOSE_TIMEOUT;
                }
        }
        for (int i = 0; i < 2; i++) {
                const struct pump *p = &r->pumps[i];
                if (!waits_for_reader(r, (enum relay_side)i))
                        continue;
                if (p->written_ms + set->write_ms < first) {
                        first = p->written_ms + set->write_ms;
                        *outcome = RELAY_WRITE_TIMEOUT;
                        *side = other((enum relay_side)i);
                }
        }
        return first;
}

static void on_timer(evutil_socket_t fd, short what, void *arg);

static int64_t ask_every(const struct relay *r)
{
        return r->set->write_ms / 4 + 1;
}

/* Returns false when memory is short. */
static bool set_timer(struct relay *r, int64_t now)
{
        enum relay_outcome outcome;
        enum relay_side side;
        int64_t at = next_deadline(r, &outcome, &side);
        if (r->poll_ms > 0 && now + r->poll_ms < at)
                at = now + r->poll_ms;
        if ((waits_for_reader(r, RELAY_CLIENT) || waits_for_reader(r, RELAY_UPSTREAM)) &&
            now + ask_every(r) < at)
                at = now + ask_every(r);
        /* A deadline that moved away is found out when the timer runs: no work for each octet. */
        if (at == INT64_MAX || (r->timer_ms != 0 && r->timer_ms <= at))
                return true;
        struct timeval in = clock_timeval(at - now);
        if (r->timer == NULL)
                r->timer = evtimer_new(r->io->base, on_timer, r);
        if (r->timer == NULL || evtimer_add(r->timer, &in) < 0)
                return false;
        r->timer_ms = at;
        return true;
}

static void finish(struct relay *r)
{
        r->mode = RELAY_OVER;
        if (r->timer != NULL)
                evtimer_del(r->timer);
        if (r->half_closed)
                r->half_closed_us = clock_us() - r->ended_us;
        if (r->result.outcome == RELAY_ENDED)
                r->result.side = r->first;
        r->done(&r->result, r->arg);
}

static void time_is_up(struct relay *r, enum relay_outcome outcome, enum relay_side side)
{
        if (r->mode == RELAY_OPEN && r->result.outcome == RELAY_ENDED) {
                r->result.outcome = outcome;
                r->result.side = side;
        }
        r->result.close = STREAM_CLOSE_RESET;
        finish(r);
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
        (void)fd;
        (void)what;
        struct relay *r = arg;
        enum relay_outcome outcome = RELAY_ENDED;
        enum relay_side side = RELAY_CLIENT;
        int64_t now = clock_ms();
        r->timer_ms = 0;
        ask_for_readers(r, now);
        if (now >= next_deadline(r, &outcome, &side)) {
                time_is_up(r, outcome, side);
                return;
        }
        if (r->poll_ms > 0)
                r->poll_ms = r->poll_ms * 2 < POLL_LAST_MS ? r->poll_ms * 2 : POLL_LAST_MS;
        update(r);
}

/* --- memory ---------------------------------------------------------------------------------- */

static bool keeps_account(const struct relay *r)
{
        return r->pumps[RELAY_CLIENT].carrier->waiting != NULL;
}

/* While memory is short, less is taken from those who send more than is read. */
static void set_high_water(struct relay *r)
{
        if (!keeps_account(r))
                return;
        size_t room = io_room(r->io);
        for (int i = 0; i < 2; i++)
                r->pumps[i].high_water =
                        room < r->set->high_water ? (uint32_t)room : r->set->high_water;
}

static void account_for(struct relay *r, size_t octets)
{
        if (octets > r->counted)
                io_hold(r->io, octets - r->counted);
        else if (octets < r->counted)
                io_release(r->io, r->counted - octets);
        r->counted = (uint32_t)octets;
}

static void keep_account(struct relay *r)
{
        const struct pump *up = &r->pumps[RELAY_CLIENT], *down = &r->pumps[RELAY_UPSTREAM];
        if (keeps_account(r))
                account_for(r, up->carrier->waiting(up) + down->carrier->waiting(down));
}

/* --- bringing it up to date ------------------------------------------------------------------ */

static void run_pump(struct relay *r, enum relay_side side, int64_t now)
{
        struct pump *p = &r->pumps[side];
        uint64_t moved = p->moved;
        bool was_empty = pump_given(p) == p->moved;
        enum pump_state before = p->state;
        look_at_legs(r);
        pump_run(p);
        look_at_legs(r); /* a direct stream finds its end out in there */
        if (may_pass_end(r, side)) {
                if (is_left_to_close(r, side))
                        pump_leave_end_to_close(p);
                else
                        pump_pass_end(p);
        }
        if (p->state != before) /* the other pump may have waited for it */
                r->again = true;
        note_progress(r, side, now, moved, was_empty);
}

static void update(struct relay *r)
{
        r->again = true;
        if (r->updating || r->mode == RELAY_OVER)
                return;
        r->updating = true;
        int64_t now = clock_ms();
        set_high_water(r);
        while (r->again) {
                r->again = false;
                run_pump(r, RELAY_CLIENT, now);
                run_pump(r, RELAY_UPSTREAM, now);
                pump_update_interest(&r->pumps[RELAY_CLIENT]);
                pump_update_interest(&r->pumps[RELAY_UPSTREAM]);
        }
        r->updating = false;
        keep_account(r);
        if (is_complete(r))
                finish(r);
        else if (!set_timer(r, now))
                time_is_up(r, RELAY_NO_MEMORY, RELAY_CLIENT);
}

static void on_change(void *arg)
{
        struct relay *r = arg;
        if (r->pulse != NULL)
                pulse_beat(r->pulse, r->set->busy_poll_us);
        update(r);
}

void relay_set_pulse(struct relay *r, struct pulse *pulse)
{
        r->pulse = pulse;
        pulse_begin(pulse);
}

static bool is_path(const struct stream *s, const char *path)
{
        return strcmp(s->ops->path, path) == 0;
}

static const char *path_between(const struct stream *client, const struct stream *upstream)
{
        if (!stream_is_direct(client) || !stream_is_direct(upstream))
                return "buffer";
        /* Of two the one that is more work. */
        if (is_path(client, "tls") || is_path(upstream, "tls"))
                return "tls";
        return is_path(client, "ktls") ? "ktls" : upstream->ops->path;
}

struct relay *relay_new(struct io *io, struct stream *client, struct stream *upstream,
                        const struct relay_settings *settings, relay_done_fn *done, void *arg)
{
        struct relay *r = calloc(1, sizeof *r);
        if (r == NULL)
                return NULL;
        *r = (struct relay){ .io = io, .set = settings, .done = done, .arg = arg };
        r->result.close = STREAM_CLOSE;
        pump_init(&r->pumps[RELAY_CLIENT], client, upstream, settings->high_water);
        pump_init(&r->pumps[RELAY_UPSTREAM], upstream, client, settings->high_water);
        for (int i = 0; i < 2; i++)
                r->pumps[i].end_follows = settings->half_close != RELAY_HOLD;
        return r;
}

void relay_start(struct relay *r)
{
        if (r->progress_ms == 0)
                r->progress_ms = clock_ms();
        for (int i = 0; i < 2; i++) {
                stream_set_reader(r->pumps[i].src, on_change, r);
                stream_set_writer(r->pumps[i].dst, on_change, r);
        }
        update(r);
}

/* --- going on elsewhere ---------------------------------------------------------------------- */

void relay_save(struct relay *r, struct relay_state *state)
{
        *state = (struct relay_state){
                .outcome = r->result.outcome,
                .side = r->result.side,
                .first = r->first,
                .cutting = r->mode == RELAY_CUTTING,
                .ended = r->ended,
                .half_closed = r->half_closed,
                .ended_us = r->ended_us,
                .progress_ms = r->progress_ms,
        };
        r->mode = RELAY_OVER;
        for (int i = 0; i < 2; i++) {
                struct pump *p = &r->pumps[i];
                pump_take_in_hand(p);
                state->pumps[i].state = p->state;
                state->pumps[i].moved = p->moved;
                state->pumps[i].allowance = p->allowance;
        }
}

static void resume_pump(struct relay *r, enum relay_side side, const struct relay_state *state)
{
        struct pump *p = &r->pumps[side];
        p->state = state->pumps[side].state;
        p->moved = state->pumps[side].moved;
        p->allowance = state->pumps[side].allowance;
        p->seen_given = pump_given(p);
        p->written_ms = clock_ms();
}

void relay_resume(struct relay *r, const struct relay_state *state)
{
        r->mode = state->cutting ? RELAY_CUTTING : RELAY_OPEN;
        r->result.outcome = state->outcome;
        r->result.side = state->side;
        if (state->cutting)
                r->result.close = STREAM_CLOSE_RESET;
        if (state->outcome != RELAY_ENDED)
                r->result.detail = leg(r, state->side)->detail;
        r->first = state->first;
        r->ended = state->ended;
        r->half_closed = state->half_closed;
        r->ended_us = state->ended_us;
        if (r->half_closed)
                counter_add(&stats(r)->half_closed, 1);
        r->progress_ms = state->progress_ms;
        resume_pump(r, RELAY_CLIENT, state);
        resume_pump(r, RELAY_UPSTREAM, state);
}

void relay_stats(const struct relay *r, struct relay_stats *out)
{
        int64_t half_closed = r->half_closed_us;
        if (r->mode != RELAY_OVER && r->half_closed)
                half_closed = clock_us() - r->ended_us;
        *out = (struct relay_stats){
                .bytes_up = pump_given(&r->pumps[RELAY_CLIENT]),
                .bytes_down = pump_given(&r->pumps[RELAY_UPSTREAM]),
                .half_closed_ms = half_closed / 1000,
                .half_closed = r->mode != RELAY_OVER && r->half_closed,
                .path = path_between(leg(r, RELAY_CLIENT), leg(r, RELAY_UPSTREAM)),
        };
}

void relay_free(struct relay *r)
{
        if (r == NULL)
                return;
        if (r->timer != NULL)
                event_free(r->timer);
        if (r->pulse != NULL)
                pulse_end(r->pulse);
        account_for(r, 0);
        if (r->half_closed)
                counter_add(&stats(r)->half_closed, UINT64_MAX);
        for (int i = 0; i < 2; i++) {
                was_given(r, (enum relay_side)i);
                stream_set_reader(r->pumps[i].src, NULL, NULL);
                stream_set_writer(r->pumps[i].dst, NULL, NULL);
        }
        free(r);
}
