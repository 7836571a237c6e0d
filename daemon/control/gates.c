/* SPDX-License-Identifier: ISC */
#include "control/gates.h"

#include <stdlib.h>
#include <string.h>

#include <event2/event.h>

#include "base/clock.h"
#include "base/log.h"
#include "net/lsock_gate.h"

enum {
        HANDSHAKES_MS = 1000, /* for those under way; who tries anew does so about then */
        AGAIN_MS = 100,       /* when a queue could not be emptied: descriptors are short */
};

struct gates {
        struct gates_env env;
        struct event *timer;
        size_t n_waiting; /* workers that are to look at the gates */
        bool again;       /* gates have moved since they were told to */
        bool stopped;
};

static void each_socket(struct gates *g,
                        void fn(struct gates *g, struct service *s, struct lsock *l))
{
        const struct snapshot *all = reload_running(g->env.reload);
        for (size_t i = 0; i < all->n_services; i++)
                for (size_t j = 0; j < all->services[i]->n_socks; j++)
                        fn(g, all->services[i], all->services[i]->socks[j]);
}

static void look_again_in(struct gates *g, int64_t ms)
{
        struct timeval in = clock_timeval(ms);
        if (!evtimer_pending(g->timer, NULL))
                evtimer_add(g->timer, &in);
}

/* A worker that cannot be told, for want of memory, is told later. */
static void tell_workers(struct gates *g)
{
        g->again = false;
        for (size_t i = 0; i < g->env.n_workers; i++) {
                if (worker_gate(g->env.workers[i])) {
                        g->n_waiting++;
                } else {
                        g->again = true;
                        look_again_in(g, AGAIN_MS);
                }
        }
}

/* --- the steps -------------------------------------------------------------------------------- */

/* Returns errno. */
static int let_in(struct gates *g, struct service *s, struct lsock *l)
{
        if (lsock_gate(l) == LSOCK_OPEN)
                return 0;
        int error = lsock_open_gate(l, &s->settings);
        if (error == 0)
                g->again = true;
        return error;
}

static void begin(struct gates *g, struct service *s, struct lsock *l)
{
        char text[SOCKADDRESS_TEXT_MAX];
        int error = s->counts->drained ? 0 : let_in(g, s, l);
        if (error != 0)
                log_error("service %s: nobody is let in on %s: %s", s->conf->name,
                          sockaddress_text(&l->address, text), strerror(error));
        if (!s->counts->drained || lsock_gate(l) != LSOCK_OPEN)
                return;
        lsock_close_gate(l);
        l->closing_ms = clock_ms();
        if (lsock_gate(l) == LSOCK_CLOSING)
                look_again_in(g, HANDSHAKES_MS);
        else
                g->again = true;
}

static void after_handshakes(struct gates *g, struct service *s, struct lsock *l)
{
        (void)s;
        if (lsock_gate(l) != LSOCK_CLOSING)
                return;
        int64_t left = l->closing_ms + HANDSHAKES_MS - clock_ms();
        if (left > 0) {
                look_again_in(g, left);
                return;
        }
        lsock_begin_emptying(l);
        g->again = true;
}

static void after_emptying(struct gates *g, struct service *s, struct lsock *l)
{
        (void)s;
        if (lsock_gate(l) == LSOCK_EMPTYING && !lsock_end_emptying(l)) {
                g->again = true;
                look_again_in(g, AGAIN_MS);
        }
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
        (void)fd;
        (void)what;
        struct gates *g = arg;
        each_socket(g, begin);
        each_socket(g, after_handshakes);
        if (g->again && g->n_waiting == 0)
                tell_workers(g);
}

/* Gates that have moved meanwhile are for the next time: all workers have to see them first. */
void gates_worker_done(struct gates *g)
{
        if (--g->n_waiting > 0 || g->stopped)
                return;
        if (g->again)
                tell_workers(g);
        else
                each_socket(g, after_emptying);
}

void gates_update(struct gates *g)
{
        if (g->stopped)
                return;
        each_socket(g, begin);
        if (g->again && g->n_waiting == 0)
                tell_workers(g);
}

/* --- by command ------------------------------------------------------------------------------- */

void gates_close(struct gates *g, struct service *s)
{
        s->counts->drained = true;
        gates_update(g);
}

bool gates_open(struct gates *g, struct service *s, struct diag *diag)
{
        char text[SOCKADDRESS_TEXT_MAX];
        size_t errors = diag_errors(diag);
        for (size_t i = 0; i < s->n_socks && s->counts->drained; i++) {
                int error = let_in(g, s, s->socks[i]);
                if (error != 0)
                        diag_error(diag, NULL, "%s: %s",
                                   sockaddress_text(&s->socks[i]->address, text), strerror(error));
        }
        bool fine = diag_errors(diag) == errors;
        s->counts->drained = s->counts->drained && !fine;
        gates_update(g);
        return fine;
}

static bool has_settled(const struct service *s)
{
        for (size_t i = 0; i < s->n_socks; i++) {
                enum lsock_gate gate = lsock_gate(s->socks[i]);
                if (gate != LSOCK_WAITING && gate != LSOCK_REFUSING)
                        return false;
        }
        return true;
}

const char *gates_state(const struct service *s)
{
        if (!s->counts->drained)
                return "open";
        return has_settled(s) && tally_live(&s->counts->tally) == 0 ? "drained" : "draining";
}

/* --- its life --------------------------------------------------------------------------------- */

/* From a daemon that was replaced: what was drained there is here. */
static void inherit(struct gates *g, struct service *s, struct lsock *l)
{
        if (lsock_gate(l) == LSOCK_OPEN)
                return;
        s->counts->drained = true;
        g->again = true;
}

struct gates *gates_new(const struct gates_env *env)
{
        struct gates *g = calloc(1, sizeof *g);
        if (g == NULL)
                return NULL;
        *g = (struct gates){ .env = *env };
        g->timer = evtimer_new(env->base, on_timer, g);
        if (g->timer == NULL) {
                gates_free(g);
                return NULL;
        }
        each_socket(g, inherit);
        if (g->again)
                look_again_in(g, 0);
        return g;
}

void gates_stop(struct gates *g)
{
        g->stopped = true;
        evtimer_del(g->timer);
}

void gates_free(struct gates *g)
{
        if (g == NULL)
                return;
        if (g->timer != NULL)
                event_free(g->timer);
        free(g);
}
