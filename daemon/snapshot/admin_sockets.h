/* SPDX-License-Identifier: ISC */
/* Where the pages and metrics of the directive `admin` are served: sockets as those of services. */
#ifndef SNAPSHOT_ADMIN_SOCKETS_H
#define SNAPSHOT_ADMIN_SOCKETS_H

#include "base/addr.h"
#include "net/lsock_set.h"
#include "snapshot/snapshot.h"

/* Mistakes go to diag. running: may be kept instead of opened. */
void admin_sockets_open(struct snapshot *s, struct lsock_set *running, struct diag *diag);
void admin_sockets_free(struct snapshot *s);

/* Whether only this machine can reach it: loopback, or a Unix socket. */
bool admin_is_local(const struct sockaddress *a);

#endif
