/* SPDX-License-Identifier: ISC */
#include "control/sandbox_ports.h"

#include "base/addr.h"

enum { NAME_SERVER_PORT = 53 };

struct want {
        enum sandbox_port_use use;
        uint16_t port;
        const char *why; /* not for the address itself; "" */
        const char *directive, *named;
        const struct origin *at;
};

typedef void want_fn(const struct want *w, void *arg);

/* --- what is wanted --------------------------------------------------------------------------- */

static void each_of_list(enum sandbox_port_use use, const char *directive,
                         const struct addr_list *list, want_fn *fn, void *arg)
{
        for (size_t i = 0; i < list->n; i++) {
                const struct addr *a = &list->items[i];
                struct sockaddress literal;
                struct want w = { use, a->port, "", directive, a->text, &list->at[i] };
                if (a->kind != ADDR_HOST)
                        continue;
                fn(&w, arg);
                if (a->any || addr_literal(a, &literal))
                        continue;
                w.use = SANDBOX_CONNECT;
                w.port = NAME_SERVER_PORT;
                w.why = ", where names are asked for";
                fn(&w, arg);
        }
}

static void each(const struct config *conf, want_fn *fn, void *arg)
{
        for (size_t i = 0; i < conf->n_services; i++) {
                const struct config_service *s = conf->services[i];
                each_of_list(SANDBOX_BIND, "listen", &s->listen, fn, arg);
                each_of_list(SANDBOX_CONNECT, "connect", &s->connect, fn, arg);
        }
        each_of_list(SANDBOX_BIND, "admin", &conf->admin, fn, arg);
}

/* --- the set ---------------------------------------------------------------------------------- */

static bool has(const struct sandbox_ports *p, enum sandbox_port_use use, uint16_t port)
{
        return (p->named[use][port / 64] >> port % 64 & 1) != 0;
}

static void put(const struct want *w, void *arg)
{
        struct sandbox_ports *p = arg;
        p->named[w->use][w->port / 64] |= UINT64_C(1) << w->port % 64;
}

void sandbox_ports_of_config(struct sandbox_ports *p, const struct config *conf)
{
        each(conf, put, p);
}

bool sandbox_ports_cover(const struct sandbox_ports *p, enum sandbox_port_use use, uint16_t port)
{
        return has(p, use, port) || (use == SANDBOX_BIND && has(p, use, 0));
}

/* --- another configuration -------------------------------------------------------------------- */

struct check {
        const struct sandbox_ports *ports;
        const char *advice;
        struct diag *diag;
        bool fine;
};

static void check(const struct want *w, void *arg)
{
        static const char *const does[] = {
                [SANDBOX_BIND] = "listens on", [SANDBOX_CONNECT] = "connects to"
        };
        struct check *c = arg;
        if (sandbox_ports_cover(c->ports, w->use, w->port))
                return;
        c->fine = false;
        diag_error(c->diag, w->at,
                   "%s \"%s\": the configuration the daemon was started with %s no port %u%s, and "
                   "sandbox-ports keeps it to that; %s",
                   w->directive, w->named, does[w->use], w->port, w->why, c->advice);
}

bool sandbox_ports_check(const struct sandbox_ports *p, const struct config *conf,
                         const char *advice, struct diag *diag)
{
        struct check c = { p, advice, diag, true };
        each(conf, check, &c);
        return c.fine;
}
