/* SPDX-License-Identifier: ISC */
#include "control/reload.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include <event2/event.h>
#include <event2/event_struct.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/own.h"
#include "config/changes.h"
#include "control/privileges.h"
#include "worker/budget.h"

/* A service that is gone, with connections that are not. */
struct retired {
        TAILQ_ENTRY(retired) entry;
        struct reload *reload;
        char *name;
        struct service_counts *counts; /* held */
        struct event deadline;
};
TAILQ_HEAD(retired_list, retired);

struct reload {
        struct reload_env env;
        struct snapshot *running; /* held */
        struct snapshot *former;  /* held, while workers leave it */
        size_t n_waiting, n_unchanged;
        struct retired_list retired;
};

/* --- services that are gone ------------------------------------------------------------------- */

static void retired_free(struct retired *r)
{
        if (r == NULL)
                return;
        evtimer_del(&r->deadline);
        service_counts_unref(r->counts);
        free(r->name);
        free(r);
}

static void forget_retired(struct retired *gone)
{
        TAILQ_REMOVE(&gone->reload->retired, gone, entry);
        retired_free(gone);
}

static void on_deadline(evutil_socket_t fd, short what, void *arg)
{
        (void)fd;
        (void)what;
        struct retired *gone = arg;
        const struct reload_env *env = &gone->reload->env;
        int64_t live = tally_live(&gone->counts->tally);
        if (live > 0)
                log_notice("service %s was removed and drain-timeout ran out, still open: %" PRId64,
                           gone->name, live);
        atomic_store_explicit(&gone->counts->over, true, memory_order_relaxed);
        for (size_t i = 0; i < env->n_workers; i++)
                worker_cut_over(env->workers[i]);
        forget_retired(gone);
}

static void retire(struct reload *r, const struct service *s)
{
        int64_t patience = r->running->conf->drain_timeout;
        if (patience == 0 || tally_live(&s->counts->tally) == 0) /* off: as long as it takes */
                return;
        struct timeval in = clock_timeval(patience);
        struct retired *gone = calloc(1, sizeof *gone);
        char *name = strdup(s->conf->name);
        if (gone == NULL || name == NULL) {
                log_error("service %s was removed, its connections stay: out of memory",
                          s->conf->name);
                free(gone);
                free(name);
                return;
        }
        *gone = (struct retired){
                .reload = r,
                .name = name,
                .counts = service_counts_ref(s->counts),
        };
        TAILQ_INSERT_TAIL(&r->retired, gone, entry);
        evtimer_assign(&gone->deadline, r->env.base, on_deadline, gone);
        evtimer_add(&gone->deadline, &in);
}

/* Who removed a service by mistake and put it back has lost nothing. */
static void take_back(struct reload *r)
{
        struct retired *gone = TAILQ_FIRST(&r->retired), *next;
        for (; gone != NULL; gone = next) {
                next = TAILQ_NEXT(gone, entry);
                if (snapshot_service(r->running, gone->name) != NULL)
                        forget_retired(gone);
        }
}

static void retire_all(struct reload *r)
{
        take_back(r);
        for (size_t i = 0; i < r->former->n_services; i++) {
                const struct service *s = r->former->services[i];
                if (snapshot_service(r->running, s->conf->name) == NULL)
                        retire(r, s);
        }
}

/* --- one after the other ---------------------------------------------------------------------- */

static int listening(const struct snapshot *s)
{
        size_t n = 0;
        for (size_t i = 0; i < s->n_services; i++)
                for (size_t j = 0; j < s->services[i]->n_socks; j++)
                        n += s->services[i]->socks[j]->n_fds;
        return (int)n;
}

static void log_change(const char *line, void *arg)
{
        (void)arg;
        log_info("reload: %s", line);
}

static void tell_changes(const struct snapshot *before, const struct snapshot *after)
{
        struct config_changes c = config_changes(before->conf, after->conf, log_change, NULL);
        log_notice("reloading: %zu service%s added, %zu changed, %zu removed%s", c.added,
                   c.added == 1 ? "" : "s", c.changed, c.removed,
                   c.needs_restart ? "; some of it takes effect after a restart" : "");
}

static struct snapshot *build(struct reload *r, struct diag *diag)
{
        struct config *conf = given_read(r->env.given, diag);
        if (conf == NULL)
                return NULL;
        privileges_check(conf, diag);
        struct snapshot *next = snapshot_new(&conf, SNAPSHOT_ALL, r->running, diag);
        /* Last, since it cannot be undone. */
        if (next == NULL || given_open_log(r->env.given, next->conf, diag))
                return next;
        snapshot_unref(next);
        return NULL;
}

static void finish(struct reload *r)
{
        if (r->n_unchanged == 0) {
                snapshot_close_sockets(r->former, r->running);
                budget_give(r->env.budget, listening(r->former));
        } else {
                log_error("%zu of %zu workers go on with the former configuration: out of memory; "
                          "reload again",
                          r->n_unchanged, r->env.n_workers);
        }
        retire_all(r);
        snapshot_unref(TAKE(r->former));
}

static void hand_out(struct reload *r)
{
        r->n_waiting = r->env.n_workers;
        r->n_unchanged = 0;
        for (size_t i = 0; i < r->env.n_workers; i++)
                if (!worker_change(r->env.workers[i], r->running))
                        reload_worker_changed(r, false);
}

bool reload_begin(struct reload *r, struct diag *diag)
{
        if (r->env.given == NULL) {
                diag_error(diag, NULL, "there is no configuration to read again");
                return false;
        }
        struct snapshot *next = build(r, diag);
        if (next == NULL)
                return false;
        tell_changes(r->running, next);
        snapshot_publish(next, diag);
        budget_take(r->env.budget, listening(next));
        r->former = r->running;
        r->running = next;
        hand_out(r);
        return true;
}

bool reload_worker_changed(struct reload *r, bool changed)
{
        if (!changed)
                r->n_unchanged++;
        if (--r->n_waiting > 0)
                return false;
        finish(r);
        return true;
}

/* --- its life --------------------------------------------------------------------------------- */

struct reload *reload_new(const struct reload_env *env, struct snapshot *running)
{
        struct reload *r = calloc(1, sizeof *r);
        if (r == NULL)
                return NULL;
        *r = (struct reload){ .env = *env, .running = running };
        TAILQ_INIT(&r->retired);
        return r;
}

void reload_free(struct reload *r)
{
        if (r == NULL)
                return;
        while (!TAILQ_EMPTY(&r->retired))
                forget_retired(TAILQ_FIRST(&r->retired));
        snapshot_unref(r->former);
        snapshot_unref(r->running);
        free(r);
}

struct snapshot *reload_running(const struct reload *r)
{
        return r->running;
}

bool reload_is_under_way(const struct reload *r)
{
        return r->former != NULL;
}
