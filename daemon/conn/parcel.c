/* SPDX-License-Identifier: ISC */
/* What there is to know of a connection, as its successor reads it. Numbers of enumerations are
 * those of the source: a new one goes to the end. A member that is missing is as after {0}.
 *
 *   service, listen, client   whose, where, who; addresses are packed, in hexadecimal
 *   id, started_wall_us, started_us, connect_ms, handshake_ms, connect_handshake_ms, target,
 *   detail, attempts          as in the record
 *   builtin                   the upstream, if it is one
 *   legs                      the client's, and the upstream's
 *   relay                     how far it has got; without it the connection begins anew, with the
 *                             client's leg
 */
#include "conn/parcel.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "base/own.h"
#include "conn/parcel_members.h"
#include "conn/stage.h"
#include "net/stream_direct.h"
#include "net/stream_plain.h"
#include "upstream/builtin.h"

void parcel_fini(struct parcel *p)
{
        json_decref(TAKE(p->about));
        for (int i = 0; i < 2; i++) {
                stream_close_fd(&p->fds[i], STREAM_CLOSE_RESET);
                text_fini(&p->octets[i]);
        }
}

/* --- packing ---------------------------------------------------------------------------------- */

static bool is_relayed(const struct conn *c)
{
        return c->stage != NULL && *c->stage == &stage_relay;
}

static bool can_go(const struct conn *c)
{
        if (c->client == NULL || !stream_is_releasable(c->client))
                return false;
        return !is_relayed(c) || stream_is_releasable(c->upstream) ||
               builtin_can_begin_anew(c->upstream);
}

/* Should nobody take it out of the parcel, its peer is to see a cut and no end. */
static void reset_when_lost(int fd, bool on)
{
        const struct linger linger = { .l_onoff = on };
        if (fd >= 0)
                setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof linger);
}

static int pack_leg(struct stream *s, json_t *legs, struct text *octets)
{
        struct stream_state state;
        struct stream_ktls_state kernel = { 0 };
        bool is_ktls = stream_is_ktls(s);
        if (is_ktls)
                stream_ktls_save(s, &kernel);
        int fd = stream_release(s, &state, octets);
        reset_when_lost(fd, true);
        json_array_append_new(legs, parcel_pack_leg(&state, is_ktls ? &kernel : NULL));
        stream_state_fini(&state);
        stream_ktls_state_fini(&kernel);
        return fd;
}

/* What an echo has not said yet is said by its successor, before anything else. */
static void pack_builtin(struct conn *c, json_t *legs, struct relay_state *relay,
                         struct text *to_client)
{
        size_t before = to_client->len;
        const struct stream_state state = { .end = c->upstream->end,
                                            .finished = c->upstream->finished == STREAM_FINISHED };
        json_array_append_new(legs, parcel_pack_leg(&state, NULL));
        builtin_leave(TAKE(c->upstream), to_client);
        relay->pumps[RELAY_UPSTREAM].moved += to_client->len - before;
}

static void pack_relayed(struct conn *c, struct parcel *p, json_t *legs)
{
        struct relay_state relay;
        relay_save(c->relay, &relay);
        relay_free(TAKE(c->relay));
        p->fds[RELAY_CLIENT] = pack_leg(TAKE(c->client), legs, &p->octets[RELAY_CLIENT]);
        if (stream_is_releasable(c->upstream)) {
                p->fds[RELAY_UPSTREAM] =
                        pack_leg(TAKE(c->upstream), legs, &p->octets[RELAY_UPSTREAM]);
        } else {
                pack_builtin(c, legs, &relay, &p->octets[RELAY_CLIENT]);
                json_object_set_new(p->about, "builtin", json_string(c->target->text));
        }
        json_object_set_new(p->about, "relay", parcel_pack_relay(&relay));
}

static json_t *pack_about(const struct conn *c)
{
        struct sockaddress client;
        sockaddress_unpack(c->client_address, &client);
        return json_pack("{s:s,s:o,s:o,s:I,s:I,s:I,s:i,s:i,s:i,s:s?,s:s?,s:o,s:[]}", "service",
                         c->service->conf->name, "listen", parcel_pack_address(c->listen), "client",
                         parcel_pack_address(&client), "id", (json_int_t)c->id, "started_wall_us",
                         (json_int_t)c->started_wall_us, "started_us", (json_int_t)c->started_us,
                         "connect_ms", c->connect_ms, "handshake_ms", c->handshake_ms,
                         "connect_handshake_ms", c->connect_handshake_ms, "target",
                         c->target != NULL ? c->target->text : NULL, "detail", c->detail,
                         "attempts", parcel_pack_attempts(c->attempts), "legs");
}

static bool begins_anew(const struct parcel *p)
{
        return json_object_get(p->about, "relay") == NULL;
}

static bool is_whole(const struct parcel *p, bool relayed)
{
        return !p->octets[0].failed && !p->octets[1].failed && relayed != begins_anew(p) &&
               json_array_size(json_object_get(p->about, "legs")) == (relayed ? 2 : 1);
}

bool conn_pack(struct conn *c, struct parcel *p)
{
        *p = (struct parcel){ .fds = { -1, -1 } };
        if (!can_go(c))
                return false;
        p->about = pack_about(c);
        if (p->about == NULL)
                return false;
        json_t *legs = json_object_get(p->about, "legs");
        bool relayed = is_relayed(c);
        if (relayed)
                pack_relayed(c, p, legs);
        else
                p->fds[RELAY_CLIENT] = pack_leg(TAKE(c->client), legs, &p->octets[RELAY_CLIENT]);
        if (is_whole(p, relayed)) {
                conn_leave(c);
                return true;
        }
        parcel_fini(p);
        conn_end(c, REASON_RESOURCE);
        return false;
}

/* --- unpacking -------------------------------------------------------------------------------- */

struct service *parcel_service(const struct parcel *p, const struct snapshot *snapshot)
{
        const char *name = parcel_word(p->about, "service");
        return name != NULL ? snapshot_service(snapshot, name) : NULL;
}

/* Where it was accepted: the service's, while it has such an address, otherwise *own, which is new.
 * NULL: memory is short. */
static const struct sockaddress *listen_address(const struct service *s, const json_t *value,
                                                struct sockaddress **own)
{
        struct sockaddress a;
        parcel_unpack_address(value, &a);
        for (size_t i = 0; i < s->n_socks; i++)
                if (sockaddress_equal(&s->socks[i]->address, &a))
                        return &s->socks[i]->address;
        *own = malloc(sizeof **own);
        if (*own != NULL)
                **own = a;
        return *own;
}

static const json_t *leg_of(const struct parcel *p, enum relay_side side)
{
        return json_array_get(json_object_get(p->about, "legs"), side);
}

static bool has_ktls(const struct parcel *p)
{
        return parcel_leg_is_ktls(leg_of(p, RELAY_CLIENT)) ||
               parcel_leg_is_ktls(leg_of(p, RELAY_UPSTREAM));
}

/* The kernel's TLS is a direct stream, and needs one on the other side. */
static bool is_possible(const struct parcel *p, const struct service *service)
{
        if (p->fds[RELAY_CLIENT] < 0)
                return false;
        return !has_ktls(p) || (begins_anew(p) ? service->direct : p->fds[RELAY_UPSTREAM] >= 0);
}

struct conn *conn_unpack(const struct conn_env *env, struct snapshot *snapshot,
                         struct service *service, struct parcel *p)
{
        const json_t *about = p->about;
        struct sockaddress client;
        OWN_FREE struct sockaddress *own = NULL;
        if (!is_possible(p, service))
                return NULL;
        const struct sockaddress *listen =
                listen_address(service, json_object_get(about, "listen"), &own);
        if (listen == NULL)
                return NULL;
        parcel_unpack_address(json_object_get(about, "client"), &client);
        reset_when_lost(p->fds[RELAY_CLIENT], false);
        reset_when_lost(p->fds[RELAY_UPSTREAM], false);
        struct conn *c =
                conn_new(env, snapshot, service, listen, &client, &p->fds[RELAY_CLIENT], true);
        if (c == NULL)
                return NULL;
        c->own_listen = TAKE(own) != NULL;
        conn_was(c, (uint64_t)parcel_number(about, "id"), parcel_number(about, "started_wall_us"),
                 parcel_number(about, "started_us"));
        return c;
}

/* Its legs stay what they are, whatever the service has become. */
static struct stream *make_stream(struct conn *c, const json_t *leg, int *fd, bool direct)
{
        struct stream_ktls_state kernel;
        if (!direct)
                return stream_plain_new(c->env->base, c->env->hangup, fd);
        if (!parcel_leg_is_ktls(leg))
                return stream_direct_new(c->env->io, fd, STREAM_DIRECT_UNDER_WAY);
        parcel_unpack_ktls(leg, &kernel);
        struct stream *s = stream_ktls_new_as(c->env->io, fd, &kernel);
        stream_ktls_state_fini(&kernel);
        return s;
}

static bool make_streams(struct conn *c, struct parcel *p)
{
        const char *builtin = parcel_word(p->about, "builtin");
        bool direct = has_ktls(p) || (c->service->direct && builtin == NULL);
        c->client = make_stream(c, leg_of(p, RELAY_CLIENT), &c->fd, direct);
        if (begins_anew(p) || c->client == NULL)
                return c->client != NULL;
        c->upstream = builtin != NULL ? builtin_new(c->env->base, builtin)
                                      : make_stream(c, leg_of(p, RELAY_UPSTREAM),
                                                    &p->fds[RELAY_UPSTREAM], direct);
        return c->upstream != NULL && stage_relay_make(c);
}

static void resume_stream(struct stream *s, struct parcel *p, enum relay_side side)
{
        struct stream_state state;
        parcel_unpack_leg(leg_of(p, side), &state);
        stream_resume(s, &state, &p->octets[side]);
        stream_state_fini(&state);
}

/* -1 where it did not happen. */
static int32_t ms(const json_t *about, const char *name)
{
        return json_object_get(about, name) != NULL ? (int32_t)parcel_number(about, name) : -1;
}

static void resume_relay(struct conn *c, struct parcel *p)
{
        const json_t *about = p->about;
        const char *detail = parcel_word(about, "detail");
        const struct addr *target = parcel_target(c->service, parcel_word(about, "target"));
        struct relay_state relay;
        c->reached = true;
        c->target = target != NULL ? target : &c->service->upstream.targets->items[0];
        c->detail = detail != NULL ? strdup(detail) : NULL;
        c->attempts = parcel_unpack_attempts(json_object_get(about, "attempts"), c->service);
        c->connect_ms = ms(about, "connect_ms");
        c->connect_handshake_ms = ms(about, "connect_handshake_ms");
        resume_stream(c->upstream, p, RELAY_UPSTREAM);
        parcel_unpack_relay(json_object_get(about, "relay"), &relay);
        relay_resume(c->relay, &relay);
}

void conn_go_on(struct conn *c, struct parcel *p)
{
        bool anew = begins_anew(p), fine = make_streams(c, p);
        c->handshake_ms = ms(p->about, "handshake_ms");
        if (fine)
                resume_stream(c->client, p, RELAY_CLIENT);
        if (fine && !anew)
                resume_relay(c, p);
        parcel_fini(p);
        if (!fine)
                conn_end(c, REASON_RESOURCE);
        else if (anew)
                conn_start(c);
        else
                conn_resume(c);
}
