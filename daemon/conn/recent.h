/* SPDX-License-Identifier: ISC */
/* How a worker's last connections ended: kept for those who look, at the cost of copying a few
 * words at each end. Belongs to the worker's thread; who asks gets a copy. */
#ifndef CONN_RECENT_H
#define CONN_RECENT_H

#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "conn/conn.h"

enum { RECENT_ENDS = 100 };

/* Names that are longer are cut off. */
struct recent_end {
        uint64_t id;
        int64_t ended_wall_us, duration_ms;
        uint64_t bytes_up, bytes_down;
        enum reason reason;
        enum ended_by by;
        uint8_t client[sizeof(struct sockaddress)]; /* packed */
        char service[64], upstream[128];            /* "": none was reached */
        char detail[192];                           /* "": nothing to add */
};

struct recent {
        size_t n; /* that there have ever been */
        struct recent_end ends[RECENT_ENDS];
};

/* NULL: memory is short. To be freed with free(3). */
struct recent *recent_new(void);

void recent_add(struct recent *r, const struct conn *c, enum reason why,
                const struct relay_stats *moved);

/* The ends, newest first. to has room for RECENT_ENDS. Returns how many there are. */
size_t recent_copy(const struct recent *r, struct recent_end *to);

/* As an object, owned by the caller. NULL: memory is short. */
json_t *recent_json(const struct recent_end *e);

#endif
