/* SPDX-License-Identifier: ISC */
/* How many TLS handshakes there were, by what they agreed on. The words are few and fixed: a peer
 * cannot invent new ones. */
#ifndef STATS_HANDSHAKES_H
#define STATS_HANDSHAKES_H

#include <stdbool.h>

#include "stats/counter.h"

enum handshake_side { HANDSHAKE_CLIENT, HANDSHAKE_UPSTREAM, HANDSHAKE_SIDES };
enum handshake_result { HANDSHAKE_FULL, HANDSHAKE_RESUMED, HANDSHAKE_FAILED, HANDSHAKE_RESULTS };

enum {
        HANDSHAKE_VERSIONS = 4,
        HANDSHAKE_GROUPS = 12,
};

struct handshakes {
        struct counter n[HANDSHAKE_SIDES][HANDSHAKE_VERSIONS][HANDSHAKE_GROUPS][HANDSHAKE_RESULTS];
};

/* version and group as OpenSSL names them ("TLSv1.3", "x25519"); NULL: none was agreed on. */
void handshakes_count(struct handshakes *h, enum handshake_side side, const char *version,
                      const char *group, enum handshake_result result);

void handshakes_sum(struct handshakes *h, const struct handshakes *more);

/* As in labels. version < HANDSHAKE_VERSIONS, group < HANDSHAKE_GROUPS. */
const char *handshake_side_name(enum handshake_side side);
const char *handshake_result_name(enum handshake_result result);
const char *handshake_version_name(int version);
const char *handshake_group_name(int group);

#endif
