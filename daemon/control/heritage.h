/* SPDX-License-Identifier: ISC */
/* What a daemon leaves to its successor, in bundles: listening sockets and connections. */
#ifndef CONTROL_HERITAGE_H
#define CONTROL_HERITAGE_H

#include <stddef.h>
#include <stdint.h>

#include "conn/parcel.h"
#include "control/bundle.h"
#include "net/lsock.h"

/* What a bundle is about: the greatest number a connection has had. */
void heritage_add_head(struct bundle *b, uint64_t last_number);
/* Copies of its sockets: it goes on listening here. */
void heritage_add_listener(struct bundle *b, const struct lsock *l);
/* Takes what is in the parcel. */
void heritage_add_connection(struct bundle *b, struct parcel *p);

/* Start with {0}. */
struct heritage {
        uint64_t last_number;
        struct lsock **socks; /* held */
        size_t n_socks;
        struct parcel *parcels; /* owned */
        size_t n_parcels;
        bool failed; /* memory was short */
};

/* What is in a bundle comes to what is there already. Returns NULL, or what is wrong. */
const char *heritage_read(struct heritage *h, int lines, int take);
void heritage_fini(struct heritage *h);

#endif
