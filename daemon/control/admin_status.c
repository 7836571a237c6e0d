/* SPDX-License-Identifier: ISC */
/* The daemon as one JSON object, for the page and for programs. The workers know their connections
 * and how the last ones ended: each is asked, and what they say is put together. */
#include "control/admin_internal.h"

#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <unistd.h>

#include <jansson.h>

#include "base/clock.h"
#include "base/own.h"
#include "base/text.h"
#include "config.h"
#include "conn/conn.h"
#include "conn/recent.h"
#include "control/command.h"
#include "control/reload.h"

enum { SESSIONS_SHOWN = 100 }; /* of all; the oldest of each worker */

struct waiter {
        STAILQ_ENTRY(waiter) next;
        struct admin_exchange *exchange;
};

/* What one worker says, which it has to itself until its visit is over. */
struct share {
        struct worker_visit visit;
        struct admin_status *status;
        struct text sessions; /* objects, with a comma before each */
        size_t n_sessions;
        struct recent_end *ends; /* newest first; room for RECENT_ENDS */
        size_t n_ends;
};

struct admin_status {
        const struct admin *a;
        STAILQ_HEAD(waiters, waiter) waiters;
        size_t n_waiting; /* workers; 0: none is asked */
        struct share shares[];
};

/* --- on the workers' threads ------------------------------------------------------------------ */

static void look_at_ends(const struct recent *ends, struct worker_visit *v)
{
        struct share *s = CONTAINER(v, struct share, visit);
        s->n_ends = recent_copy(ends, s->ends);
}

static void look_at_session(struct conn *c, struct worker_visit *v)
{
        struct share *s = CONTAINER(v, struct share, visit);
        if (s->n_sessions++ >= SESSIONS_SHOWN / s->status->a->env.n_workers + 1)
                return;
        text_add(&s->sessions, ",");
        conn_add_json(&s->sessions, c, false);
}

/* --- the parts -------------------------------------------------------------------------------- */

static json_t *ends_of(const struct service_stats *stats)
{
        json_t *ends = json_object();
        for (int r = 0; r < REASONS; r++) {
                json_int_t n = (json_int_t)counter_get(&stats->ended[r]);
                if (n > 0)
                        json_object_set_new(ends, reason_name((enum reason)r), json_integer(n));
        }
        return ends;
}

/* What splicectl shows, and what was counted. */
static json_t *service_json(const struct service *s)
{
        struct service_stats stats;
        json_t *service = command_service_json(s);
        stats_total(s->counts->stats, &stats);
        json_t *counted = json_pack(
                "{s:I,s:I,s:I,s:o}", "half_closed", (json_int_t)counter_get(&stats.half_closed),
                "bytes_up", (json_int_t)counter_get(&stats.octets[STATS_UP]), "bytes_down",
                (json_int_t)counter_get(&stats.octets[STATS_DOWN]), "ended", ends_of(&stats));
        if (service != NULL && counted != NULL)
                json_object_update(service, counted);
        json_decref(counted);
        return service;
}

static json_t *services_json(const struct snapshot *s)
{
        json_t *list = json_array();
        for (size_t i = 0; i < s->n_services; i++)
                json_array_append_new(list, service_json(s->services[i]));
        return list;
}

/* The newest of all workers, each of whose are in order. */
static const struct recent_end *take_newest(const struct admin_status *status, size_t *taken)
{
        size_t n = status->a->env.n_workers, newest = n;
        const struct recent_end *best = NULL;
        for (size_t i = 0; i < n; i++) {
                const struct share *s = &status->shares[i];
                const struct recent_end *e = taken[i] < s->n_ends ? &s->ends[taken[i]] : NULL;
                if (e == NULL || (best != NULL && e->ended_wall_us <= best->ended_wall_us))
                        continue;
                best = e;
                newest = i;
        }
        if (best != NULL)
                taken[newest]++;
        return best;
}

static json_t *recent_list(const struct admin_status *status)
{
        json_t *list = json_array();
        OWN_FREE size_t *taken = calloc(status->a->env.n_workers, sizeof *taken);
        const struct recent_end *e;
        while (taken != NULL && json_array_size(list) < RECENT_ENDS &&
               (e = take_newest(status, taken)) != NULL)
                json_array_append_new(list, recent_json(e));
        return list;
}

static json_t *process_json(const struct admin *a)
{
        struct admin_usage u = admin_process_usage(&a->process);
        return json_pack("{s:f,s:I,s:I,s:I}", "cpu_seconds", (double)u.cpu_us / 1e6,
                         "resident_bytes", (json_int_t)u.resident, "open_fds", (json_int_t)u.fds,
                         "max_fds", (json_int_t)u.fds_most);
}

static json_t *reloads_json(const struct admin *a)
{
        char when[CLOCK_TEXT_MAX];
        const struct admin_reloads *r = &a->reloads;
        return json_pack("{s:I,s:I,s:b,s:s}", "success", (json_int_t)r->fine, "failure",
                         (json_int_t)r->failed, "last_successful", r->last_fine, "last_success",
                         clock_wall_text(r->wall_us, when));
}

/* All but the sessions. */
static json_t *head_json(const struct admin_status *status)
{
        char now[CLOCK_TEXT_MAX];
        const struct admin *a = status->a;
        const struct snapshot *s = reload_running(a->env.reload);
        const struct io_ceiling *ceiling = &s->counts->ceiling;
        int64_t wall = clock_wall_us();
        return json_pack("{s:s,s:i,s:s,s:s,s:I,s:i,s:I,s:I,s:I,s:I,s:o,s:o,s:o,s:o,s:o}", "version",
                         PACKAGE_VERSION, "pid", (int)getpid(), "state",
                         a->draining ? "draining" : "running", "now", clock_wall_text(wall, now),
                         "uptime_ms", (json_int_t)((wall - a->process.started_wall_us) / 1000),
                         "workers", (int)a->env.n_workers, "connections",
                         (json_int_t)tally_live(&s->counts->tally), "max_connections",
                         (json_int_t)s->conf->max_connections, "buffered_bytes",
                         (json_int_t)atomic_load(&ceiling->held), "buffered_limit_bytes",
                         (json_int_t)atomic_load(&ceiling->most), "process", process_json(a),
                         "reloads", reloads_json(a), "services", services_json(s), "certificates",
                         command_certificates_json(s), "ends", recent_list(status));
}

/* --- putting it together ---------------------------------------------------------------------- */

/* The sessions are text already: they go in before the head's last brace. */
static void put_together(const struct admin_status *status, struct text *t)
{
        size_t total = 0;
        const char *comma = "";
        json_t *head = head_json(status);
        OWN_FREE char *text = head != NULL ? json_dumps(head, JSON_COMPACT) : NULL;
        json_decref(head);
        if (text == NULL) {
                t->failed = true;
                return;
        }
        text_addn(t, text, strlen(text) - 1);
        text_add(t, ",\"sessions\":[");
        for (size_t i = 0; i < status->a->env.n_workers; i++) {
                const struct share *s = &status->shares[i];
                total += s->n_sessions;
                t->failed = t->failed || s->sessions.failed;
                if (s->sessions.len == 0)
                        continue;
                text_add(t, comma);
                text_addn(t, s->sessions.s + 1, s->sessions.len - 1);
                comma = ",";
        }
        text_addf(t, "],\"sessions_total\":%zu}\n", total);
}

static void answer_all(struct admin_status *s, int status, const char *type, const struct text *t)
{
        struct waiter *w;
        while ((w = STAILQ_FIRST(&s->waiters)) != NULL) {
                STAILQ_REMOVE_HEAD(&s->waiters, next);
                admin_answer(w->exchange, status, type, text_str(t), t->len);
                free(w);
        }
}

static void no_memory(struct admin_status *s)
{
        OWN(text_fini) struct text t = { 0 };
        text_add(&t, "the daemon is short of memory\n");
        answer_all(s, 503, "text/plain", &t);
}

static void everybody_has_answered(struct admin_status *s)
{
        OWN(text_fini) struct text t = { 0 };
        put_together(s, &t);
        if (t.failed)
                no_memory(s);
        else
                answer_all(s, 200, "application/json", &t);
        for (size_t i = 0; i < s->a->env.n_workers; i++)
                text_fini(&s->shares[i].sessions);
}

static void on_visit_over(struct worker_visit *v)
{
        struct admin_status *s = CONTAINER(v, struct share, visit)->status;
        if (--s->n_waiting == 0)
                everybody_has_answered(s);
}

static void ask_workers(struct admin_status *s)
{
        size_t n = s->a->env.n_workers;
        s->n_waiting = 1; /* until all have been asked */
        for (size_t i = 0; i < n; i++) {
                s->shares[i].n_sessions = s->shares[i].n_ends = 0;
                if (worker_visit(s->a->env.workers[i], &s->shares[i].visit))
                        s->n_waiting++;
        }
        if (--s->n_waiting == 0)
                everybody_has_answered(s);
}

void admin_status_give(struct admin_status *s, struct admin_exchange *x)
{
        struct waiter *w = malloc(sizeof *w);
        if (w == NULL) {
                admin_answer(x, 503, "text/plain", "", 0);
                return;
        }
        w->exchange = x;
        STAILQ_INSERT_TAIL(&s->waiters, w, next);
        if (s->n_waiting == 0)
                ask_workers(s);
}

/* --- its life --------------------------------------------------------------------------------- */

struct admin_status *admin_status_new(const struct admin *a)
{
        size_t n = a->env.n_workers;
        struct admin_status *s = calloc(1, sizeof *s + n * sizeof s->shares[0]);
        if (s == NULL)
                return NULL;
        s->a = a;
        STAILQ_INIT(&s->waiters);
        for (size_t i = 0; i < n; i++) {
                struct share *share = &s->shares[i];
                *share = (struct share){
                        .visit = { .each = look_at_session,
                                   .ends = look_at_ends,
                                   .done = on_visit_over },
                        .status = s,
                        .ends = calloc(RECENT_ENDS, sizeof(struct recent_end)),
                };
                if (share->ends == NULL) {
                        admin_status_free(s);
                        return NULL;
                }
        }
        return s;
}

void admin_status_free(struct admin_status *s)
{
        if (s == NULL)
                return;
        no_memory(s);
        for (size_t i = 0; i < s->a->env.n_workers; i++) {
                text_fini(&s->shares[i].sessions);
                free(s->shares[i].ends);
        }
        free(s);
}
