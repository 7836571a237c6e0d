/* SPDX-License-Identifier: ISC */
/* The list of tries of a dial, as it grows. */
#ifndef NET_DIAL_ATTEMPTS_H
#define NET_DIAL_ATTEMPTS_H

#include "net/dial.h"

struct dial_attempts {
        struct dial_attempt *first, *last;
};

/* Add a try, in one allocation: target is borrowed; address and text, which may be NULL, are
 * copied. When memory is short the try goes unrecorded: what is done about it does not depend on
 * the record. */
void dial_attempts_add(struct dial_attempts *a, const char *target,
                       const struct sockaddress *address, int error, const char *text,
                       int64_t took_us);

#endif
