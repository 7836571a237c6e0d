/* SPDX-License-Identifier: ISC */
/* The daemon as metrics. Their samples stand together, so each is written for all services in turn;
 * what workers have counted is added up once, before. */
#include "control/admin_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <event2/event.h>
#include <openssl/crypto.h>

#include "base/own.h"
#include "conn/reason.h"
#include "config.h"
#include "control/reload.h"
#include "stats/metrics.h"
#include "tls/certificate.h"

struct view {
        struct text *t;
        const struct admin *a;
        const struct snapshot *s;
        struct service_stats *totals; /* of each service */
};

#define LABELS(...) ((const char *const[]){ __VA_ARGS__ })

static const char *name(const struct view *v, size_t i)
{
        return v->s->services[i]->conf->name;
}

/* --- services --------------------------------------------------------------------------------- */

/* Reasons that have never been are left out, but for the most common. */
static void add_ends(const struct view *v)
{
        metrics_begin(v->t, METRIC_CONNECTIONS);
        for (size_t i = 0; i < v->s->n_services; i++)
                for (int r = 0; r < REASONS; r++) {
                        uint64_t n = counter_get(&v->totals[i].ended[r]);
                        if (n > 0 || r == REASON_END)
                                metrics_add(v->t, METRIC_CONNECTIONS,
                                            LABELS(name(v, i), reason_name((enum reason)r)), n);
                }
}

static void add_left_out(const struct view *v)
{
        metrics_begin(v->t, METRIC_LEFT_OUT);
        for (size_t i = 0; i < v->s->n_services; i++)
                metrics_add(v->t, METRIC_LEFT_OUT, LABELS(name(v, i)),
                            counter_get(&v->totals[i].left_out));
}

static void add_gauges(const struct view *v)
{
        metrics_begin(v->t, METRIC_OPEN);
        for (size_t i = 0; i < v->s->n_services; i++)
                metrics_add(v->t, METRIC_OPEN, LABELS(name(v, i)),
                            (uint64_t)tally_live(&v->s->services[i]->counts->tally));
        metrics_begin(v->t, METRIC_HALF_CLOSED);
        for (size_t i = 0; i < v->s->n_services; i++)
                metrics_add(v->t, METRIC_HALF_CLOSED, LABELS(name(v, i)),
                            counter_get(&v->totals[i].half_closed));
        metrics_begin(v->t, METRIC_ACCEPTING);
        for (size_t i = 0; i < v->s->n_services; i++)
                metrics_add(v->t, METRIC_ACCEPTING, LABELS(name(v, i)),
                            !v->s->services[i]->counts->drained);
}

static void add_octets(const struct view *v)
{
        static const char *const directions[] = { [STATS_UP] = "up", [STATS_DOWN] = "down" };
        metrics_begin(v->t, METRIC_OCTETS);
        for (size_t i = 0; i < v->s->n_services; i++)
                for (int d = 0; d < STATS_DIRECTIONS; d++)
                        metrics_add(v->t, METRIC_OCTETS, LABELS(name(v, i), directions[d]),
                                    counter_get(&v->totals[i].octets[d]));
}

static bool shakes_hands(const struct service *s, int side)
{
        return side == HANDSHAKE_CLIENT ? s->listen_tls != NULL : s->connect_tls != NULL;
}

static void add_durations(const struct view *v)
{
        metrics_begin(v->t, METRIC_CONNECT);
        for (size_t i = 0; i < v->s->n_services; i++)
                metrics_add_histogram(v->t, METRIC_CONNECT, LABELS(name(v, i)),
                                      &v->totals[i].connect, &histogram_brief);
        metrics_begin(v->t, METRIC_HANDSHAKE);
        for (size_t i = 0; i < v->s->n_services; i++)
                for (int side = 0; side < HANDSHAKE_SIDES; side++)
                        if (shakes_hands(v->s->services[i], side))
                                metrics_add_histogram(
                                        v->t, METRIC_HANDSHAKE,
                                        LABELS(name(v, i),
                                               handshake_side_name((enum handshake_side)side)),
                                        &v->totals[i].handshake[side], &histogram_brief);
        metrics_begin(v->t, METRIC_LIFE);
        for (size_t i = 0; i < v->s->n_services; i++)
                metrics_add_histogram(v->t, METRIC_LIFE, LABELS(name(v, i)), &v->totals[i].life,
                                      &histogram_lives);
}

/* One of the many kinds a handshake may be, by its number. */
static void add_handshake(const struct view *v, size_t service, int kind)
{
        int result = kind % HANDSHAKE_RESULTS, rest = kind / HANDSHAKE_RESULTS;
        int group = rest % HANDSHAKE_GROUPS, version = rest / HANDSHAKE_GROUPS % HANDSHAKE_VERSIONS;
        int side = rest / HANDSHAKE_GROUPS / HANDSHAKE_VERSIONS;
        const struct handshakes *h = &v->totals[service].handshakes;
        uint64_t n = counter_get(&h->n[side][version][group][result]);
        if (n > 0)
                metrics_add(v->t, METRIC_HANDSHAKES,
                            LABELS(name(v, service), handshake_side_name((enum handshake_side)side),
                                   handshake_version_name(version), handshake_group_name(group),
                                   handshake_result_name((enum handshake_result)result)),
                            n);
}

static void add_handshakes(const struct view *v)
{
        enum {
                KINDS = HANDSHAKE_SIDES * HANDSHAKE_VERSIONS * HANDSHAKE_GROUPS * HANDSHAKE_RESULTS
        };
        metrics_begin(v->t, METRIC_HANDSHAKES);
        for (size_t i = 0; i < v->s->n_services; i++)
                for (int kind = 0; kind < KINDS; kind++)
                        add_handshake(v, i, kind);
}

/* --- certificates ----------------------------------------------------------------------------- */

struct files {
        const struct view *v;
        const char *service, *side;
        const char **seen; /* owned */
        size_t n;
};

/* A file that is named twice is one. */
static bool is_new(struct files *f, const char *file)
{
        for (size_t i = 0; i < f->n; i++)
                if (strcmp(f->seen[i], file) == 0)
                        return false;
        const char **more = reallocarray(f->seen, f->n + 1, sizeof *more);
        if (more == NULL)
                return false;
        f->seen = more;
        f->seen[f->n++] = file;
        return true;
}

static void add_certificate(X509 *cert, const char *file, void *arg)
{
        struct files *f = arg;
        int64_t until = certificate_seconds(X509_get0_notAfter(cert));
        if (until != INT64_MAX && is_new(f, file))
                metrics_add_int(f->v->t, METRIC_CERTIFICATE, LABELS(f->service, f->side, file),
                                until);
}

static void add_certificates_of(const struct view *v, const struct tls_context *context,
                                const char *service, enum handshake_side side)
{
        struct files f = { .v = v, .service = service, .side = handshake_side_name(side) };
        if (context != NULL)
                tls_context_each_certificate(context, add_certificate, &f);
        free(f.seen);
}

static void add_certificates(const struct view *v)
{
        metrics_begin(v->t, METRIC_CERTIFICATE);
        for (size_t i = 0; i < v->s->n_services; i++) {
                const struct service *s = v->s->services[i];
                add_certificates_of(v, s->listen_tls, name(v, i), HANDSHAKE_CLIENT);
                add_certificates_of(v, s->connect_tls, name(v, i), HANDSHAKE_UPSTREAM);
        }
}

/* --- the daemon ------------------------------------------------------------------------------- */

static void add_loop(const struct view *v, const char *loop, const struct loop_stats *s)
{
        metrics_add_histogram(v->t, METRIC_LAG, LABELS(loop), &s->lag, &histogram_lag);
}

static void add_loops(const struct view *v)
{
        char number[24];
        metrics_begin(v->t, METRIC_ACCEPT_PAUSES);
        for (size_t i = 0; i < v->a->env.n_workers; i++) {
                snprintf(number, sizeof number, "%zu", i);
                metrics_add(v->t, METRIC_ACCEPT_PAUSES, LABELS(number),
                            counter_get(&worker_stats(v->a->env.workers[i])->accept_pauses));
        }
        metrics_begin(v->t, METRIC_LAG);
        add_loop(v, "main", &v->a->loop);
        for (size_t i = 0; i < v->a->env.n_workers; i++) {
                snprintf(number, sizeof number, "%zu", i);
                add_loop(v, number, worker_stats(v->a->env.workers[i]));
        }
}

static void add_one(const struct view *v, enum metric m, int64_t value)
{
        if (value < 0) /* unknown */
                return;
        metrics_begin(v->t, m);
        metrics_add(v->t, m, NULL, (uint64_t)value);
}

static void add_time(const struct view *v, enum metric m, int64_t us)
{
        if (us < 0)
                return;
        metrics_begin(v->t, m);
        metrics_add_us(v->t, m, NULL, us);
}

static void add_daemon(const struct view *v)
{
        const struct admin_reloads *r = &v->a->reloads;
        const struct io_ceiling *ceiling = &v->s->counts->ceiling;
        metrics_begin(v->t, METRIC_BUILD_INFO);
        metrics_add(v->t, METRIC_BUILD_INFO,
                    LABELS(PACKAGE_VERSION, OpenSSL_version(OPENSSL_VERSION_STRING),
                           event_get_version()),
                    1);
        add_one(v, METRIC_BUFFERED, (int64_t)atomic_load(&ceiling->held));
        add_one(v, METRIC_BUFFERED_LIMIT, (int64_t)atomic_load(&ceiling->most));
        add_one(v, METRIC_CONNECTIONS_LIMIT, v->s->conf->max_connections);
        metrics_begin(v->t, METRIC_RELOADS);
        metrics_add(v->t, METRIC_RELOADS, LABELS("success"), r->fine);
        metrics_add(v->t, METRIC_RELOADS, LABELS("failure"), r->failed);
        add_time(v, METRIC_RELOADED, r->wall_us);
        add_one(v, METRIC_RELOAD_FINE, r->last_fine);
}

static void add_process(const struct view *v)
{
        struct admin_usage u = admin_process_usage(&v->a->process);
        add_time(v, METRIC_CPU, u.cpu_us);
        add_one(v, METRIC_RSS, u.resident);
        add_one(v, METRIC_VIRTUAL, u.address_space);
        add_one(v, METRIC_OPEN_FDS, u.fds);
        add_one(v, METRIC_MAX_FDS, u.fds_most);
        add_time(v, METRIC_START, v->a->process.started_wall_us);
}

void admin_add_metrics(struct text *t, const struct admin *a)
{
        const struct snapshot *s = reload_running(a->env.reload);
        OWN_FREE struct service_stats *totals = calloc(s->n_services + 1, sizeof *totals);
        const struct view v = { t, a, s, totals };
        if (totals == NULL) {
                t->failed = true;
                return;
        }
        for (size_t i = 0; i < s->n_services; i++)
                stats_total(s->services[i]->counts->stats, &totals[i]);
        add_daemon(&v);
        add_ends(&v);
        add_left_out(&v);
        add_gauges(&v);
        add_octets(&v);
        add_durations(&v);
        add_handshakes(&v);
        add_certificates(&v);
        add_loops(&v);
        add_process(&v);
}
