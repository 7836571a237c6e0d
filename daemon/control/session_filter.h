/* SPDX-License-Identifier: ISC */
/* Which connections are meant. */
#ifndef CONTROL_SESSION_FILTER_H
#define CONTROL_SESSION_FILTER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/cidr.h"

struct conn;

/* All conditions hold; {0}: every connection. */
struct session_filter {
        char *service; /* owned; NULL: any */
        bool by_range; /* client or upstream is in range */
        struct cidr range;
        char *path;       /* … or is this Unix socket, as sockaddress_text() writes it; owned */
        int64_t older_ms; /* they have lasted at least that long */
        bool half_closed;
};

/* 10.0.0.5, 2001:db8::/32, unix:/path. Returns NULL, or what is wrong, to be quoted after it. */
const char *session_filter_address(struct session_filter *f, const char *s);
void session_filter_fini(struct session_filter *f);

/* On the connection's thread. */
bool session_filter_fits(const struct session_filter *f, const struct conn *c);

#endif
