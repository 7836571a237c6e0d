/* SPDX-License-Identifier: ISC */
#include "control/daemon.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <event2/event.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mailbox.h"
#include "base/own.h"
#include "conn/parcel.h"
#include "control/admin.h"
#include "control/control.h"
#include "control/gates.h"
#include "control/manager.h"
#include "control/notify.h"
#include "control/predecessor.h"
#include "control/reload.h"
#include "control/seccomp.h"
#include "control/upgrade.h"
#include "worker/budget.h"
#include "worker/crew.h"
#include "worker/worker.h"

enum phase {
        RUNNING,
        DELAYED,  /* as before, but says that it is not ready: for drain-delay */
        LEAVING,  /* a successor accepts, or will; connections that cannot go there may finish */
        DRAINING, /* accepts no more; connections may finish */
        CUT,      /* every connection was ended */
};

struct daemon {
        struct event_base *base;
        struct mailbox *mailbox;
        struct daemon_start how;
        struct snapshot *first; /* held, until reload has it */
        struct reload *reload;
        struct gates *gates;
        struct control *control; /* NULL: nobody asks */
        struct upgrade *upgrade;
        bool collecting;     /* connections for a successor: not before that is there an end */
        size_t next_adopter; /* the worker that gets the next connection of the predecessor */
        struct admin *admin;
        struct seccomp_watch *refused;
        struct budget budget;
        struct crew *crew;
        struct worker **workers;
        size_t n_workers, n_quiet, n_idle;
        enum phase phase;
        struct event *deadline, *leave_soon;
        struct event *on_term, *on_int, *on_usr1, *on_hup, *on_usr2;
};

static const struct snapshot *running(const struct daemon *d)
{
        return reload_running(d->reload);
}

static int64_t live(const struct daemon *d)
{
        return tally_live(&running(d)->counts->tally);
}

static void cut_all(struct daemon *d, enum reason why)
{
        d->phase = CUT;
        for (size_t i = 0; i < d->n_workers; i++)
                worker_cut(d->workers[i], why);
}

static const char *plural(int64_t n)
{
        return n == 1 ? "" : "s";
}

enum { CUTTING_MS = 10 * 1000 };

/* A service manager that kills us while we drain would make ends where there are none. */
static void tell_stopping(const char *word, int64_t open, int64_t patience)
{
        static const int64_t without_limit = INT64_C(365) * 24 * 3600 * 1000;
        char status[128];
        snprintf(status, sizeof status, "%s, %" PRId64 " connection%s", word, open, plural(open));
        log_notice("%s", status);
        notify_stopping(status, ((patience > 0 ? patience : without_limit) + CUTTING_MS) * 1000);
}

static void drain(struct daemon *d)
{
        int64_t patience = running(d)->conf->drain_timeout;
        struct timeval in = clock_timeval(patience);
        tell_stopping("draining", live(d), patience);
        d->phase = DRAINING;
        admin_draining(d->admin);
        reload_stop(d->reload);
        gates_stop(d->gates);
        snapshot_shut_sockets(running(d), NULL);
        for (size_t i = 0; i < d->n_workers; i++)
                worker_drain(d->workers[i]);
        if (patience > 0) /* off: as long as it takes */
                evtimer_add(d->deadline, &in);
}

static void on_deadline(evutil_socket_t fd, short what, void *arg)
{
        (void)fd;
        (void)what;
        struct daemon *d = arg;
        if (d->phase == DELAYED) {
                drain(d);
                return;
        }
        log_notice("drain-timeout ran out, still open: %" PRId64, live(d));
        cut_all(d, REASON_DRAINED);
}

/* Whoever sends clients here hears first that it is not ready, and has the time to look. */
static void drain_in_time(struct daemon *d)
{
        int64_t delay = running(d)->conf->drain_delay;
        struct timeval in = clock_timeval(delay);
        if (delay == 0) {
                drain(d);
                return;
        }
        d->phase = DELAYED;
        admin_draining(d->admin);
        log_notice("not ready any more, and draining soon");
        notify_stopping("not ready any more", (delay + CUTTING_MS) * 1000);
        evtimer_add(d->deadline, &in);
}

static void on_stop(evutil_socket_t fd, short what, void *arg)
{
        (void)fd;
        (void)what;
        struct daemon *d = arg;
        if (d->phase == RUNNING) {
                if (!manager_restarts() || !upgrade_by_manager(d->upgrade))
                        drain_in_time(d);
        } else if (d->phase == LEAVING) {
                log_notice("told to stop: it is leaving already");
                d->phase = DRAINING;
        } else {
                log_notice("told again: stopping now");
                if (d->phase == DELAYED)
                        drain(d);
                cut_all(d, REASON_SHUTDOWN);
        }
}

static void on_reopen(evutil_socket_t fd, short what, void *arg)
{
        (void)fd;
        (void)what;
        (void)arg;
        const char *error = log_reopen();
        if (error != NULL)
                log_error("the log cannot be reopened: %s", error);
        else
                log_info("the log was reopened");
}

/* --- a successor ------------------------------------------------------------------------------ */

static void on_upgrade(evutil_socket_t fd, short what, void *arg)
{
        (void)fd;
        (void)what;
        struct daemon *d = arg;
        const char *error = d->phase == RUNNING ? upgrade_begin(d->upgrade, NULL)
                                                : "this process is on its way out";
        if (error != NULL)
                log_warning("not replaced: %s", error);
}

static void each_socket(void fn(struct lsock *l, void *to), void *to, void *arg)
{
        struct daemon *d = arg;
        snapshot_each_socket(running(d), fn, to);
        control_each_socket(d->control, fn, to);
}

static void leave(long pid, void *arg)
{
        struct daemon *d = arg;
        int64_t patience = running(d)->conf->drain_timeout;
        struct timeval in = clock_timeval(patience);
        d->phase = LEAVING;
        d->collecting = true;
        admin_leave(d->admin);
        reload_stop(d->reload);
        gates_stop(d->gates);
        control_leave(d->control);
        if (pid > 0)
                notify_main_pid(pid);
        else
                tell_stopping("restarting", live(d), patience);
        for (size_t i = 0; i < d->n_workers; i++)
                worker_leave(d->workers[i]);
        if (patience > 0)
                evtimer_add(d->deadline, &in);
}

/* Whoever asked on the control socket gets the answer first. */
static void end_if_idle(struct daemon *d)
{
        static const struct timeval soon = { .tv_usec = 10 * 1000 };
        if (d->n_idle < d->n_workers || d->collecting)
                return;
        if (d->phase == LEAVING && control_is_busy(d->control))
                evtimer_add(d->leave_soon, &soon);
        else
                event_base_loopbreak(d->base);
}

static void on_leave_soon(evutil_socket_t fd, short what, void *arg)
{
        (void)fd;
        (void)what;
        end_if_idle(arg);
}

static void on_upgrade_over(const char *error, void *arg)
{
        struct daemon *d = arg;
        if (error != NULL)
                return;
        d->collecting = false;
        if (live(d) > 0)
                log_notice("still here: %" PRId64 " connection%s that cannot be handed over",
                           live(d), plural(live(d)));
        end_if_idle(d);
}

static void leave_socket(struct lsock *l, void *arg)
{
        (void)arg;
        lsock_leave(l);
}

static void on_quiet(struct daemon *d)
{
        if (++d->n_quiet < d->n_workers)
                return;
        if (d->collecting) {
                snapshot_each_socket(running(d), leave_socket, NULL);
                upgrade_go_on(d->upgrade);
        } else {
                snapshot_close_sockets(reload_running(d->reload), NULL);
        }
}

/* --- a predecessor ---------------------------------------------------------------------------- */

static void tell_ready(const struct daemon *d, const char *word);

static void on_parcel(struct parcel *parcel, void *arg)
{
        struct daemon *d = arg;
        struct snapshot *s = reload_running(d->reload);
        struct service *service = parcel_service(parcel, s);
        if (service == NULL) {
                log_warning("a connection that was handed over is reset: its service is gone");
                parcel_fini(parcel);
                return;
        }
        budget_take(&d->budget, service_descriptors(service));
        if (worker_adopt(d->workers[d->next_adopter++ % d->n_workers], s, service, parcel))
                return;
        log_error("a connection that was handed over is reset: out of memory");
        budget_give(&d->budget, service_descriptors(service));
        parcel_fini(parcel);
}

static void on_followed(size_t n, void *arg)
{
        struct daemon *d = arg;
        predecessor_free(TAKE(d->how.predecessor));
        log_notice("taken over: %zu connection%s", n, plural((int64_t)n));
        if (d->phase == RUNNING)
                tell_ready(d, "ready");
}

/* --- reloading -------------------------------------------------------------------------------- */

static void tell_addresses(const struct snapshot *snapshot)
{
        char text[SOCKADDRESS_TEXT_MAX];
        for (size_t i = 0; i < snapshot->n_services; i++) {
                const struct service *s = snapshot->services[i];
                for (size_t j = 0; j < s->n_socks; j++)
                        log_info("service %s: listening on %s", s->conf->name,
                                 sockaddress_text(&s->socks[j]->address, text));
        }
}

static void tell_ready(const struct daemon *d, const char *word)
{
        char status[128];
        size_t n = running(d)->n_services;
        snprintf(status, sizeof status, "%zu service%s, %zu worker%s", n, plural((int64_t)n),
                 d->n_workers, plural((int64_t)d->n_workers));
        log_info("%s: %s", word, status);
        if (!predecessor_is_there(d->how.predecessor)) /* who is the service until then */
                notify_ready(status);
}

static void on_reload_begins(void *arg)
{
        (void)arg;
        notify_reloading();
}

static void on_reload_over(bool changed, void *arg)
{
        struct daemon *d = arg;
        admin_reloaded(d->admin, changed);
        admin_listen(d->admin, running(d));
        if (d->phase != RUNNING)
                return;
        gates_update(d->gates);
        tell_ready(d, changed ? "reloaded" : "as before");
}

static void on_reload(evutil_socket_t fd, short what, void *arg)
{
        (void)fd;
        (void)what;
        struct daemon *d = arg;
        if (d->phase != RUNNING)
                log_warning("not reloaded: it is stopping");
        else
                reload_config(d->reload, NULL);
}

static void on_report(int what, void *data, void *arg)
{
        struct daemon *d = arg;
        switch ((enum worker_report)what) {
        case WORKER_CHANGED:
        case WORKER_UNCHANGED:
                reload_worker_changed(d->reload, what == WORKER_CHANGED);
                break;
        case WORKER_QUIET:
                on_quiet(d);
                break;
        case WORKER_GATED:
                gates_worker_done(d->gates);
                break;
        case WORKER_VISITED:
                ((struct worker_visit *)data)->done(data);
                break;
        case WORKER_IDLE:
                d->n_idle++;
                end_if_idle(d);
                break;
        }
}

/* On a worker's thread. */
static void pass_report_on(enum worker_report what, void *data, void *arg)
{
        struct daemon *d = arg;
        if (!mailbox_post(d->mailbox, (int)what, data))
                log_error("out of memory: a worker's report is lost");
}

static bool catch_signal(struct daemon *d, struct event **slot, int number, event_callback_fn fn)
{
        *slot = evsignal_new(d->base, number, fn, d);
        return *slot != NULL && event_add(*slot, NULL) == 0;
}

static bool make_budget(struct daemon *d, unsigned workers)
{
        unsigned long needed;
        if (budget_init(&d->budget, workers, &needed))
                return true;
        log_error("the limit on open files leaves none for connections: raise it (LimitNOFILE=, "
                  "ulimit -n) to %lu at the least, or have fewer workers",
                  needed);
        errno = EMFILE;
        return false;
}

static bool start_workers(struct daemon *d)
{
        size_t wanted = d->first->n_workers;
        if (!make_budget(d, (unsigned)wanted))
                return false;
        d->workers = calloc(wanted, sizeof(struct worker *));
        d->crew = crew_new(wanted);
        if (d->workers == NULL || d->crew == NULL)
                return false;
        /* Signals are the main thread's: workers are born with all of them blocked. */
        sigset_t all, before;
        sigfillset(&all);
        sigdelset(&all, SIGSYS); /* how the sandbox refuses, in the thread itself */
        pthread_sigmask(SIG_BLOCK, &all, &before);
        while (d->n_workers < wanted) {
                struct worker_place place = { &d->budget, d->crew, d->n_workers };
                struct worker *w = worker_new(d->first, &place, pass_report_on, d);
                if (w == NULL)
                        break;
                d->workers[d->n_workers++] = w;
        }
        pthread_sigmask(SIG_SETMASK, &before, NULL);
        return d->n_workers == wanted;
}

static bool make_reload(struct daemon *d)
{
        const struct reload_env env = {
                .base = d->base,
                .budget = &d->budget,
                .given = d->how.given,
                .workers = d->workers,
                .n_workers = d->n_workers,
                .begins = on_reload_begins,
                .over = on_reload_over,
                .arg = d,
        };
        d->reload = reload_new(&env, &d->first);
        return d->reload != NULL;
}

static bool make_gates(struct daemon *d)
{
        const struct gates_env env = {
                .base = d->base,
                .reload = d->reload,
                .workers = d->workers,
                .n_workers = d->n_workers,
        };
        d->gates = gates_new(&env);
        return d->gates != NULL;
}

static void log_message(enum diag_severity severity, const char *line, void *arg)
{
        (void)arg;
        log_line(severity == DIAG_ERROR ? LOG_LEVEL_ERROR : LOG_LEVEL_WARNING, "%s", line);
}

static bool make_control(struct daemon *d)
{
        const struct command_env env = {
                .reload = d->reload,
                .upgrade = d->upgrade,
                .gates = d->gates,
                .workers = d->workers,
                .n_workers = d->n_workers,
                .started_wall_us = clock_wall_us(),
        };
        struct diag *diag = diag_new();
        bool fine = diag != NULL && control_open(&d->control, d->base, running(d)->conf, &env,
                                                 predecessor_sockets(d->how.predecessor), diag);
        if (diag != NULL)
                diag_each(diag, log_message, NULL);
        diag_free(diag);
        errno = EADDRNOTAVAIL; /* what start-up failed for, in a word */
        return fine;
}

static bool make_upgrade(struct daemon *d)
{
        const struct upgrade_env env = {
                .base = d->base,
                .launcher = d->how.launcher,
                .workers = d->workers,
                .n_workers = d->n_workers,
                .each_socket = each_socket,
                .leave = leave,
                .over = on_upgrade_over,
                .arg = d,
        };
        d->upgrade = upgrade_new(&env);
        return d->upgrade != NULL;
}

static bool make_admin(struct daemon *d)
{
        const struct admin_env env = {
                .reload = d->reload,
                .workers = d->workers,
                .n_workers = d->n_workers,
        };
        d->admin = admin_new(d->base, &env);
        if (d->admin == NULL)
                return false;
        admin_listen(d->admin, running(d));
        return true;
}

static bool start(struct daemon *d)
{
        d->base = event_base_new();
        if (d->base == NULL)
                return false;
        d->mailbox = mailbox_new(d->base, on_report, d);
        d->deadline = evtimer_new(d->base, on_deadline, d);
        d->leave_soon = evtimer_new(d->base, on_leave_soon, d);
        d->refused = seccomp_watch_new(d->base);
        if (d->mailbox == NULL || d->deadline == NULL || d->leave_soon == NULL ||
            d->refused == NULL)
                return false;
        return catch_signal(d, &d->on_term, SIGTERM, on_stop) &&
               catch_signal(d, &d->on_int, SIGINT, on_stop) &&
               catch_signal(d, &d->on_usr1, SIGUSR1, on_reopen) &&
               catch_signal(d, &d->on_hup, SIGHUP, on_reload) &&
               catch_signal(d, &d->on_usr2, SIGUSR2, on_upgrade) && start_workers(d) &&
               make_reload(d) && make_gates(d) && make_upgrade(d) && make_control(d) &&
               make_admin(d);
}

static void event_fini(struct event *e)
{
        if (e != NULL)
                event_free(e);
}

static void fini(struct daemon *d)
{
        for (size_t i = 0; i < d->n_workers; i++)
                worker_free(d->workers[i]);
        crew_free(d->crew);
        free(d->workers);
        event_fini(d->deadline);
        event_fini(d->leave_soon);
        event_fini(d->on_term);
        event_fini(d->on_int);
        event_fini(d->on_usr1);
        event_fini(d->on_hup);
        event_fini(d->on_usr2);
        control_close(d->control);
        predecessor_free(d->how.predecessor);
        upgrade_free(d->upgrade);
        gates_free(d->gates);
        admin_free(d->admin);
        seccomp_watch_free(d->refused);
        reload_free(d->reload);
        snapshot_unref(d->first);
        mailbox_free(d->mailbox);
        if (d->base != NULL)
                event_base_free(d->base);
}

int daemon_run(struct snapshot *snapshot, const struct daemon_start *how)
{
        struct daemon d = { .first = snapshot, .how = *how };
        int exit_status = EXIT_FAILURE;
        signal(SIGPIPE, SIG_IGN);
        if (start(&d)) {
                tell_addresses(running(&d));
                tell_ready(&d, "ready");
                if (how->predecessor != NULL)
                        predecessor_follow(how->predecessor, d.base, on_parcel, on_followed, &d);
                event_base_dispatch(d.base);
                log_notice("stopped");
                exit_status = EXIT_SUCCESS;
        } else {
                log_error("start-up failed: %s", strerror(errno));
        }
        fini(&d);
        return exit_status;
}
