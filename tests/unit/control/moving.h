/* SPDX-License-Identifier: ISC */
/* Connections that go to another process and come back, as far as they can tell. */
#ifndef TESTS_CONTROL_MOVING_H
#define TESTS_CONTROL_MOVING_H

#include "../conn/rig.h"
#include "conn/parcel.h"

#define MOVING_FORWARD "connect = \"127.0.0.1:%1\""

/* Whether the rig's connection was one that can go; then it is out of its streams. */
bool moving_leave(struct rig *r, struct parcel *p);
/* Through a bundle, and into others, under a snapshot whose one service has the same name. */
void moving_arrive(struct rig *r, struct parcel *p, struct snapshot *snapshot);
/* Both. */
bool moving_move(struct rig *r);

/* As in test_conn.c: what each does, what it is due, how it sees the end. */
struct moving_row {
        const char *promise;
        enum upstream_kind kind;
        const char *settings;
        const char *client, *client_due;
        enum peer_end client_end;
        const char *upstream, *upstream_due;
        enum peer_end upstream_end;
        const char *reason, *ended_by;
};
extern const struct moving_row moving_rows[];
extern const size_t moving_rows_count;

/* Play a row to its end: the connection moves after so many turns of the loop, again and
 * again. more: settings; with listen-tls or connect-tls in them the peers speak TLS. Returns how
 * often it moved; *record is the connection's, unless that is NULL. */
unsigned moving_play(const struct moving_row *row, const char *more, unsigned every,
                     json_t **record);

#endif
