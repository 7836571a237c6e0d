/* SPDX-License-Identifier: ISC */
/* What there is to know of a connection, as its successor reads it. Numbers of enumerations are
 * those of the source: a new one goes to the end. A member that is missing is as after {0}.
 *
 *   service, listen, client     whose, where, who; addresses are packed, in hexadecimal
 *   id, started_wall_us, started_us, connect_ms, target, detail, attempts      as in the record
 *   builtin                     the upstream, if it is one
 *   relay, legs                 how far it has got; without them it begins anew
 */
#include "conn/parcel.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "base/own.h"
#include "conn/stage.h"
#include "net/dial_attempts.h"
#include "net/stream_direct.h"
#include "net/stream_plain.h"
#include "upstream/builtin.h"

static const char not_configured[] = "(no longer configured)";

void parcel_fini(struct parcel *p)
{
        json_decref(TAKE(p->about));
        for (int i = 0; i < 2; i++) {
                stream_close_fd(&p->fds[i], STREAM_CLOSE_RESET);
                text_fini(&p->octets[i]);
        }
}

/* --- addresses -------------------------------------------------------------------------------- */

static json_t *packed(const struct sockaddress *a)
{
        static const char digits[] = "0123456789abcdef";
        uint8_t octets[sizeof *a];
        char hex[2 * sizeof *a + 1];
        size_t n = sockaddress_packed_size(a);
        sockaddress_pack(a, octets);
        for (size_t i = 0; i < n; i++) {
                hex[2 * i] = digits[octets[i] >> 4];
                hex[2 * i + 1] = digits[octets[i] & 15];
        }
        return json_stringn(hex, 2 * n);
}

static int digit(char c)
{
        return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : 0;
}

/* What is no address becomes none. */
static void unpack_address(const json_t *value, struct sockaddress *a)
{
        const char *hex = json_string_value(value);
        size_t n = json_string_length(value) / 2;
        uint8_t octets[sizeof *a] = { 0 };
        *a = (struct sockaddress){ 0 };
        if (n == 0 || n > sizeof octets)
                return;
        for (size_t i = 0; i < n; i++)
                octets[i] = (uint8_t)(digit(hex[2 * i]) << 4 | digit(hex[2 * i + 1]));
        sockaddress_unpack(octets, a);
        if (sockaddress_packed_size(a) > n)
                *a = (struct sockaddress){ 0 };
}

/* --- numbers and words ------------------------------------------------------------------------ */

static int64_t number(const json_t *object, const char *name)
{
        return json_integer_value(json_object_get(object, name));
}

/* Of an enumeration with n members. */
static int choice(const json_t *object, const char *name, int n)
{
        int64_t value = number(object, name);
        return value >= 0 && value < n ? (int)value : 0;
}

static bool truth(const json_t *object, const char *name)
{
        return json_is_true(json_object_get(object, name));
}

static const char *word(const json_t *object, const char *name)
{
        return json_string_value(json_object_get(object, name));
}

/* --- its parts -------------------------------------------------------------------------------- */

static json_t *pack_attempts(const struct dial_attempt *first)
{
        json_t *list = json_array();
        for (const struct dial_attempt *a = first; a != NULL; a = a->next) {
                struct sockaddress address;
                dial_attempt_address(a, &address);
                json_array_append_new(list,
                                      json_pack("{s:s,s:o,s:i,s:s?,s:i}", "target", a->target,
                                                "address", packed(&address), "error", a->error,
                                                "text", dial_attempt_text(a), "ms", a->ms));
        }
        return list;
}

static const struct addr *target_named(const struct service *s, const char *text)
{
        const struct addr_list *targets = s->upstream.targets;
        for (size_t i = 0; text != NULL && i < targets->n; i++)
                if (strcmp(targets->items[i].text, text) == 0)
                        return &targets->items[i];
        return NULL;
}

static struct dial_attempt *unpack_attempts(const json_t *list, const struct service *service)
{
        struct dial_attempts attempts = { 0 };
        size_t i;
        json_t *one;
        json_array_foreach(list, i, one)
        {
                const struct addr *target = target_named(service, word(one, "target"));
                struct sockaddress address;
                unpack_address(json_object_get(one, "address"), &address);
                dial_attempts_add(&attempts, target != NULL ? target->text : not_configured,
                                  &address, (int)number(one, "error"), word(one, "text"),
                                  number(one, "ms") * 1000);
        }
        return attempts.first;
}

static json_t *pack_leg(const struct stream_state *leg)
{
        return json_pack("{s:i,s:i,s:b,s:s?}", "end", leg->end, "lost", leg->lost, "finished",
                         leg->finished, "detail", leg->detail);
}

static void unpack_leg(const json_t *value, struct stream_state *leg)
{
        const char *detail = word(value, "detail");
        *leg = (struct stream_state){
                .end = (enum stream_end)choice(value, "end", STREAM_BROKEN + 1),
                .lost = (enum stream_end)choice(value, "lost", STREAM_BROKEN + 1),
                .finished = truth(value, "finished"),
                .detail = detail != NULL ? strdup(detail) : NULL,
        };
}

static json_t *pack_pump(const struct relay_state *r, enum relay_side side)
{
        size_t allowance = r->pumps[side].allowance;
        return json_pack("{s:i,s:I,s:I}", "state", r->pumps[side].state, "moved",
                         (json_int_t)r->pumps[side].moved, "allowance",
                         allowance != PUMP_NO_LIMIT ? (json_int_t)allowance : -1);
}

static json_t *pack_relay(const struct relay_state *r)
{
        return json_pack("{s:i,s:i,s:i,s:b,s:b,s:b,s:I,s:I,s:[oo]}", "outcome", r->outcome, "side",
                         r->side, "first", r->first, "cutting", r->cutting, "ended", r->ended,
                         "half_closed", r->half_closed, "ended_us", (json_int_t)r->ended_us,
                         "progress_ms", (json_int_t)r->progress_ms, "pumps",
                         pack_pump(r, RELAY_CLIENT), pack_pump(r, RELAY_UPSTREAM));
}

static void unpack_relay(const json_t *value, struct relay_state *r)
{
        const json_t *pumps = json_object_get(value, "pumps");
        *r = (struct relay_state){
                .outcome = (enum relay_outcome)choice(value, "outcome", RELAY_NO_MEMORY + 1),
                .side = (enum relay_side)choice(value, "side", RELAY_UPSTREAM + 1),
                .first = (enum relay_side)choice(value, "first", RELAY_UPSTREAM + 1),
                .cutting = truth(value, "cutting"),
                .ended = truth(value, "ended"),
                .half_closed = truth(value, "half_closed"),
                .ended_us = number(value, "ended_us"),
                .progress_ms = number(value, "progress_ms"),
        };
        for (size_t i = 0; i < 2; i++) {
                const json_t *pump = json_array_get(pumps, i);
                int64_t allowance = number(pump, "allowance");
                r->pumps[i].state = (enum pump_state)choice(pump, "state", PUMP_FAILED + 1);
                r->pumps[i].moved = (uint64_t)number(pump, "moved");
                r->pumps[i].allowance = allowance >= 0 ? (size_t)allowance : PUMP_NO_LIMIT;
        }
}

/* --- packing ---------------------------------------------------------------------------------- */

static bool is_relayed(const struct conn *c)
{
        return c->stage != NULL && *c->stage == &stage_relay;
}

static bool can_go(const struct conn *c)
{
        const struct service *s = c->service;
        if (s->listen_tls != NULL || c->client == NULL || !stream_is_releasable(c->client))
                return false;
        if (!is_relayed(c))
                return true;
        return s->connect_tls == NULL &&
               (stream_is_releasable(c->upstream) || builtin_can_begin_anew(c->upstream));
}

/* Should nobody take it out of the parcel, its peer is to see a cut and no end. */
static void reset_when_lost(int fd, bool on)
{
        const struct linger linger = { .l_onoff = on };
        if (fd >= 0)
                setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof linger);
}

static int pack_client(struct conn *c, struct stream_state *leg, struct text *octets)
{
        int fd = stream_release(TAKE(c->client), leg, octets);
        reset_when_lost(fd, true);
        return fd;
}

/* What an echo has not said yet is said by its successor, before anything else. */
static void pack_builtin(struct conn *c, struct stream_state *leg, struct relay_state *relay,
                         struct text *to_client)
{
        size_t before = to_client->len;
        *leg = (struct stream_state){ .end = c->upstream->end,
                                      .finished = c->upstream->finished == STREAM_FINISHED };
        builtin_leave(TAKE(c->upstream), to_client);
        relay->pumps[RELAY_UPSTREAM].moved += to_client->len - before;
}

static void pack_legs(struct conn *c, struct parcel *p)
{
        struct relay_state relay;
        struct stream_state legs[2];
        relay_save(c->relay, &relay);
        relay_free(TAKE(c->relay));
        p->fds[RELAY_CLIENT] = pack_client(c, &legs[RELAY_CLIENT], &p->octets[RELAY_CLIENT]);
        if (stream_is_releasable(c->upstream)) {
                p->fds[RELAY_UPSTREAM] = stream_release(TAKE(c->upstream), &legs[RELAY_UPSTREAM],
                                                        &p->octets[RELAY_UPSTREAM]);
                reset_when_lost(p->fds[RELAY_UPSTREAM], true);
        } else {
                pack_builtin(c, &legs[RELAY_UPSTREAM], &relay, &p->octets[RELAY_CLIENT]);
                json_object_set_new(p->about, "builtin", json_string(c->target->text));
        }
        json_object_set_new(p->about, "relay", pack_relay(&relay));
        json_object_set_new(p->about, "legs",
                            json_pack("[oo]", pack_leg(&legs[0]), pack_leg(&legs[1])));
        stream_state_fini(&legs[0]);
        stream_state_fini(&legs[1]);
}

static json_t *pack_about(const struct conn *c)
{
        struct sockaddress client;
        sockaddress_unpack(c->client_address, &client);
        return json_pack("{s:s,s:o,s:o,s:I,s:I,s:I,s:i,s:s?,s:s?,s:o}", "service",
                         c->service->conf->name, "listen", packed(c->listen), "client",
                         packed(&client), "id", (json_int_t)c->id, "started_wall_us",
                         (json_int_t)c->started_wall_us, "started_us", (json_int_t)c->started_us,
                         "connect_ms", c->connect_ms, "target",
                         c->target != NULL ? c->target->text : NULL, "detail", c->detail,
                         "attempts", pack_attempts(c->attempts));
}

static bool is_whole(const struct parcel *p)
{
        return !p->octets[0].failed && !p->octets[1].failed &&
               (json_object_get(p->about, "relay") == NULL) ==
                       (json_object_get(p->about, "legs") == NULL);
}

bool conn_pack(struct conn *c, struct parcel *p)
{
        *p = (struct parcel){ .fds = { -1, -1 } };
        if (!can_go(c))
                return false;
        p->about = pack_about(c);
        if (p->about == NULL)
                return false;
        if (is_relayed(c)) {
                pack_legs(c, p);
        } else {
                struct stream_state nothing;
                p->fds[RELAY_CLIENT] = pack_client(c, &nothing, &p->octets[RELAY_CLIENT]);
                stream_state_fini(&nothing);
        }
        if (is_whole(p)) {
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
        const char *name = word(p->about, "service");
        return name != NULL ? snapshot_service(snapshot, name) : NULL;
}

/* Where it was accepted: the same address if it is still one of the service's. */
static const struct sockaddress *listen_address(const struct service *s, const json_t *value)
{
        struct sockaddress a;
        unpack_address(value, &a);
        for (size_t i = 0; i < s->n_socks; i++)
                if (sockaddress_equal(&s->socks[i]->address, &a))
                        return &s->socks[i]->address;
        return s->n_socks > 0 ? &s->socks[0]->address : NULL;
}

struct conn *conn_unpack(const struct conn_env *env, struct snapshot *snapshot,
                         struct service *service, struct parcel *p)
{
        const json_t *about = p->about;
        struct sockaddress client;
        const struct sockaddress *listen =
                listen_address(service, json_object_get(about, "listen"));
        /* Its legs stay what they are, whatever the service has become. */
        if (listen == NULL || service->listen_tls != NULL || service->connect_tls != NULL ||
            p->fds[RELAY_CLIENT] < 0)
                return NULL;
        unpack_address(json_object_get(about, "client"), &client);
        reset_when_lost(p->fds[RELAY_CLIENT], false);
        reset_when_lost(p->fds[RELAY_UPSTREAM], false);
        struct conn *c =
                conn_new(env, snapshot, service, listen, &client, &p->fds[RELAY_CLIENT], true);
        if (c == NULL)
                return NULL;
        conn_was(c, (uint64_t)number(about, "id"), number(about, "started_wall_us"),
                 number(about, "started_us"));
        return c;
}

static bool make_streams(struct conn *c, struct parcel *p)
{
        const char *builtin = word(p->about, "builtin");
        int *upstream = &p->fds[RELAY_UPSTREAM];
        if (c->service->direct && builtin == NULL) {
                c->client = stream_direct_new(c->env->io, &c->fd, STREAM_DIRECT_CONNECTED);
                c->upstream = stream_direct_new(c->env->io, upstream, STREAM_DIRECT_CONNECTED);
        } else {
                c->client = stream_plain_new(c->env->base, c->env->hangup, &c->fd);
                c->upstream = builtin != NULL
                                      ? builtin_new(c->env->base, builtin)
                                      : stream_plain_new(c->env->base, c->env->hangup, upstream);
        }
        return c->client != NULL && c->upstream != NULL;
}

/* What both legs are to go on with; false: memory is short. */
static bool resume(struct conn *c, struct parcel *p)
{
        const json_t *legs = json_object_get(p->about, "legs");
        struct relay_state relay;
        struct stream *streams[2];
        c->reached = true;
        c->connect_ms = (int32_t)number(p->about, "connect_ms");
        if (!make_streams(c, p) || !stage_relay_make(c))
                return false;
        streams[RELAY_CLIENT] = c->client;
        streams[RELAY_UPSTREAM] = c->upstream;
        for (size_t i = 0; i < 2; i++) {
                struct stream_state leg;
                unpack_leg(json_array_get(legs, i), &leg);
                stream_resume(streams[i], &leg, &p->octets[i]);
                stream_state_fini(&leg);
        }
        unpack_relay(json_object_get(p->about, "relay"), &relay);
        relay_resume(c->relay, &relay);
        return true;
}

void conn_go_on(struct conn *c, struct parcel *p)
{
        const char *detail = word(p->about, "detail");
        const struct addr *target = target_named(c->service, word(p->about, "target"));
        bool anew = json_object_get(p->about, "relay") == NULL;
        bool fine = true;
        if (!anew) {
                c->target = target != NULL ? target : &c->service->upstream.targets->items[0];
                c->detail = detail != NULL ? strdup(detail) : NULL;
                c->attempts = unpack_attempts(json_object_get(p->about, "attempts"), c->service);
                fine = resume(c, p);
        }
        parcel_fini(p);
        if (!fine)
                conn_end(c, REASON_RESOURCE);
        else if (anew)
                conn_start(c);
        else
                conn_resume(c);
}
