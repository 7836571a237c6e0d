/* SPDX-License-Identifier: ISC */
#include "control/reload.h"

#include <stdlib.h>

#include <event2/event.h>

#include "base/diag.h"
#include "base/log.h"
#include "base/own.h"
#include "config/changes.h"
#include "control/privileges.h"
#include "control/retired.h"
#include "control/renewal.h"
#include "control/sandbox.h"
#include "worker/budget.h"

STAILQ_HEAD(reload_askers, reload_asker);

struct reload {
        struct reload_env env;
        struct snapshot *running; /* held */
        struct snapshot *former;  /* held, while workers leave it */
        size_t n_waiting, n_unchanged;
        bool again, renew_again; /* asked for meanwhile: the configuration, or its files */
        bool stopped;
        struct reload_askers waiting, asking; /* for the next one; for the one under way */
        struct event *soon;                   /* begins what was asked for, from the event loop */
        struct retirement retirement;
        struct renewal *renewal;
};

/* --- what is told ----------------------------------------------------------------------------- */

static void say(struct reload *r, enum reload_line kind, const char *line)
{
        static const enum log_level levels[] = {
                [RELOAD_ERROR] = LOG_LEVEL_ERROR,
                [RELOAD_WARNING] = LOG_LEVEL_WARNING,
                [RELOAD_CHANGE] = LOG_LEVEL_INFO,
        };
        struct reload_asker *a;
        log_line(levels[kind], "%s%s", kind == RELOAD_CHANGE ? "reload: " : "", line);
        STAILQ_FOREACH (a, &r->asking, next)
                a->line(kind, line, a->arg);
}

static void say_change(const char *line, void *arg)
{
        say(arg, RELOAD_CHANGE, line);
}

static void say_message(enum diag_severity severity, const char *line, void *arg)
{
        say(arg, severity == DIAG_ERROR ? RELOAD_ERROR : RELOAD_WARNING, line);
}

static void tell_changes(struct reload *r, const struct snapshot *next)
{
        struct config_changes c = config_changes(r->running->conf, next->conf, say_change, r);
        log_notice("reloading: %zu service%s added, %zu changed, %zu removed%s", c.added,
                   c.added == 1 ? "" : "s", c.changed, c.removed,
                   c.needs_restart ? "; some of it takes effect after a restart" : "");
}

static void tell_opened(const struct service *s)
{
        char text[SOCKADDRESS_TEXT_MAX];
        for (size_t i = 0; i < s->n_socks; i++)
                if (!lsock_is_shared(s->socks[i]))
                        log_info("service %s: listening on %s", s->conf->name,
                                 sockaddress_text(&s->socks[i]->address, text));
}

/* --- building aside --------------------------------------------------------------------------- */

static struct snapshot *read_anew(struct reload *r, enum snapshot_scope scope, struct diag *diag)
{
        struct config *conf = given_read(r->env.given, diag);
        if (conf == NULL)
                return NULL;
        privileges_check(conf, diag);
        if (!sandbox_check(conf, diag))
                scope = SNAPSHOT_KEYS;
        return snapshot_new(&conf, scope, r->running, diag);
}

static struct snapshot *build(struct reload *r, struct diag *diag)
{
        struct snapshot *next = read_anew(r, SNAPSHOT_ALL, diag);
        /* Last, since it cannot be undone. */
        if (next == NULL || !given_open_log(r->env.given, next->conf, diag)) {
                snapshot_unref(next);
                return NULL;
        }
        tell_changes(r, next);
        return next;
}

static struct snapshot *renew(struct reload *r, struct diag *diag)
{
        struct diag *unusable = diag_new();
        if (unusable == NULL) {
                diag_error(diag, NULL, "out of memory");
                return NULL;
        }
        log_notice("certificates or keys have changed: they are read again");
        struct snapshot *next = snapshot_renew(r->running, unusable, diag);
        diag_each(unusable, say_message, r);
        if (diag_errors(unusable) > 0)
                log_error("services whose certificates or keys cannot be used go on with those "
                          "they have");
        diag_free(unusable);
        return next;
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

static void watch(struct reload *r)
{
        renewal_watch(r->renewal, r->running->conf, r->running->read_us);
}

static void answer(struct reload_askers *askers, bool changed)
{
        struct reload_asker *a;
        while ((a = STAILQ_FIRST(askers)) != NULL) {
                STAILQ_REMOVE_HEAD(askers, next);
                a->done(changed, a->arg);
        }
}

static void over(struct reload *r, bool changed)
{
        r->env.over(changed, r->env.arg);
        answer(&r->asking, changed);
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
        retirement_update(&r->retirement, r->former, r->running);
        snapshot_unref(TAKE(r->former));
        watch(r);
        over(r, true);
}

static void worker_answered(struct reload *r, bool changed)
{
        if (!changed)
                r->n_unchanged++;
        if (--r->n_waiting == 0)
                finish(r);
}

static void replace(struct reload *r, struct snapshot *next, struct diag *diag)
{
        for (size_t i = 0; i < next->n_services; i++)
                tell_opened(next->services[i]);
        snapshot_publish(next, diag);
        snapshot_shut_sockets(r->running, next);
        budget_take(r->env.budget, listening(next));
        r->former = r->running;
        r->running = next;
        r->n_waiting = r->env.n_workers;
        r->n_unchanged = 0;
}

static void hand_out(struct reload *r)
{
        for (size_t i = 0; i < r->env.n_workers; i++)
                if (!worker_change(r->env.workers[i], r->running))
                        worker_answered(r, false);
}

/* Not while one is under way. */
static void begin(struct reload *r, struct snapshot *made(struct reload *r, struct diag *diag))
{
        struct diag *diag = diag_new();
        if (diag == NULL) {
                log_error("nothing is reloaded: out of memory");
                answer(&r->asking, false);
                return;
        }
        r->env.begins(r->env.arg);
        struct snapshot *next = made(r, diag);
        if (next != NULL)
                replace(r, next, diag);
        else
                sandbox_explain(diag);
        diag_each(diag, say_message, r);
        diag_free(diag);
        if (next != NULL) {
                hand_out(r);
                return;
        }
        log_error("nothing is reloaded; what was running goes on");
        over(r, false);
}

static void begin_what_was_asked_for(struct reload *r)
{
        while (r->former == NULL && !r->stopped && (r->again || r->renew_again)) {
                bool again = r->again;
                r->again = r->renew_again = false;
                STAILQ_CONCAT(&r->asking, &r->waiting);
                begin(r, again ? build : renew);
        }
}

static void on_soon(evutil_socket_t fd, short what, void *arg)
{
        (void)fd;
        (void)what;
        struct reload *r = arg;
        begin_what_was_asked_for(r);
        if (r->stopped)
                answer(&r->waiting, false);
}

void reload_config(struct reload *r, struct reload_asker *asker)
{
        r->again = true;
        if (asker != NULL)
                STAILQ_INSERT_TAIL(&r->waiting, asker, next);
        event_active(r->soon, EV_TIMEOUT, 1);
}

static void try_change(const char *line, void *arg)
{
        struct reload_asker *asker = arg;
        asker->line(RELOAD_CHANGE, line, asker->arg);
}

static void try_message(enum diag_severity severity, const char *line, void *arg)
{
        struct reload_asker *asker = arg;
        asker->line(severity == DIAG_ERROR ? RELOAD_ERROR : RELOAD_WARNING, line, asker->arg);
}

void reload_try(struct reload *r, struct reload_asker *asker)
{
        struct diag *diag = diag_new();
        struct snapshot *next = diag != NULL ? read_anew(r, SNAPSHOT_TRY, diag) : NULL;
        if (next != NULL)
                config_changes(r->running->conf, next->conf, try_change, asker);
        if (diag != NULL)
                diag_each(diag, try_message, asker);
        diag_free(diag);
        asker->done(next != NULL, asker->arg);
        snapshot_unref(next);
}

static void on_files_changed(void *arg)
{
        struct reload *r = arg;
        r->renew_again = true;
        begin_what_was_asked_for(r);
}

void reload_worker_changed(struct reload *r, bool changed)
{
        worker_answered(r, changed);
        begin_what_was_asked_for(r);
}

void reload_stop(struct reload *r)
{
        r->stopped = true;
        answer(&r->waiting, false);
}

/* --- its life --------------------------------------------------------------------------------- */

struct reload *reload_new(const struct reload_env *env, struct snapshot **running)
{
        struct reload *r = calloc(1, sizeof *r);
        if (r == NULL)
                return NULL;
        *r = (struct reload){ .env = *env };
        STAILQ_INIT(&r->waiting);
        STAILQ_INIT(&r->asking);
        retirement_init(&r->retirement, env->base, env->workers, env->n_workers);
        r->renewal = renewal_new(env->base, on_files_changed, r);
        r->soon = event_new(env->base, -1, 0, on_soon, r);
        if (r->renewal == NULL || r->soon == NULL) {
                reload_free(r);
                return NULL;
        }
        r->running = TAKE(*running);
        watch(r);
        return r;
}

void reload_free(struct reload *r)
{
        if (r == NULL)
                return;
        answer(&r->asking, false);
        answer(&r->waiting, false);
        if (r->soon != NULL)
                event_free(r->soon);
        renewal_free(r->renewal);
        retirement_fini(&r->retirement);
        snapshot_unref(r->former);
        snapshot_unref(r->running);
        free(r);
}

struct snapshot *reload_running(const struct reload *r)
{
        return r->running;
}
