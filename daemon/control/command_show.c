/* SPDX-License-Identifier: ISC */
#include "control/command_internal.h"

#include <unistd.h>

#include "base/clock.h"
#include "config.h"

void command_status(struct call *c)
{
        const struct snapshot *s = call_running(c);
        int64_t up_ms = (clock_wall_us() - c->env->started_wall_us) / 1000;
        reply_json(c->reply,
                   json_pack("{s:s,s:i,s:I,s:I,s:I,s:I,s:i}", "version", PACKAGE_VERSION, "pid",
                             (int)getpid(), "uptime_ms", (json_int_t)up_ms, "connections",
                             (json_int_t)tally_live(&s->counts->tally), "max_connections",
                             (json_int_t)s->conf->max_connections, "services",
                             (json_int_t)s->n_services, "workers", (int)c->env->n_workers));
        reply_end(c->reply, NULL);
}

static json_t *addresses_of(const struct service *s)
{
        char text[SOCKADDRESS_TEXT_MAX];
        json_t *list = json_array();
        for (size_t i = 0; i < s->n_socks; i++)
                json_array_append_new(list,
                                      json_string(sockaddress_text(&s->socks[i]->address, text)));
        return list;
}

static json_t *targets_of(const struct service *s)
{
        json_t *list = json_array();
        for (size_t i = 0; i < s->upstream.targets->n; i++)
                json_array_append_new(list, json_string(s->upstream.targets->items[i].text));
        return list;
}

void command_services(struct call *c)
{
        const struct snapshot *all = call_running(c);
        for (size_t i = 0; i < all->n_services; i++) {
                const struct service *s = all->services[i];
                reply_json(c->reply,
                           json_pack("{s:s,s:s,s:o,s:o,s:I,s:I,s:b,s:b}", "name", s->conf->name,
                                     "state", gates_state(s), "listen", addresses_of(s), "connect",
                                     targets_of(s), "connections",
                                     (json_int_t)tally_live(&s->counts->tally), "max_connections",
                                     (json_int_t)s->conf->max_connections, "listen_tls",
                                     s->listen_tls != NULL, "connect_tls", s->connect_tls != NULL));
        }
        reply_end(c->reply, NULL);
}
