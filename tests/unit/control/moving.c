/* SPDX-License-Identifier: ISC */
#include "moving.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "../conn/records.h"
#include "base/own.h"
#include "control/heritage.h"

#define FORWARD MOVING_FORWARD

const struct moving_row moving_rows[] = {
        { "the client ends first and still gets the whole answer", UPSTREAM_LISTENS, FORWARD,
          "ping|FIN", "pong", PEER_FIN, "?|pong|FIN", "ping", PEER_FIN, "end", "client" },
        { "the upstream ends first and still gets everything", UPSTREAM_LISTENS, FORWARD,
          "?|ping|FIN", "pong", PEER_FIN, "pong|FIN", "ping", PEER_FIN, "end", "upstream" },
        { "a client's reset travels on", UPSTREAM_LISTENS, FORWARD, "ping|?|RST", "pong", PEER_OPEN,
          "?|pong", "ping", PEER_RESET, "client-reset", "client" },
        { "an upstream's reset travels on", UPSTREAM_LISTENS, FORWARD, "ping|?", "pong", PEER_RESET,
          "?|pong|RST", "ping", PEER_OPEN, "upstream-reset", "upstream" },
        { "an upstream that refuses", UPSTREAM_REFUSES, FORWARD, "ping", "", PEER_RESET, "", "",
          PEER_OPEN, "connect-refused", "upstream" },
        { "an end is held back until the other one", UPSTREAM_LISTENS,
          FORWARD "; half-close = \"hold\"", "ping|FIN", "pong", PEER_FIN, "?|pong|FIN", "ping",
          PEER_FIN, "end", "client" },
        { "the first end closes both", UPSTREAM_LISTENS, FORWARD "; half-close = \"close\"",
          "?|FIN", "pong", PEER_FIN, "pong|?", "", PEER_FIN, "end", "client" },
        { "it is idle for as long as it was all the same", UPSTREAM_LISTENS,
          FORWARD "; idle-timeout = \"300ms\"", "ping", "pong", PEER_RESET, "?|pong", "ping",
          PEER_RESET, "idle-timeout", "spliced" },
        { "its time is limited from when it was accepted", UPSTREAM_LISTENS,
          FORWARD "; max-lifetime = \"300ms\"", "ping", "pong", PEER_RESET, "?|pong", "ping",
          PEER_RESET, "max-lifetime", "spliced" },
        { "an echo says what it has not said yet", UPSTREAM_NONE, "connect = \"echo\"",
          "one|two|FIN", "onetwo", PEER_FIN, "", "", PEER_OPEN, "end", "client" },
        { "a built-in that says nothing", UPSTREAM_NONE, "connect = \"discard\"", "one|two|FIN", "",
          PEER_FIN, "", "", PEER_OPEN, "end", "client" },
};
const size_t moving_rows_count = COUNTOF(moving_rows);

bool moving_leave(struct rig *r, struct parcel *p)
{
        if (r->conn == NULL || r->ended > 0 || !conn_pack(r->conn, p))
                return false;
        r->ended = 0;
        conn_free(TAKE(r->conn));
        return true;
}

void moving_arrive(struct rig *r, struct parcel *p, struct snapshot *snapshot)
{
        struct bundle b;
        struct heritage h = { 0 };
        assert_true(bundle_open(&b));
        heritage_add_connection(&b, p);
        assert_true(bundle_close(&b));
        assert_null(heritage_read(&h, b.lines, b.take));
        bundle_fini(&b);
        assert_int_equal(h.n_parcels, 1);
        struct service *service = parcel_service(&h.parcels[0], snapshot);
        assert_ptr_equal(service, snapshot->services[0]);
        tally_add(&service->counts->tally);
        tally_add(&snapshot->counts->tally);
        r->conn = conn_unpack(&r->env, snapshot, service, &h.parcels[0]);
        assert_non_null(r->conn);
        conn_go_on(r->conn, &h.parcels[0]);
        heritage_fini(&h);
}

bool moving_move(struct rig *r)
{
        struct parcel p;
        if (!moving_leave(r, &p))
                return false;
        moving_arrive(r, &p, r->snapshot);
        return true;
}

/* An upstream accepts once, and would not see who begins anew. */
static bool may_move(const struct rig *r)
{
        return !r->upstream_tls || strcmp(rig_stage(r), "relay") == 0;
}

static bool got_its_due(const struct peer *p)
{
        return p->due == NULL || strcmp(p->got, p->due) == 0;
}

unsigned moving_play(const struct moving_row *row, const char *more, unsigned every,
                     json_t **wanted)
{
        struct rig r;
        char settings[512];
        bool tls = strstr(more, "listen-tls") != NULL;
        unsigned moves = 0;
        snprintf(settings, sizeof settings, "%s%s", row->settings, more);
        bool upstream_tls = row->kind == UPSTREAM_LISTENS && strstr(more, "connect-tls") != NULL;
        rig_open(&r, upstream_tls ? UPSTREAM_TLS : row->kind, settings);
        r.upstream_script = row->upstream;
        r.upstream_due = row->upstream_due;
        rig_connect(&r, true);
        r.client.script = row->client;
        r.client.due = row->client_due;
        if (tls)
                peer_use_tls(&r.client, false);
        /* That no upstream could be reached it is told by an alert. */
        bool alert = tls && row->kind == UPSTREAM_REFUSES;
        enum peer_end client_end = alert ? PEER_ALERT : row->client_end;
        uint64_t id = r.conn->id;
        conn_start(r.conn);
        int64_t began = clock_ms();
        for (unsigned turn = 1; r.conn != NULL; turn++) {
                assert_in_range(clock_ms() - began, 0, 60000);
                if (turn % every == 0 && may_move(&r))
                        moves += moving_move(&r);
                rig_turn(&r);
        }
        UNTIL(&r, r.client.end == client_end && r.upstream.end == row->upstream_end);
        if (!got_its_due(&r.client) || !got_its_due(&r.upstream))
                fail_msg("%s: the client got \"%s\", the upstream \"%s\"", row->promise,
                         r.client.got, r.upstream.got);
        json_t *record = records_one();
        assert_string_equal(string_member(record, "reason"), row->reason);
        assert_string_equal(string_member(record, "ended_by"), row->ended_by);
        assert_int_equal(integer_member(record, "id"), id);
        if (wanted != NULL)
                *wanted = json_incref(record);
        json_decref(record);
        rig_close(&r);
        return moves;
}
