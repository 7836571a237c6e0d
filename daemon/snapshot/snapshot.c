/* SPDX-License-Identifier: ISC */
#include "snapshot/snapshot.h"

#include <sched.h>
#include <stdlib.h>

#include "base/own.h"
#include "snapshot/sockets.h"

enum {
        HIGH_WATER = 64 * 1024
}; /* octets queued towards a leg before the other is no longer read */

static const enum relay_half_close half_close_of[] = {
        [CONFIG_HALF_CLOSE_PROPAGATE] = RELAY_PROPAGATE,
        [CONFIG_HALF_CLOSE_HOLD] = RELAY_HOLD,
        [CONFIG_HALF_CLOSE_CLOSE] = RELAY_CLOSE,
};

static const enum relay_truncation truncation_of[] = {
        [CONFIG_TRUNCATION_RESET] = RELAY_TRUNCATION_RESET,
        [CONFIG_TRUNCATION_FORWARD] = RELAY_TRUNCATION_FORWARD,
};

static int64_t busy_poll_of(const struct config_service *conf)
{
        int64_t clients = conf->listen_socket.busy_poll;
        int64_t upstreams = conf->connect_socket.busy_poll;
        return clients > upstreams ? clients : upstreams;
}

static struct relay_settings relay_settings_of(const struct config_service *conf)
{
        return (struct relay_settings){
                .half_close = half_close_of[conf->half_close],
                .truncation = truncation_of[conf->truncation],
                .idle_ms = conf->idle_timeout,
                .half_close_ms = conf->half_close_timeout,
                .write_ms = conf->write_timeout,
                .busy_poll_us = busy_poll_of(conf),
                .high_water = HIGH_WATER,
        };
}

static void open_sockets(struct service *s, const struct lsock_settings *settings,
                         struct diag *diag)
{
        const struct addr_list *listen = &s->conf->listen;
        for (size_t i = 0; i < listen->n; i++)
                lsock_open(&listen->items[i], settings, diag, &listen->at[i], &s->socks,
                           &s->n_socks);
}

static void service_free(struct service *s)
{
        if (s == NULL)
                return;
        for (size_t i = 0; i < s->n_socks; i++)
                lsock_free(s->socks[i]);
        free(s->socks);
        tls_context_free(s->listen_tls);
        tls_context_free(s->connect_tls);
        free(s);
}

/* Mistakes are told in diag; a service that has some is only there to find further ones. */
static struct service *service_new(const struct config_service *conf, enum snapshot_scope scope,
                                   const struct config *all, size_t n_workers, struct diag *diag)
{
        struct service *s = calloc(1, sizeof *s);
        if (s == NULL) {
                diag_error(diag, &conf->at, "service \"%s\": out of memory", conf->name);
                return NULL;
        }
        s->conf = conf;
        s->relay = relay_settings_of(conf);
        tally_init(&s->tally, conf->max_connections);
        upstream_init(&s->upstream, conf);
        s->direct = conf->pump == CONFIG_PUMP_AUTO && upstream_builtin(&s->upstream) == NULL;
        if (conf->listen_tls.present)
                s->listen_tls = tls_context_new_listen(&conf->listen_tls, diag);
        if (conf->connect_tls.present)
                s->connect_tls = tls_context_new_connect(&conf->connect_tls, diag);
        s->listen_options = listen_options_of(&conf->listen_socket, diag);
        s->connect_options = connect_options_of(&conf->connect_socket, all->user == NULL, diag);
        struct lsock_settings settings =
                lsock_settings_of(&conf->listen_socket, &s->listen_options, diag);
        settings.workers = n_workers;
        if (scope == SNAPSHOT_ALL)
                open_sockets(s, &settings, diag);
        return s;
}

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
        free(s->services);
        config_free(s->conf);
        free(s);
}

struct snapshot *snapshot_new(struct config **conf, enum snapshot_scope scope, struct diag *diag)
{
        struct config *mine = TAKE(*conf);
        struct snapshot *s = calloc(1, sizeof *s);
        struct service **services = calloc(mine->n_services, sizeof(struct service *));
        if (s == NULL || services == NULL) {
                diag_error(diag, NULL, "out of memory");
                config_free(mine);
                free(services);
                free(s);
                return NULL;
        }
        ref_init(&s->ref);
        s->conf = mine;
        s->services = services;
        s->n_services = mine->n_services;
        tally_init(&s->tally, mine->max_connections);
        io_ceiling_init(&s->ceiling, (size_t)mine->max_buffered);
        s->n_workers = workers_wanted(mine);
        for (size_t i = 0; i < s->n_services; i++)
                s->services[i] = service_new(mine->services[i], scope, mine, s->n_workers, diag);
        if (diag_errors(diag) > 0) {
                snapshot_free(s);
                return NULL;
        }
        return s;
}

struct snapshot *snapshot_ref(struct snapshot *s)
{
        ref_get(&s->ref);
        return s;
}

void snapshot_close_sockets(struct snapshot *s)
{
        for (size_t i = 0; i < s->n_services; i++)
                for (size_t j = 0; j < s->services[i]->n_socks; j++)
                        lsock_close(s->services[i]->socks[j]);
}

void snapshot_unref(struct snapshot *s)
{
        if (s != NULL && ref_put(&s->ref))
                snapshot_free(s);
}
