/* SPDX-License-Identifier: ISC */
/* Ranges of addresses: 10.0.0.0/8, 2001:db8::/32, or one address. */
#ifndef BASE_CIDR_H
#define BASE_CIDR_H

#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"

/* IPv4 is kept as mapped into IPv6. */
struct cidr {
        uint8_t octets[16];
        unsigned bits; /* of the 128 that count */
};

/* Returns NULL and fills *out, or says what is wrong, to be quoted after the value. What is written
 * beyond the prefix does not matter: 10.1.2.3/8 is 10.0.0.0/8. */
const char *cidr_parse(const char *s, struct cidr *out);
/* A Unix socket is in no range. */
bool cidr_has(const struct cidr *c, const struct sockaddress *a);

#endif
