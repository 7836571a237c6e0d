/* SPDX-License-Identifier: ISC */
/* A configuration made runnable: sockets bound, keys loaded. Immutable but for its atomic counts,
 * shared by all workers and by every connection that began under it. */
#ifndef SNAPSHOT_SNAPSHOT_H
#define SNAPSHOT_SNAPSHOT_H

#include "base/diag.h"
#include "base/ref.h"
#include "config/config.h"
#include "snapshot/counts.h"
#include "snapshot/service.h"

struct snapshot {
        struct ref ref;
        struct config *conf;
        struct service **services; /* in the order of the configuration */
        struct service **by_name;
        size_t n_services;
        struct lsock **admin; /* of the directive `admin`; held, and closed by who serves there */
        size_t n_admin;
        int64_t read_us;       /* clock_wall_us() just before certificates and keys were read */
        size_t n_workers;      /* who will share the listening sockets */
        struct counts *counts; /* held */
};

enum snapshot_scope {
        SNAPSHOT_KEYS, /* certificates, keys and names of users only: to check a configuration
                          beside a running daemon */
        SNAPSHOT_TRY,  /* and see whether addresses can be bound, which those that are new are for a
                          moment; nobody can connect to them */
        SNAPSHOT_ALL,  /* and bind the sockets */
};

/* Takes *conf (NULL stays behind, also on failure). Every mistake goes to diag; NULL when there was
 * one: whatever was opened is closed again. running: what is to be replaced, or NULL. It is not
 * changed; sockets that it has are not opened again, and counts, ticket keys and whose turn it is
 * at the upstreams go on from there. */
struct snapshot *snapshot_new(struct config **conf, enum snapshot_scope scope,
                              const struct snapshot *running, struct diag *diag);

/* The first one of a process that succeeds another: sockets of the set, which is borrowed, are not
 * opened again. */
struct snapshot *snapshot_new_after(struct config **conf, struct lsock_set *left,
                                    struct diag *diag);

/* Every listening socket, those of the pages as well. */
void snapshot_each_socket(const struct snapshot *s, void fn(struct lsock *l, void *arg), void *arg);
bool snapshot_has_socket(const struct snapshot *s, const struct lsock *l);

/* The same configuration with certificates and keys read again. Where some cannot be used the
 * service goes on with those it has, and unusable says why; diag is for the rest, as above. */
struct snapshot *snapshot_renew(const struct snapshot *running, struct diag *unusable,
                                struct diag *diag);

/* From now on this is what runs: limits hold, and sockets that were kept get what may have changed
 * of their settings, as far as that is possible: warnings go to diag. */
void snapshot_publish(struct snapshot *s, struct diag *diag);

/* The service of that name; NULL: none. */
struct service *snapshot_service(const struct snapshot *s, const char *name);
struct snapshot *snapshot_ref(struct snapshot *s);
/* Let nobody new in at the listening sockets that are going to be closed: see lsock_shut(). Before
 * workers are told to leave them. */
void snapshot_shut_sockets(const struct snapshot *s, const struct snapshot *successor);

/* Close the listening sockets, all that `successor` (NULL: nobody) has not kept, and remove the
 * paths that were made for them. Only when no worker listens on them any more. What they were bound
 * to stays: connections name it in their records. */
void snapshot_close_sockets(struct snapshot *s, const struct snapshot *successor);
void snapshot_unref(struct snapshot *s); /* NULL is fine */

#endif
