/* SPDX-License-Identifier: ISC */
/* Making sets of addresses: from a literal, from an answer of c-ares's, from another set. Each
 * returns NULL when memory is short; addrset_free() is in resolve.h. */
#ifndef NET_ADDRSET_H
#define NET_ADDRSET_H

#include <stddef.h>
#include <stdint.h>

#include "net/resolve.h"

struct ares_addrinfo;

/* n addresses, all zero. */
struct addrset *addrset_new(size_t n);
/* The same addresses with another port (host order). */
struct addrset *addrset_copy(const struct addrset *from, uint16_t port);
/* A literal IPv4 or IPv6 address, with port 0; also NULL when host is none. Looks up no name. */
struct addrset *addrset_literal(const char *host);
/* The addresses in an answer, with port 0; NULL with *status an ARES_E… when there are none, or
 * memory is short. */
struct addrset *addrset_from_answer(const struct ares_addrinfo *answer, int *status);

#endif
