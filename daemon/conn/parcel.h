/* SPDX-License-Identifier: ISC */
/* A connection on its way to another process, which goes on with it: what there is to know of it
 * as JSON, its sockets, and the octets that are in neither of them. */
#ifndef CONN_PARCEL_H
#define CONN_PARCEL_H

#include <stdbool.h>

#include <jansson.h>

#include "base/text.h"
#include "conn/conn.h"

struct parcel {
        json_t *about;         /* see parcel.c; owned */
        int fds[2];            /* [RELAY_CLIENT], [RELAY_UPSTREAM]: owned; -1: none */
        struct text octets[2]; /* to be sent there before anything else */
};
void parcel_fini(struct parcel *p); /* closes what is left with a reset */

/* Make a parcel of it, if it is one that can go on elsewhere. Its legs are to be plain, or left to
 * the kernel's TLS; a handshake under way stays. And either it has not reached the upstream yet,
 * where the other process begins anew, or both legs are sockets, or the upstream is a built-in that
 * remembers nothing. Then it is over here without a record, and freed
 * as after conn_end(). Sockets are set to be reset by the kernel should the parcel get lost.
 * Returns false when it stays, as it was. One whose parcel memory was short for is ended. */
bool conn_pack(struct conn *c, struct parcel *p);

/* The service that the parcel is for, by its name; NULL: there is none any more. */
struct service *parcel_service(const struct parcel *p, const struct snapshot *snapshot);

/* The connection that was packed, counted in the tallies; to be gone on with by conn_go_on(). Its
 * descriptors are taken. NULL: memory is short, or it is no such parcel. */
struct conn *conn_unpack(const struct conn_env *env, struct snapshot *snapshot,
                         struct service *service, struct parcel *p);
/* The connection may have ended when this returns. Frees what is left of the parcel. */
void conn_go_on(struct conn *c, struct parcel *p);

#endif
