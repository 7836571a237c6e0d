/* SPDX-License-Identifier: ISC */
/* What there is to say of a connection at its end. */
#include "conn/stage.h"

#include <sys/socket.h>

#include "base/clock.h"
#include "conn/record.h"
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
static const char *upstream_text(const struct conn *c, char room[static SOCKADDRESS_TEXT_MAX])
{
        if (!c->reached)
                return NULL;
        const struct dial_attempt *a = last_attempt(c);
        struct sockaddress address;
        if (a == NULL || dial_attempt_text(a) != NULL)
                return c->target->text;
        dial_attempt_address(a, &address);
        return sockaddress_text(&address, room);
}

static const struct tls_info *tls_of(const struct tls_context *context, struct stream *s,
                                     struct tls_info *room)
{
        if (context == NULL || s == NULL)
                return NULL;
        tls_info_fill(room, stream_tls_ssl(s));
        return room;
}

void conn_write_record(struct conn *c, enum reason why, const struct relay_stats *moved)
{
        enum record_format format = (enum record_format)c->snapshot->conf->log.access;
        if (!record_is_wanted(why, format))
                return;
        struct room room = { 0 };
        sockaddress_unpack(c->client_address, &room.client);
        struct record r = {
                .id = c->id,
                .service = c->service->conf->name,
                .listen = c->listen,
                .client = &room.client,
                .local = local_address(c, &room.local),
                .upstream = upstream_text(c, room.upstream),
                .started_wall_us = c->started_wall_us,
                .duration_ms = (clock_us() - c->started_us) / 1000,
                .connect_ms = c->connect_ms,
                .handshake_ms = c->handshake_ms,
                .bytes_up = moved->bytes_up,
                .bytes_down = moved->bytes_down,
                .half_closed_ms = moved->half_closed_ms,
                .ended_by = reason_by(why) == BY_SIDE ? c->ended_by : reason_by(why),
                .reason = why,
                .detail = c->detail,
                .path = moved->path,
                .tls = tls_of(c->service->listen_tls, c->client, &room.tls),
                .connect_tls = tls_of(c->service->connect_tls, c->upstream, &room.connect_tls),
                .connect_handshake_ms = c->connect_handshake_ms,
                .attempts = c->attempts,
        };
        record_write(&r, format);
        tls_info_fini(&room.tls);
        tls_info_fini(&room.connect_tls);
}
