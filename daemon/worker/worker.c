/* SPDX-License-Identifier: ISC */
#include "worker/worker.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

#include <event2/event.h>
#include <openssl/crypto.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mailbox.h"
#include "base/memory.h"
#include "base/own.h"
#include "base/pulse.h"
#include "base/throttle.h"
#include "conn/conn.h"
#include "conn/parcel.h"
#include "conn/recent.h"
#include "net/hangup.h"
#include "net/io.h"
#include "net/resolve.h"
#include "net/stream.h"
#include "stats/loop_stats.h"
#include "tls/memory.h"
#include "worker/acceptor.h"
#include "worker/budget.h"
#include "worker/crew.h"

enum order {
        ORDER_DRAIN,
        ORDER_CUT,
        ORDER_CUT_OVER,
        ORDER_STOP,
        ORDER_TAKE,
        ORDER_CHANGE,
        ORDER_GATE,
        ORDER_VISIT,
        ORDER_LEAVE,
        ORDER_ADOPT
};

struct worker {
        struct event_base *base;
        struct mailbox *mailbox;
        struct io *io;
        struct hangup *hangup;
        struct resolver *resolver;
        struct memory_tide *memory; /* NULL: the system gets nothing back */
        struct acceptor *acceptor;
        struct snapshot *snapshot; /* held */
        struct worker_place place;
        struct pulse pulse;
        struct conn_env env;
        struct conn_list living, dead;
        bool draining, told_idle, stopping;
        struct recent *recent;
        struct throttle refusals; /* how often the log has them */
        struct loop_stats stats;
        struct event *beat; /* of the stats */
        pthread_t thread;
        bool started;
        worker_report_fn *report;
        void *arg;
};

static void on_ended(struct conn *c, void *arg)
{
        struct worker *w = arg;
        TAILQ_REMOVE(&w->living, c, entry);
        TAILQ_INSERT_TAIL(&w->dead, c, entry);
        crew_count(w->place.crew, w->place.number, -1);
}

static bool enter_tallies(struct snapshot *snapshot, struct service *service)
{
        if (!tally_enter(&snapshot->counts->tally))
                return false;
        if (tally_enter(&service->counts->tally))
                return true;
        tally_leave(&snapshot->counts->tally);
        return false;
}

static void refuse(struct worker *w, struct handed *h, bool admitted)
{
        enum { BURST_US = 10 * 1000 * 1000 };
        if (throttle_pass(&w->refusals, clock_us(), 1, BURST_US))
                log_error("service %s: a connection is refused: out of memory",
                          h->service->conf->name);
        if (admitted) {
                tally_leave(&h->service->counts->tally);
                tally_leave(&h->snapshot->counts->tally);
        }
        crew_count(w->place.crew, w->place.number, -1);
        budget_give(w->place.budget, service_descriptors(h->service));
}

/* A connection that counts in the crew and in the budget already. */
static void begin(struct worker *w, struct handed *h)
{
        bool admitted = enter_tallies(h->snapshot, h->service);
        struct conn *c = conn_new(&w->env, h->snapshot, h->service, &h->sock->address, &h->client,
                                  &h->fd, admitted);
        if (c == NULL) {
                refuse(w, h, admitted);
                return;
        }
        TAILQ_INSERT_TAIL(&w->living, c, entry);
        if (admitted)
                conn_start(c);
        else
                conn_end(c, REASON_LIMIT);
}

static bool hand_over(struct worker *w, size_t to, const struct handed *accepted)
{
        struct handed *h = malloc(sizeof *h);
        if (h == NULL)
                return false;
        *h = *accepted;
        snapshot_ref(h->snapshot);
        if (crew_hand(w->place.crew, to, h)) {
                log_debug("a connection is handed to worker %zu", to);
                return true;
        }
        snapshot_unref(h->snapshot);
        free(h);
        return false;
}

static void on_accepted(struct service *service, const struct lsock *sock,
                        const struct sockaddress *client, int *fd, void *arg)
{
        struct worker *w = arg;
        struct handed accepted = {
                .snapshot = w->snapshot,
                .service = service,
                .sock = sock,
                .client = *client,
                .fd = TAKE_FD(*fd),
        };
        size_t to = crew_choose(w->place.crew, w->place.number);
        budget_take(w->place.budget, service_descriptors(service));
        if (to != w->place.number && hand_over(w, to, &accepted))
                return;
        crew_count(w->place.crew, w->place.number, 1);
        begin(w, &accepted);
        stream_close_fd(&accepted.fd, STREAM_CLOSE_RESET);
}

static void take_handed(struct worker *w)
{
        struct handed *h;
        while ((h = crew_take(w->place.crew, w->place.number)) != NULL) {
                begin(w, h);
                handed_free(h);
        }
}

/* Nobody new, neither from outside nor from the others. */
static void drain(struct worker *w)
{
        acceptor_stop(w->acceptor);
        crew_leave(w->place.crew, w->place.number);
        take_handed(w);
        w->draining = true;
        w->report(WORKER_QUIET, NULL, w->arg);
}

static void cut_all(struct worker *w, enum reason why)
{
        while (!TAILQ_EMPTY(&w->living))
                conn_end(TAILQ_FIRST(&w->living), why);
}

static void visit(struct worker *w, struct worker_visit *v)
{
        struct conn *c = TAILQ_FIRST(&w->living), *next;
        if (v->ends != NULL)
                v->ends(w->recent, v);
        for (; c != NULL; c = next) {
                next = TAILQ_NEXT(c, entry);
                v->each(c, v);
        }
}

static void end_if_over(struct conn *c, struct worker_visit *v)
{
        (void)v;
        if (atomic_load_explicit(&c->service->counts->over, memory_order_relaxed))
                conn_end(c, REASON_DRAINED);
}

/* Takes the reference. */
static void change(struct worker *w, struct snapshot *snapshot)
{
        bool changed = acceptor_change(w->acceptor, snapshot);
        if (changed) {
                snapshot_unref(w->snapshot);
                w->snapshot = snapshot;
        } else {
                snapshot_unref(snapshot);
        }
        w->report(changed ? WORKER_CHANGED : WORKER_UNCHANGED, NULL, w->arg);
}

/* --- connections of another process ----------------------------------------------------------- */

static void leave(struct worker *w)
{
        acceptor_leave(w->acceptor);
        drain(w);
}

struct adoption {
        struct snapshot *snapshot; /* held */
        struct service *service;
        struct parcel parcel;
};

static void adoption_free(struct adoption *a)
{
        snapshot_unref(a->snapshot);
        parcel_fini(&a->parcel);
        free(a);
}

static void adopt(struct worker *w, struct adoption *a)
{
        struct tally *all = &a->snapshot->counts->tally, *its = &a->service->counts->tally;
        tally_add(all);
        tally_add(its);
        crew_count(w->place.crew, w->place.number, 1);
        struct conn *c = conn_unpack(&w->env, a->snapshot, a->service, &a->parcel);
        if (c != NULL) {
                TAILQ_INSERT_TAIL(&w->living, c, entry);
                conn_go_on(c, &a->parcel);
        } else {
                log_warning("service %s: a connection that was handed over is reset: the service "
                            "is another one now, or memory is short",
                            a->service->conf->name);
                tally_leave(its);
                tally_leave(all);
                crew_count(w->place.crew, w->place.number, -1);
                budget_give(w->place.budget, service_descriptors(a->service));
        }
        adoption_free(a);
}

static void on_order(int order, void *data, void *arg)
{
        struct worker *w = arg;
        switch ((enum order)order) {
        case ORDER_DRAIN:
                drain(w);
                break;
        case ORDER_TAKE:
                take_handed(w);
                break;
        case ORDER_CUT:
                cut_all(w, (enum reason)(intptr_t)data);
                break;
        case ORDER_CUT_OVER:
                visit(w, &(struct worker_visit){ .each = end_if_over });
                break;
        case ORDER_CHANGE:
                change(w, data);
                break;
        case ORDER_GATE:
                acceptor_look_at_gates(w->acceptor);
                w->report(WORKER_GATED, NULL, w->arg);
                break;
        case ORDER_VISIT:
                visit(w, data);
                w->report(WORKER_VISITED, data, w->arg);
                break;
        case ORDER_LEAVE:
                leave(w);
                break;
        case ORDER_ADOPT:
                adopt(w, data);
                break;
        case ORDER_STOP:
                w->stopping = true;
                break;
        }
}

static void reap(struct worker *w)
{
        struct conn *c;
        while ((c = TAILQ_FIRST(&w->dead)) != NULL) {
                int descriptors = service_descriptors(c->service);
                TAILQ_REMOVE(&w->dead, c, entry);
                conn_free(c);
                budget_give(w->place.budget, descriptors);
        }
        if (w->draining && !w->told_idle && TAILQ_EMPTY(&w->living)) {
                w->told_idle = true;
                w->report(WORKER_IDLE, NULL, w->arg);
        }
}

static bool turn(struct worker *w)
{
        int how = pulse_awake(&w->pulse) ? EVLOOP_ONCE | EVLOOP_NONBLOCK : EVLOOP_ONCE;
        acceptor_turn(w->acceptor);
        return event_base_loop(w->base, how) == 0;
}

static void *run(void *arg)
{
        struct worker *w = arg;
        while (!w->stopping && turn(w))
                reap(w);
        crew_leave(w->place.crew, w->place.number);
        take_handed(w);
        cut_all(w, REASON_SHUTDOWN);
        reap(w);
        OPENSSL_thread_stop();
        return NULL;
}

/* Without libevent's change list: it puts EPOLL_CTL_DEL off until after close(2). A socket of
 * systemd's lives on in the descriptor that was passed, and its registration would with it. */
static struct event_base *new_base(void)
{
        struct event_config *config = event_config_new();
        if (config == NULL)
                return NULL;
        event_config_set_flag(config, EVENT_BASE_FLAG_NOLOCK);
        struct event_base *base = event_base_new_with_config(config);
        event_config_free(config);
        return base;
}

static bool build(struct worker *w)
{
        w->base = new_base();
        if (w->base == NULL)
                return false;
        w->mailbox = mailbox_new(w->base, on_order, w);
        w->io = io_new(w->base, &w->snapshot->counts->ceiling);
        w->hangup = hangup_new(w->base);
        w->resolver = resolver_new(w->base);
        w->recent = recent_new();
        w->beat = loop_stats_start(&w->stats, w->base);
        w->memory = memory_tide_new(w->base, tls_memory_give_back);
        if (w->io != NULL) {
                w->io->descriptors = &w->place.budget->left;
                w->io->worker = w->place.number;
        }
        if (w->mailbox == NULL || w->io == NULL || w->hangup == NULL || w->resolver == NULL)
                return false;
        w->acceptor = acceptor_new(w->base, w->snapshot, w->place.number, w->place.budget,
                                   on_accepted, w);
        if (w->acceptor == NULL || w->beat == NULL || w->recent == NULL)
                return false;
        acceptor_count_pauses(w->acceptor, &w->stats.accept_pauses);
        w->env = (struct conn_env){
                .base = w->base,
                .io = w->io,
                .hangup = w->hangup,
                .resolver = w->resolver,
                .pulse = &w->pulse,
                .memory = w->memory,
                .recent = w->recent,
                .relief = acceptor_relief,
                .relief_arg = w->acceptor,
                .ended = on_ended,
                .ended_arg = w,
        };
        /* Before the thread runs: who comes first is counted on already. */
        crew_join(w->place.crew, w->place.number, w->mailbox, ORDER_TAKE);
        w->started = pthread_create(&w->thread, NULL, run, w) == 0;
        return w->started;
}

struct worker *worker_new(struct snapshot *snapshot, const struct worker_place *place,
                          worker_report_fn *report, void *arg)
{
        struct worker *w = calloc(1, sizeof *w);
        if (w == NULL)
                return NULL;
        *w = (struct worker){ .place = *place, .report = report, .arg = arg };
        TAILQ_INIT(&w->living);
        TAILQ_INIT(&w->dead);
        w->snapshot = snapshot_ref(snapshot);
        if (!build(w)) {
                worker_free(w);
                return NULL;
        }
        return w;
}

const struct loop_stats *worker_stats(const struct worker *w)
{
        return &w->stats;
}

static void give_order(struct worker *w, enum order order, void *data)
{
        if (!mailbox_post(w->mailbox, (int)order, data))
                log_error("out of memory: a worker cannot be told what to do");
}

void worker_drain(struct worker *w)
{
        give_order(w, ORDER_DRAIN, NULL);
}

void worker_cut(struct worker *w, enum reason why)
{
        give_order(w, ORDER_CUT, (void *)(intptr_t)why);
}

void worker_cut_over(struct worker *w)
{
        give_order(w, ORDER_CUT_OVER, NULL);
}

bool worker_visit(struct worker *w, struct worker_visit *v)
{
        return mailbox_post(w->mailbox, ORDER_VISIT, v);
}

void worker_leave(struct worker *w)
{
        give_order(w, ORDER_LEAVE, NULL);
}

bool worker_adopt(struct worker *w, struct snapshot *snapshot, struct service *service,
                  struct parcel *parcel)
{
        struct adoption *a = malloc(sizeof *a);
        if (a == NULL)
                return false;
        *a = (struct adoption){ snapshot_ref(snapshot), service, *parcel };
        if (mailbox_post(w->mailbox, ORDER_ADOPT, a)) {
                *parcel = (struct parcel){ .fds = { -1, -1 } };
                return true;
        }
        snapshot_unref(snapshot);
        free(a);
        return false;
}

bool worker_gate(struct worker *w)
{
        return mailbox_post(w->mailbox, ORDER_GATE, NULL);
}

bool worker_change(struct worker *w, struct snapshot *snapshot)
{
        if (mailbox_post(w->mailbox, ORDER_CHANGE, snapshot_ref(snapshot)))
                return true;
        snapshot_unref(snapshot);
        return false;
}

void worker_free(struct worker *w)
{
        if (w == NULL)
                return;
        if (w->started) {
                give_order(w, ORDER_STOP, NULL);
                pthread_join(w->thread, NULL);
        }
        crew_leave(w->place.crew, w->place.number);
        acceptor_free(w->acceptor);
        if (w->beat != NULL)
                event_free(w->beat);
        free(w->recent);
        resolver_free(w->resolver);
        memory_tide_free(w->memory);
        hangup_free(w->hangup);
        io_free(w->io);
        mailbox_free(w->mailbox);
        if (w->base != NULL)
                event_base_free(w->base);
        snapshot_unref(w->snapshot);
        free(w);
}
