/* SPDX-License-Identifier: ISC */
#include "snapshot/snapshot.h"

#include <sched.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/own.h"
#include "net/lsock_set.h"
#include "snapshot/admin_sockets.h"

static int compare_names(const void *a, const void *b)
{
        const struct service *const *x = a, *const *y = b;
        return strcmp((*x)->conf->name, (*y)->conf->name);
}

static int compare_with_name(const void *name, const void *service)
{
        const struct service *const *s = service;
        return strcmp(name, (*s)->conf->name);
}

struct service *snapshot_service(const struct snapshot *s, const char *name)
{
        struct service **found =
                bsearch(name, s->by_name, s->n_services, sizeof *found, compare_with_name);
        return found != NULL ? *found : NULL;
}

/* --- all of them ------------------------------------------------------------------------------ */

static size_t workers_wanted(const struct config *conf)
{
        cpu_set_t set;
        if (conf->workers > 0)
                return (size_t)conf->workers;
        return sched_getaffinity(0, sizeof set, &set) < 0 ? 1 : (size_t)CPU_COUNT(&set);
}

static void snapshot_free(struct snapshot *s)
{
        if (s == NULL)
                return;
        for (size_t i = 0; i < s->n_services; i++)
                service_free(s->services[i]);
        admin_sockets_free(s);
        free(s->services);
        free(s->by_name);
        counts_unref(s->counts);
        config_free(s->conf);
        free(s);
}

/* Still without its services. Takes *conf. */
static struct snapshot *new_without_services(struct config **conf, const struct snapshot *running)
{
        struct snapshot *s = calloc(1, sizeof *s);
        if (s == NULL)
                return NULL;
        s->conf = TAKE(*conf);
        ref_init(&s->ref);
        size_t n = s->conf->n_services;
        s->services = calloc(n + 1, sizeof(struct service *));
        s->by_name = calloc(n + 1, sizeof(struct service *));
        s->counts = running != NULL ? counts_ref(running->counts) : counts_new();
        /* Threads are not started or stopped while connections run on them. */
        s->n_workers = running != NULL ? running->n_workers : workers_wanted(s->conf);
        if (s->services != NULL && s->by_name != NULL && s->counts != NULL)
                return s;
        snapshot_free(s);
        return NULL;
}

/* Every socket of the snapshot, as an array to be freed; NULL: memory is short. */
static struct lsock **all_sockets(const struct snapshot *s, size_t *n)
{
        size_t k = 0;
        *n = s->n_admin;
        for (size_t i = 0; i < s->n_services; i++)
                *n += s->services[i]->n_socks;
        struct lsock **all = calloc(*n + 1, sizeof(struct lsock *));
        for (size_t i = 0; all != NULL && i < s->n_services; i++)
                for (size_t j = 0; j < s->services[i]->n_socks; j++)
                        all[k++] = s->services[i]->socks[j];
        for (size_t i = 0; all != NULL && i < s->n_admin; i++)
                all[k++] = s->admin[i];
        return all;
}

/* kept: room for the set. */
static bool may_be_kept(struct service_making *m, const struct snapshot *running,
                        struct lsock_set *kept)
{
        size_t n;
        if (running == NULL)
                return true;
        OWN_FREE struct lsock **all = all_sockets(running, &n);
        m->kept = kept;
        return all != NULL && lsock_set_init(kept, all, n);
}

static void make_services(struct snapshot *s, struct service_making *m,
                          const struct snapshot *running)
{
        for (size_t i = 0; i < s->conf->n_services; i++) {
                const struct config_service *conf = s->conf->services[i];
                const struct service *before =
                        running != NULL ? snapshot_service(running, conf->name) : NULL;
                struct service *service = service_new(conf, m, before);
                if (service != NULL)
                        s->services[s->n_services++] = service;
        }
        memcpy(s->by_name, s->services, s->n_services * sizeof(struct service *));
        qsort(s->by_name, s->n_services, sizeof(struct service *), compare_names);
}

static void set_limits(struct snapshot *s)
{
        tally_set_limit(&s->counts->tally, s->conf->max_connections);
        io_ceiling_set(&s->counts->ceiling, (size_t)s->conf->max_buffered);
        for (size_t i = 0; i < s->n_services; i++)
                tally_set_limit(&s->services[i]->counts->tally,
                                s->services[i]->conf->max_connections);
}

/* m: what is particular. Takes *conf. */
static struct snapshot *make(struct config **conf, const struct snapshot *running,
                             struct service_making *m)
{
        int64_t began = clock_wall_us();
        OWN(lsock_set_fini) struct lsock_set kept = { 0 };
        struct snapshot *s = new_without_services(conf, running);
        if (s != NULL && may_be_kept(m, running, &kept)) {
                s->read_us = began;
                m->keeps_privileges = s->conf->user == NULL;
                m->n_workers = s->n_workers;
                make_services(s, m, running);
                if (m->binds)
                        admin_sockets_open(s, m->kept, m->diag);
        } else {
                diag_error(m->diag, NULL, "out of memory");
        }
        config_free(TAKE(*conf));
        if (diag_errors(m->diag) == 0)
                return s;
        snapshot_free(s);
        return NULL;
}

struct snapshot *snapshot_new(struct config **conf, enum snapshot_scope scope,
                              const struct snapshot *running, struct diag *diag)
{
        struct service_making m = { .binds = scope != SNAPSHOT_KEYS,
                                    .tries = scope == SNAPSHOT_TRY,
                                    .diag = diag };
        struct snapshot *s = make(conf, running, &m);
        if (s != NULL && running == NULL)
                set_limits(s);
        return s;
}

struct snapshot *snapshot_new_after(struct config **conf, struct lsock_set *left, struct diag *diag)
{
        struct service_making m = { .binds = true, .kept = left, .diag = diag };
        struct snapshot *s = make(conf, NULL, &m);
        if (s != NULL)
                set_limits(s);
        return s;
}

struct snapshot *snapshot_renew(const struct snapshot *running, struct diag *unusable,
                                struct diag *diag)
{
        struct config *conf = config_ref(running->conf);
        struct service_making m = { .binds = true, .diag = diag, .unusable = unusable };
        return make(&conf, running, &m);
}

struct snapshot *snapshot_ref(struct snapshot *s)
{
        ref_get(&s->ref);
        return s;
}

void snapshot_unref(struct snapshot *s)
{
        if (s != NULL && ref_put(&s->ref))
                snapshot_free(s);
}

/* --- one after the other ---------------------------------------------------------------------- */

void snapshot_publish(struct snapshot *s, struct diag *diag)
{
        set_limits(s);
        for (size_t i = 0; i < s->n_services; i++)
                service_publish(s->services[i], diag);
}

static int compare_pointers(const void *a, const void *b)
{
        const uintptr_t x = (uintptr_t) * (void *const *)a, y = (uintptr_t) * (void *const *)b;
        return (x > y) - (x < y);
}

/* What `successor` has not kept, of services. false: memory is short. */
static bool each_left(const struct snapshot *s, const struct snapshot *successor,
                      void fn(const struct service *service, struct lsock *sock))
{
        size_t n = 0;
        OWN_FREE struct lsock **kept = successor != NULL ? all_sockets(successor, &n) : NULL;
        if (successor != NULL && kept == NULL)
                return false;
        if (n > 1)
                qsort(kept, n, sizeof *kept, compare_pointers);
        for (size_t i = 0; i < s->n_services; i++) {
                const struct service *service = s->services[i];
                for (size_t j = 0; j < service->n_socks; j++) {
                        struct lsock *l = service->socks[j];
                        if (n == 0 || bsearch(&l, kept, n, sizeof *kept, compare_pointers) == NULL)
                                fn(service, l);
                }
        }
        return true;
}

static void shut_socket(const struct service *service, struct lsock *l)
{
        (void)service;
        lsock_shut(l);
}

void snapshot_shut_sockets(const struct snapshot *s, const struct snapshot *successor)
{
        each_left(s, successor, shut_socket);
}

static void close_socket(const struct service *service, struct lsock *l)
{
        (void)service;
        lsock_close(l);
}

static void tell_and_close_socket(const struct service *service, struct lsock *l)
{
        char text[SOCKADDRESS_TEXT_MAX];
        log_info("service %s: no longer listening on %s", service->conf->name,
                 sockaddress_text(&l->address, text));
        lsock_close(l);
}

/* Where memory is short they are closed with the last connection. */
void snapshot_close_sockets(struct snapshot *s, const struct snapshot *successor)
{
        each_left(s, successor, successor != NULL ? tell_and_close_socket : close_socket);
}

void snapshot_each_socket(const struct snapshot *s, void fn(struct lsock *l, void *arg), void *arg)
{
        size_t n;
        OWN_FREE struct lsock **all = all_sockets(s, &n);
        for (size_t i = 0; all != NULL && i < n; i++)
                fn(all[i], arg);
}

bool snapshot_has_socket(const struct snapshot *s, const struct lsock *l)
{
        for (size_t i = 0; i < s->n_services; i++)
                for (size_t j = 0; j < s->services[i]->n_socks; j++)
                        if (s->services[i]->socks[j] == l)
                                return true;
        for (size_t i = 0; i < s->n_admin; i++)
                if (s->admin[i] == l)
                        return true;
        return false;
}
