/* SPDX-License-Identifier: ISC */
/* What a service says about its sockets, as net/ takes it. */
#ifndef SNAPSHOT_SOCKETS_H
#define SNAPSHOT_SOCKETS_H

#include "base/diag.h"
#include "config/config.h"
#include "net/lsock.h"
#include "net/sockopt.h"

/* Names of users, groups and algorithms that this system does not know are mistakes. The settings
 * borrow options and conf. */
struct lsock_settings lsock_settings_of(const struct config_listen_socket *conf,
                                        const struct sockopt_sets *options, struct diag *diag);
struct sockopt_sets listen_options_of(const struct config_listen_socket *conf, struct diag *diag);
/* keeps_privileges: the process stays who it is now. */
struct sockopt_sets connect_options_of(const struct config_connect_socket *conf,
                                       bool keeps_privileges, struct diag *diag);

#endif
