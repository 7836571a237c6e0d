/* SPDX-License-Identifier: ISC */
#include "control/daemon_internal.h"

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
#include "conn/left_out.h"
#include "control/admin.h"
#include "control/control.h"
#include "control/gates.h"
#include "control/notify.h"
#include "control/predecessor.h"
#include "control/seccomp.h"
#include "control/watchdog.h"
#include "worker/crew.h"

static void cut_all(struct daemon *d, enum reason why)
{
        log_be_patient();
        d->phase = CUT;
        for (size_t i = 0; i < d->n_workers; i++)
                worker_cut(d->workers[i], why);
}

enum { CUTTING_MS = 10 * 1000 };

/* A service manager that kills us while we drain would make ends where there are none. */
void daemon_tell_stopping(const struct daemon *d, const char *word, int64_t patience)
{
        int64_t open = daemon_live(d);
        static const int64_t without_limit = INT64_C(365) * 24 * 3600 * 1000;
        char status[128];
        snprintf(status, sizeof status, "%s, %" PRId64 " connection%s", word, open,
                 daemon_plural(open));
        log_notice("%s", status);
        notify_stopping(status, ((patience > 0 ? patience : without_limit) + CUTTING_MS) * 1000);
}

static void drain(struct daemon *d)
{
        log_be_patient();
        int64_t patience = daemon_running(d)->conf->drain_timeout;
        struct timeval in = clock_timeval(patience);
        daemon_tell_stopping(d, "draining", patience);
        d->phase = DRAINING;
        admin_draining(d->admin);
        reload_stop(d->reload);
        gates_stop(d->gates);
        snapshot_shut_sockets(daemon_running(d), NULL);
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
        log_notice("drain-timeout ran out, still open: %" PRId64, daemon_live(d));
        cut_all(d, REASON_DRAINED);
}

/* Whoever sends clients here hears first that it is not ready, and has the time to look. */
static void drain_in_time(struct daemon *d)
{
        int64_t delay = daemon_running(d)->conf->drain_delay;
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
                if (!succession_by_manager(d))
                        drain_in_time(d);
                return;
        }
        if (d->phase == LEAVING) {
                log_notice("told to stop: it is leaving already");
                d->phase = DRAINING;
                return;
        }
        log_notice("told again: stopping now");
        if (d->phase == DELAYED)
                drain(d);
        cut_all(d, REASON_SHUTDOWN);
}

static void on_left_out(evutil_socket_t fd, short what, void *arg)
{
        (void)fd;
        (void)what;
        (void)arg;
        left_out_tell();
}

static bool make_left_out(struct daemon *d)
{
        static const struct timeval every = { .tv_sec = 10 };
        d->left_out = event_new(d->base, -1, EV_PERSIST, on_left_out, NULL);
        return d->left_out != NULL && evtimer_add(d->left_out, &every) == 0;
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

void daemon_tell_ready(const struct daemon *d, const char *word)
{
        char status[128];
        size_t n = daemon_running(d)->n_services;
        snprintf(status, sizeof status, "%zu service%s, %zu worker%s", n, daemon_plural((int64_t)n),
                 d->n_workers, daemon_plural((int64_t)d->n_workers));
        log_info("%s: %s", word, status);
        if (predecessor_is_there(d->how.predecessor))
                return; /* that one is the service until then */
        notify_ready(status);
        watchdog_start(d->watchdog);
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
        admin_listen(d->admin, daemon_running(d));
        if (d->phase != RUNNING)
                return;
        gates_update(d->gates);
        daemon_tell_ready(d, changed ? "reloaded" : "as before");
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
                if (++d->n_quiet == d->n_workers && !succession_go_on(d))
                        snapshot_close_sockets(daemon_running(d), NULL);
                break;
        case WORKER_GATED:
                gates_worker_done(d->gates);
                break;
        case WORKER_VISITED:
                ((struct worker_visit *)data)->over(data);
                break;
        case WORKER_IDLE:
                if (++d->n_idle == d->n_workers && !succession_is_busy(d))
                        event_base_loopbreak(d->base);
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
        if (d->gates == NULL)
                return false;
        predecessor_drain(d->how.predecessor, daemon_running(d));
        gates_update(d->gates);
        return true;
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
                .inquiries = &d->inquiries,
                .workers = d->workers,
                .n_workers = d->n_workers,
                .started_wall_us = clock_wall_us(),
        };
        struct diag *diag = diag_new();
        bool fine =
                diag != NULL && control_open(&d->control, d->base, daemon_running(d)->conf, &env,
                                             predecessor_sockets(d->how.predecessor), diag);
        if (diag != NULL)
                diag_each(diag, log_message, NULL);
        diag_free(diag);
        errno = EADDRNOTAVAIL; /* what start-up failed for, in a word */
        return fine;
}

static bool make_watchdog(struct daemon *d)
{
        const struct watchdog_env env = {
                .base = d->base,
                .reload = d->reload,
                .workers = d->workers,
                .n_workers = d->n_workers,
        };
        d->watchdog = watchdog_new(&env);
        return d->watchdog != NULL;
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
        admin_listen(d->admin, daemon_running(d));
        return true;
}

static bool start(struct daemon *d)
{
        d->base = event_base_new();
        if (d->base == NULL)
                return false;
        d->mailbox = mailbox_new(d->base, on_report, d);
        d->deadline = evtimer_new(d->base, on_deadline, d);
        d->refused = seccomp_watch_new(d->base);
        if (d->mailbox == NULL || d->deadline == NULL || d->refused == NULL)
                return false;
        return catch_signal(d, &d->on_term, SIGTERM, on_stop) &&
               catch_signal(d, &d->on_int, SIGINT, on_stop) &&
               catch_signal(d, &d->on_usr1, SIGUSR1, on_reopen) &&
               catch_signal(d, &d->on_hup, SIGHUP, on_reload) &&
               catch_signal(d, &d->on_usr2, SIGUSR2, succession_on_signal) && start_workers(d) &&
               make_reload(d) && make_gates(d) && succession_init(d) && make_control(d) &&
               make_admin(d) && make_watchdog(d) && make_left_out(d);
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
        inquiries_fini(&d->inquiries);
        crew_free(d->crew);
        free(d->workers);
        left_out_tell();
        event_fini(d->deadline);
        event_fini(d->left_out);
        event_fini(d->on_term);
        event_fini(d->on_int);
        event_fini(d->on_usr1);
        event_fini(d->on_hup);
        event_fini(d->on_usr2);
        control_close(d->control);
        succession_fini(d);
        gates_free(d->gates);
        admin_free(d->admin);
        seccomp_watch_free(d->refused);
        watchdog_free(d->watchdog);
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
        inquiries_init(&d.inquiries);
        signal(SIGPIPE, SIG_IGN);
        if (start(&d)) {
                tell_addresses(daemon_running(&d));
                daemon_tell_ready(&d, "ready");
                succession_follow(&d);
                event_base_dispatch(d.base);
                log_notice("stopped");
                exit_status = EXIT_SUCCESS;
        } else {
                log_error("start-up failed: %s", strerror(errno));
        }
        fini(&d);
        return exit_status;
}
