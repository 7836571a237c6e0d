/* SPDX-License-Identifier: ISC */
/* One connection between a client and an upstream, all in one event loop. */
#ifndef TESTS_CONN_RIG_H
#define TESTS_CONN_RIG_H

#include "../net/net_fixture.h"
#include "base/clock.h"
#include "conn/conn.h"
#include "net/hangup.h"
#include "peer.h"

struct rig {
        struct net_fixture net; /* the loop, and names */
        struct hangup *hangup;
        struct conn_env env;
        struct snapshot *snapshot;
        struct service *service;
        size_t descriptors;      /* open before there was anything of this */
        struct conn *conn;       /* NULL once it has been freed */
        struct sockaddress from; /* its client */
        unsigned ended;          /* how often we were told */
        struct peer client, upstream;
        int listener; /* the upstream's; -1: there is none */
        bool upstream_accepts, upstream_tls;
        const char *upstream_script, *upstream_due;
};

/* What of an upstream there is; its port is free for the test to use otherwise. */
enum upstream_kind {
        UPSTREAM_NONE,
        UPSTREAM_LISTENS,
        UPSTREAM_TLS,
        UPSTREAM_REFUSES,
        UPSTREAM_SILENT, /* nobody ever answers SYN */
};

/* settings: what the one service has; it listens on a port of 127.0.0.1 unless they say where. In
 * them, %1 is the upstream's port, %2 the file of a certificate and its key. */
void rig_open(struct rig *r, enum upstream_kind kind, const char *settings);
/* Nothing is left of it, and no descriptor that was not open before. */
void rig_close(struct rig *r);

/* A client connects; its connection is made, not yet started. counted: in both tallies. */
void rig_connect(struct rig *r, bool counted);

/* One turn of the loop and of the peers; what has ended is freed after it. */
void rig_turn(struct rig *r);
#define UNTIL(r, condition)                                        \
        do {                                                       \
                for (int64_t began_ = clock_ms(); !(condition);) { \
                        if (clock_ms() - began_ > 60000)           \
                                fail_msg("never: %s", #condition); \
                        rig_turn(r);                               \
                }                                                  \
        } while (0)

/* The stage it waits in; "" before the first, and after the end. */
const char *rig_stage(const struct rig *r);

#endif
