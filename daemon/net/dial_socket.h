/* SPDX-License-Identifier: ISC */
/* The socket of one try of a dial. */
#ifndef NET_DIAL_SOCKET_H
#define NET_DIAL_SOCKET_H

#include <stdbool.h>

#include "net/dial.h"
#include "net/sockopt.h"

/* EMFILE, ENFILE, ENOMEM, ENOBUFS: the lack is here, not there. */
bool dial_out_of_resources(int error);

/* A non-blocking stream socket for address, with those of its options that cannot wait
 * (sockopt_begin). Where resources are short relief (may be NULL) is called, and if it can help all
 * is tried once more. Returns -1 with errno set. */
int dial_socket_open(const struct sockaddress *address, const struct sockopts *options,
                     dial_relief_fn *relief, void *relief_arg);

/* Whether a socket just connected to address has met itself: where nobody listens on a local port
 * of the range that connecting sockets take theirs from, TCP may do that. */
bool dial_socket_met_itself(int fd, const struct sockaddress *address);

#endif
