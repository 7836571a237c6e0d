/* SPDX-License-Identifier: ISC */
/* One service made runnable. Immutable but for its counts, shared by all workers. */
#ifndef SNAPSHOT_SERVICE_H
#define SNAPSHOT_SERVICE_H

#include "base/diag.h"
#include "config/config.h"
#include "net/lsock_set.h"
#include "net/sockopt.h"
#include "relay/relay.h"
#include "snapshot/counts.h"
#include "tls/context.h"
#include "upstream/upstream.h"

struct service {
        const struct config_service *conf;
        struct lsock **socks; /* held */
        size_t n_socks;
        struct lsock_settings settings;               /* of the sockets */
        struct tls_context *listen_tls, *connect_tls; /* NULL: plain leg */
        struct sockopt_sets listen_options, connect_options;
        struct upstream upstream;
        bool direct; /* its legs are direct streams, see net/stream.h */
        struct relay_settings relay;
        struct service_counts *counts; /* held */
};

/* How many descriptors a connection of the service takes. */
static inline int service_descriptors(const struct service *s)
{
        return upstream_builtin(&s->upstream) != NULL ? 1 : 2;
}

/* What all services of a snapshot are made with. */
struct service_making {
        bool binds;            /* or only checks */
        bool tries;            /* … whether it could bind: nothing listens */
        bool keeps_privileges; /* the process stays who it is now */
        size_t n_workers;
        struct lsock_set *kept; /* sockets that listen already; borrowed; NULL: none */
        struct diag *diag;
        struct diag *unusable; /* mistakes in certificates and keys, where those that a service has
                                  can go on; NULL: they are mistakes as others are */
};

/* Mistakes are told in diag; a service that has some is only there to find further ones. before:
 * the one of the same name that runs, NULL: none. NULL: memory is short, which diag says. conf is
 * borrowed. */
struct service *service_new(const struct config_service *conf, struct service_making *making,
                            const struct service *before);
void service_free(struct service *s); /* NULL is fine */

/* It runs from now on: see snapshot_publish(). */
void service_publish(struct service *s, struct diag *diag);

#endif
