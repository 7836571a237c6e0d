/* SPDX-License-Identifier: ISC */
/* A configuration made runnable: sockets bound, keys loaded. Immutable but for its atomic counts,
 * shared by all workers and by every connection that began under it. */
#ifndef SNAPSHOT_SNAPSHOT_H
#define SNAPSHOT_SNAPSHOT_H

#include "base/diag.h"
#include "base/ref.h"
#include "config/config.h"
#include "net/io.h"
#include "net/lsock.h"
#include "net/sockopt.h"
#include "relay/relay.h"
#include "snapshot/tally.h"
#include "tls/context.h"
#include "upstream/upstream.h"

struct service {
        const struct config_service *conf;
        struct lsock **socks;
        size_t n_socks;
        struct tls_context *listen_tls, *connect_tls; /* NULL: plain leg */
        struct sockopt_sets listen_options, connect_options;
        struct upstream upstream;
        bool direct; /* its legs are direct streams, see net/stream.h */
        struct relay_settings relay;
        struct tally tally;
};

/* How many descriptors a connection of the service takes. */
static inline int service_descriptors(const struct service *s)
{
        return upstream_builtin(&s->upstream) != NULL ? 1 : 2;
}

struct snapshot {
        struct ref ref;
        struct config *conf;
        struct service **services;
        size_t n_services;
        size_t n_workers; /* who will share the listening sockets */
        struct tally tally;
        struct io_ceiling ceiling; /* of what its connections hold in memory */
};

enum snapshot_scope {
        SNAPSHOT_KEYS, /* certificates, keys and names of users only: to check a configuration
                          beside a running daemon */
        SNAPSHOT_ALL,  /* and bind the sockets */
};

/* Takes *conf (NULL stays behind, also on failure). Every mistake goes to diag; NULL when there was
 * one: whatever was opened is closed again. */
struct snapshot *snapshot_new(struct config **conf, enum snapshot_scope scope, struct diag *diag);
struct snapshot *snapshot_ref(struct snapshot *s);
/* Close the listening sockets and remove the paths that were made for them. Only when no worker
 * listens on them any more. What they were bound to stays: connections name it in their records. */
void snapshot_close_sockets(struct snapshot *s);
void snapshot_unref(struct snapshot *s); /* NULL is fine */

#endif
