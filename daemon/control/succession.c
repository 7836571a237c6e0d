/* SPDX-License-Identifier: ISC */
/* Other processes in this one's place: a successor to leave everything to, a predecessor to take it
 * from. */
#include <inttypes.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/own.h"
#include "conn/parcel.h"
#include "control/admin.h"
#include "control/control.h"
#include "control/daemon_internal.h"
#include "control/gates.h"
#include "control/heritage.h"
#include "control/manager.h"
#include "control/notify.h"
#include "control/predecessor.h"
#include "control/upgrade.h"
#include "control/watchdog.h"

/* --- a successor ------------------------------------------------------------------------------ */

void succession_on_signal(evutil_socket_t number, short what, void *daemon)
{
        (void)number;
        (void)what;
        struct daemon *d = daemon;
        const char *error = d->phase == RUNNING ? upgrade_begin(d->upgrade, NULL)
                                                : "this process is on its way out";
        if (error != NULL)
                log_warning("not replaced: %s", error);
}

static void add_socket(struct lsock *l, void *bundle)
{
        heritage_add_listener(bundle, l);
}

static void add_socket_of_ours(struct lsock *l, void *bundle)
{
        if (!l->passed)
                heritage_add_listener(bundle, l);
}

static void describe(struct bundle *b, bool all, void *arg)
{
        struct daemon *d = arg;
        const struct snapshot *s = daemon_running(d);
        heritage_add_head(b, conn_last_number());
        snapshot_each_socket(s, all ? add_socket : add_socket_of_ours, b);
        control_each_socket(d->control, all ? add_socket : add_socket_of_ours, b);
        for (size_t i = 0; i < s->n_services; i++)
                if (s->services[i]->counts->drained)
                        heritage_add_drained(b, s->services[i]->conf->name);
}

static void leave(long pid, void *arg)
{
        struct daemon *d = arg;
        int64_t patience = daemon_running(d)->conf->drain_timeout;
        struct timeval in = clock_timeval(patience);
        d->phase = LEAVING;
        d->collecting = true;
        admin_leave(d->admin);
        reload_stop(d->reload);
        gates_stop(d->gates);
        control_leave(d->control);
        if (pid > 0) {
                notify_main_pid(pid);
                watchdog_stop(d->watchdog);
        } else {
                daemon_tell_stopping(d, "restarting", patience);
        }
        for (size_t i = 0; i < d->n_workers; i++)
                worker_leave(d->workers[i]);
        if (patience > 0)
                evtimer_add(d->deadline, &in);
}

/* Whoever asked on the control socket gets the answer first. */
bool succession_is_busy(struct daemon *d)
{
        static const struct timeval soon = { .tv_usec = 10 * 1000 };
        if (d->collecting)
                return true;
        if (d->phase != LEAVING || !control_is_busy(d->control))
                return false;
        evtimer_add(d->leave_soon, &soon);
        return true;
}

static void end_if_idle(struct daemon *d)
{
        if (d->n_idle == d->n_workers && !succession_is_busy(d))
                event_base_loopbreak(d->base);
}

static void on_upgrade_over(const char *error, void *arg)
{
        struct daemon *d = arg;
        if (error != NULL)
                return;
        d->collecting = false;
        if (daemon_live(d) > 0)
                log_notice("still here: %" PRId64 " connection%s that cannot be handed over",
                           daemon_live(d), daemon_plural(daemon_live(d)));
        end_if_idle(d);
}

static void leave_socket(struct lsock *l, void *arg)
{
        (void)arg;
        lsock_leave(l);
}

bool succession_go_on(struct daemon *d)
{
        if (!d->collecting)
                return false;
        snapshot_each_socket(daemon_running(d), leave_socket, NULL);
        upgrade_go_on(d->upgrade);
        return true;
}

bool succession_by_manager(struct daemon *d)
{
        return manager_restarts() && upgrade_by_manager(d->upgrade);
}

static void on_leave_soon(evutil_socket_t fd, short what, void *arg)
{
        (void)fd;
        (void)what;
        end_if_idle(arg);
}

/* --- a predecessor ---------------------------------------------------------------------------- */

static void on_parcel(struct parcel *parcel, void *arg)
{
        struct daemon *d = arg;
        struct snapshot *s = daemon_running(d);
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
        log_notice("taken over: %zu connection%s", n, daemon_plural((int64_t)n));
        if (d->phase == RUNNING)
                daemon_tell_ready(d, "ready");
}

void succession_follow(struct daemon *d)
{
        if (d->how.predecessor != NULL)
                predecessor_follow(d->how.predecessor, d->base, on_parcel, on_followed, d);
}

/* --- its life --------------------------------------------------------------------------------- */

bool succession_init(struct daemon *d)
{
        const struct upgrade_env env = {
                .base = d->base,
                .launcher = d->how.launcher,
                .workers = d->workers,
                .n_workers = d->n_workers,
                .describe = describe,
                .leave = leave,
                .over = on_upgrade_over,
                .arg = d,
        };
        d->upgrade = upgrade_new(&env);
        d->leave_soon = evtimer_new(d->base, on_leave_soon, d);
        return d->upgrade != NULL && d->leave_soon != NULL;
}

void succession_fini(struct daemon *d)
{
        predecessor_free(d->how.predecessor);
        upgrade_free(d->upgrade);
        if (d->leave_soon != NULL)
                event_free(d->leave_soon);
}
