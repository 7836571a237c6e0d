/* SPDX-License-Identifier: ISC */
/* What there is to say of a connection, at its end and before. */
#include "conn/stage.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "base/own.h"
#include "base/text.h"
#include "conn/left_out.h"
#include "conn/record.h"
#include "conn/record_members.h"
#include "tls/stream_tls.h"

/* What a record borrows for as long as it takes to write it. */
struct room {
        struct sockaddress client, local;
        char upstream[SOCKADDRESS_TEXT_MAX];
        struct tls_info tls, connect_tls;
};

static bool is_every_address(const struct sockaddress *a)
{
        if (a->sa.sa_family == AF_INET)
                return a->in.sin_addr.s_addr == htonl(INADDR_ANY);
        return a->sa.sa_family == AF_INET6 && IN6_IS_ADDR_UNSPECIFIED(&a->in6.sin6_addr);
}

/* A listener on every address does not say which of them the client asked for: the socket does,
 * even when it has been reset. Any other listener does. */
static const struct sockaddress *local_address(const struct conn *c, struct sockaddress *room)
{
        *room = (struct sockaddress){ .len = sizeof room->storage };
        if (is_every_address(c->listen) && getsockname(c->client_fd, &room->sa, &room->len) == 0)
                return room;
        return c->listen;
}

static const struct dial_attempt *last_attempt(const struct conn *c)
{
        const struct dial_attempt *a = c->attempts;
        while (a != NULL && a->next != NULL)
                a = a->next;
        return a;
}

/* The last attempt is the one that succeeded; memory that was short may have cost its note. */
void conn_upstream_address(const struct conn *c, struct sockaddress *out)
{
        const struct dial_attempt *a = last_attempt(c);
        *out = (struct sockaddress){ 0 };
        if (c->reached && a != NULL && dial_attempt_text(a) == NULL)
                dial_attempt_address(a, out);
}

static const char *upstream_text(const struct conn *c, char room[static SOCKADDRESS_TEXT_MAX])
{
        struct sockaddress address;
        if (!c->reached)
                return NULL;
        conn_upstream_address(c, &address);
        return address.len > 0 ? sockaddress_text(&address, room) : c->target->text;
}

/* A leg is what it is, whatever its service has become. */
static const struct tls_info *tls_of(struct stream *s, struct tls_info *room)
{
        return s != NULL && stream_is_tls(s) ? stream_tls_info(s, room) : NULL;
}

/* All but how it ended. What it needs is in *room, to be released by record_fini(). */
static struct record record_so_far(const struct conn *c, const struct relay_stats *moved,
                                   struct room *room)
{
        *room = (struct room){ 0 };
        sockaddress_unpack(c->client_address, &room->client);
        return (struct record){
                .id = c->id,
                .service = c->service->conf->name,
                .listen = c->listen,
                .client = &room->client,
                .local = local_address(c, &room->local),
                .upstream = upstream_text(c, room->upstream),
                .started_wall_us = c->started_wall_us,
                .duration_ms = conn_age_ms(c),
                .connect_ms = c->connect_ms,
                .handshake_ms = c->handshake_ms,
                .bytes_up = moved->bytes_up,
                .bytes_down = moved->bytes_down,
                .half_closed_ms = moved->half_closed_ms,
                .ended_by = BY_NOBODY,
                .reason = REASON_NONE,
                .detail = c->detail,
                .path = moved->path,
                .tls = tls_of(c->client, &room->tls),
                .connect_tls = tls_of(c->upstream, &room->connect_tls),
                .connect_handshake_ms = c->connect_handshake_ms,
                .attempts = c->attempts,
        };
}

static void room_fini(struct room *room)
{
        tls_info_fini(&room->tls);
        tls_info_fini(&room->connect_tls);
}

/* What was asked for here is no flood, however much it is. */
static bool is_asked_for(enum reason why)
{
        return why == REASON_KILLED || why == REASON_DRAINED || why == REASON_SHUTDOWN;
}

/* Each worker has its share. */
static int64_t errors_per_second(const struct conn *c)
{
        int64_t all = c->snapshot->conf->log.errors_per_second, n = (int64_t)c->snapshot->n_workers;
        return n > 1 ? (all + n - 1) / n : all;
}

/* Whether there is to be a record of this end among all that are alike. It has been counted. */
static bool is_chosen(const struct conn *c, enum reason why)
{
        enum { BURST_US = 100 * 1000 * 1000 };
        struct service_stats *stats = conn_stats(c);
        uint64_t sample = (uint64_t)c->snapshot->conf->log.sample;
        int64_t most = errors_per_second(c);
        if (why == REASON_END)
                return counter_get(&stats->ended[why]) % sample == 1 % sample;
        return most == 0 || is_asked_for(why) ||
               throttle_pass(&stats->records[why], clock_us(), most, BURST_US);
}

static void leave_out(const struct conn *c, enum reason why)
{
        counter_add(&conn_stats(c)->left_out, 1);
        if (why != REASON_END)
                left_out_add(c->service->conf->name, why);
}

void conn_write_record(struct conn *c, enum reason why, const struct relay_stats *moved)
{
        struct room room;
        enum record_format format = (enum record_format)c->snapshot->conf->log.access;
        if (!record_is_wanted(why, format))
                return;
        if (!is_chosen(c, why)) {
                leave_out(c, why);
                return;
        }
        struct record r = record_so_far(c, moved, &room);
        r.ended_by = reason_by(why) == BY_SIDE ? c->ended_by : reason_by(why);
        r.reason = why;
        record_write(&r, format);
        room_fini(&room);
}

/* --- while it lives --------------------------------------------------------------------------- */

/* A TLS session is the stream's only once the handshake is over. */
static const char *phase(const struct conn *c)
{
        return c->stage != NULL ? (*c->stage)->name : "accepted";
}

int64_t conn_age_ms(const struct conn *c)
{
        return (clock_us() - c->started_us) / 1000;
}

bool conn_is_half_closed(const struct conn *c)
{
        struct relay_stats moved = { 0 };
        if (c->relay != NULL)
                relay_stats(c->relay, &moved);
        return moved.half_closed;
}

void conn_client_address(const struct conn *c, struct sockaddress *out)
{
        sockaddress_unpack(c->client_address, out);
}

static void add_leg(struct text *t, const char *name, struct stream *s)
{
        int fd = s != NULL ? stream_fd(s) : -1;
        struct tcp_info info = { 0 };
        socklen_t len = sizeof info;
        text_addf(t, ",\"%s\":", name);
        if (fd < 0) {
                text_add(t, "null");
                return;
        }
        text_addf(t, "{\"queued\":%zu,\"unread\":%zu,\"unsent\":%zu,\"unacknowledged\":%zu",
                  stream_queued(s), stream_unread(s), stream_unsent(s), stream_unacked(s));
        if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len) == 0)
                text_addf(t,
                          ",\"rtt_us\":%u,\"rtt_variance_us\":%u,\"retransmissions\":%u,"
                          "\"window\":%u",
                          info.tcpi_rtt, info.tcpi_rttvar, info.tcpi_total_retrans,
                          info.tcpi_snd_cwnd);
        text_addf(t, ",\"ended\":%s,\"end_passed_on\":%s}",
                  s->end != STREAM_OPEN ? "true" : "false",
                  s->finished == STREAM_FINISHED ? "true" : "false");
}

/* Octets that the kernel has not put on the wire wait for the peer to read, or for the network. */
static const char *wait_of_direction(struct stream *from, struct stream *to, bool up)
{
        if (to->finished == STREAM_FINISHED)
                return NULL;
        if (stream_queued(to) > 0 || stream_unsent(to) > 0)
                return up ? "the upstream to read" : "the client to read";
        if (from->end == STREAM_OPEN)
                return up ? "the client to send" : "the upstream to send";
        if (to->finished == STREAM_UNFINISHED)
                return "the other side's end";
        return up ? "its end to reach the upstream" : "its end to reach the client";
}

static const char *wait_of_stage(const char *stage)
{
        static const char *const waits[][2] = {
                { "client-tls", "the client's handshake" },
                { "dial", "an upstream to answer" },
                { "upstream-tls", "the upstream's handshake" },
        };
        for (size_t i = 0; i < COUNTOF(waits); i++)
                if (strcmp(waits[i][0], stage) == 0)
                        return waits[i][1];
        return "its turn";
}

static void add_waits(struct text *t, const struct conn *c)
{
        text_add(t, ",\"waits_for\":");
        if (c->relay == NULL) {
                text_addf(t, "\"%s\"", wait_of_stage(phase(c)));
                return;
        }
        const char *up = wait_of_direction(c->client, c->upstream, true);
        const char *down = wait_of_direction(c->upstream, c->client, false);
        text_addf(t, "\"%s%s%s\"", up != NULL ? up : "", up != NULL && down != NULL ? ", " : "",
                  down != NULL ? down : "");
}

void conn_add_json(struct text *t, const struct conn *c, bool legs)
{
        struct room room;
        struct relay_stats moved = { 0 };
        if (c->relay != NULL)
                relay_stats(c->relay, &moved);
        struct record r = record_so_far(c, &moved, &room);
        record_add_json(t, &r);
        room_fini(&room);
        if (t->len == 0 || t->failed)
                return;
        t->s[--t->len] = '\0'; /* its last brace */
        text_addf(t, ",\"phase\":\"%s\",\"phase_ms\":%d", phase(c), conn_stage_ms(c));
        if (legs) {
                add_waits(t, c);
                add_leg(t, "client_leg", c->client);
                add_leg(t, "upstream_leg", c->upstream);
        }
        text_add(t, "}");
}
