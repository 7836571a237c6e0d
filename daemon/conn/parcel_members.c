/* SPDX-License-Identifier: ISC */
#include "conn/parcel_members.h"

#include <stdlib.h>
#include <string.h>

#include "base/own.h"
#include "net/dial_attempts.h"

static const char not_configured[] = "(no longer configured)";

/* --- numbers and words ------------------------------------------------------------------------ */

int64_t parcel_number(const json_t *object, const char *name)
{
        return json_integer_value(json_object_get(object, name));
}

/* Of an enumeration with n members. */
static int choice(const json_t *object, const char *name, int n)
{
        int64_t value = parcel_number(object, name);
        return value >= 0 && value < n ? (int)value : 0;
}

static bool truth(const json_t *object, const char *name)
{
        return json_is_true(json_object_get(object, name));
}

const char *parcel_word(const json_t *object, const char *name)
{
        return json_string_value(json_object_get(object, name));
}

/* --- octets, in hexadecimal ------------------------------------------------------------------- */

static json_t *pack_octets(const void *octets, size_t n)
{
        static const char digits[] = "0123456789abcdef";
        const uint8_t *from = octets;
        OWN_FREE char *hex = malloc(2 * n + 1);
        if (hex == NULL)
                return NULL;
        for (size_t i = 0; i < n; i++) {
                hex[2 * i] = digits[from[i] >> 4];
                hex[2 * i + 1] = digits[from[i] & 15];
        }
        return json_stringn(hex, 2 * n);
}

static int digit(char c)
{
        return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : 0;
}

/* Returns how many, of at most `size`. */
static size_t unpack_octets(const json_t *value, void *octets, size_t size)
{
        const char *hex = json_string_value(value);
        size_t n = json_string_length(value) / 2;
        uint8_t *to = octets;
        n = n < size ? n : size;
        for (size_t i = 0; i < n; i++)
                to[i] = (uint8_t)(digit(hex[2 * i]) << 4 | digit(hex[2 * i + 1]));
        return n;
}

/* What a peer has written may be no UTF-8. */
static json_t *pack_text(const char *s)
{
        return s != NULL ? pack_octets(s, strlen(s)) : json_null();
}

static char *unpack_text(const json_t *value)
{
        size_t n = json_string_length(value) / 2;
        char *s = json_is_string(value) ? calloc(1, n + 1) : NULL;
        if (s != NULL)
                unpack_octets(value, s, n);
        return s;
}

/* --- where, and how it got there -------------------------------------------------------------- */

json_t *parcel_pack_address(const struct sockaddress *a)
{
        uint8_t octets[sizeof *a];
        sockaddress_pack(a, octets);
        return pack_octets(octets, sockaddress_packed_size(a));
}

/* What is no address becomes none: it begins with its length, and is all there. */
void parcel_unpack_address(const json_t *value, struct sockaddress *a)
{
        uint8_t octets[1 + sizeof a->storage] = { 0 };
        size_t n = unpack_octets(value, octets, sizeof octets);
        *a = (struct sockaddress){ 0 };
        if (n > octets[0])
                sockaddress_unpack(octets, a);
}

json_t *parcel_pack_attempts(const struct dial_attempt *first)
{
        json_t *list = json_array();
        for (const struct dial_attempt *a = first; a != NULL; a = a->next) {
                struct sockaddress address;
                dial_attempt_address(a, &address);
                json_array_append_new(list, json_pack("{s:s,s:o,s:i,s:s?,s:i}", "target", a->target,
                                                      "address", parcel_pack_address(&address),
                                                      "error", a->error, "text",
                                                      dial_attempt_text(a), "ms", a->ms));
        }
        return list;
}

const struct addr *parcel_target(const struct service *s, const char *text)
{
        const struct addr_list *targets = s->upstream.targets;
        for (size_t i = 0; text != NULL && i < targets->n; i++)
                if (strcmp(targets->items[i].text, text) == 0)
                        return &targets->items[i];
        return NULL;
}

struct dial_attempt *parcel_unpack_attempts(const json_t *list, const struct service *service)
{
        struct dial_attempts attempts = { 0 };
        size_t i;
        json_t *one;
        json_array_foreach(list, i, one)
        {
                const struct addr *target = parcel_target(service, parcel_word(one, "target"));
                struct sockaddress address;
                parcel_unpack_address(json_object_get(one, "address"), &address);
                dial_attempts_add(&attempts, target != NULL ? target->text : not_configured,
                                  &address, (int)parcel_number(one, "error"),
                                  parcel_word(one, "text"), parcel_number(one, "ms") * 1000);
        }
        return attempts.first;
}

/* --- legs ------------------------------------------------------------------------------------- */

static const struct {
        const char *name;
        size_t offset;
} info_texts[] = {
        { "version", offsetof(struct tls_info, version) },
        { "cipher", offsetof(struct tls_info, cipher) },
        { "group", offsetof(struct tls_info, group) },
        { "sni", offsetof(struct tls_info, sni) },
        { "alpn", offsetof(struct tls_info, alpn) },
        { "peer", offsetof(struct tls_info, peer) },
};

static json_t *pack_info(const struct tls_info *info)
{
        json_t *value = json_pack("{s:b}", "resumed", info->resumed);
        for (size_t i = 0; i < COUNTOF(info_texts); i++) {
                const char *at = (const char *)info + info_texts[i].offset;
                json_object_set_new(value, info_texts[i].name,
                                    pack_text(*(char *const *)(const void *)at));
        }
        return value;
}

static void unpack_info(const json_t *value, struct tls_info *info)
{
        info->resumed = truth(value, "resumed");
        for (size_t i = 0; i < COUNTOF(info_texts); i++) {
                char *at = (char *)info + info_texts[i].offset;
                *(char **)(void *)at = unpack_text(json_object_get(value, info_texts[i].name));
        }
}

static json_t *pack_ktls(const struct stream_ktls_state *kernel)
{
        const struct ktls_records *r = &kernel->ktls.records;
        return json_pack("{s:o,s:b,s:b,s:b,s:b,s:i,s:o,s:i,s:i}", "info", pack_info(&kernel->info),
                         "said_end", kernel->said_end, "peer_through", kernel->peer_through,
                         "tls13", r->tls13, "accepts", r->accepts, "idle", r->idle, "head",
                         pack_octets(r->head, r->head_len), "body_left", (int)r->body_left,
                         "splice_error", kernel->ktls.splice_error);
}

json_t *parcel_pack_leg(const struct stream_state *leg, const struct stream_ktls_state *kernel)
{
        return json_pack("{s:i,s:i,s:b,s:s?,s:o}", "end", leg->end, "lost", leg->lost, "finished",
                         leg->finished, "detail", leg->detail, "ktls",
                         kernel != NULL ? pack_ktls(kernel) : json_null());
}

void parcel_unpack_leg(const json_t *value, struct stream_state *leg)
{
        const char *detail = parcel_word(value, "detail");
        *leg = (struct stream_state){
                .end = (enum stream_end)choice(value, "end", STREAM_BROKEN + 1),
                .lost = (enum stream_end)choice(value, "lost", STREAM_BROKEN + 1),
                .finished = truth(value, "finished"),
                .detail = detail != NULL ? strdup(detail) : NULL,
        };
}

bool parcel_leg_is_ktls(const json_t *value)
{
        return json_is_object(json_object_get(value, "ktls"));
}

/* A header that is whole would have been looked at. */
void parcel_unpack_ktls(const json_t *leg, struct stream_ktls_state *kernel)
{
        const json_t *value = json_object_get(leg, "ktls");
        *kernel = (struct stream_ktls_state){
                .said_end = truth(value, "said_end"),
                .peer_through = truth(value, "peer_through"),
                .ktls.splice_error = (int)parcel_number(value, "splice_error"),
        };
        struct ktls_records *r = &kernel->ktls.records;
        r->tls13 = truth(value, "tls13");
        r->accepts = truth(value, "accepts");
        r->idle = (uint8_t)choice(value, "idle", KTLS_IDLE_RECORDS + 1);
        r->head_len =
                (uint8_t)unpack_octets(json_object_get(value, "head"), r->head, sizeof r->head - 1);
        r->body_left = (uint32_t)choice(value, "body_left", 1 << 24);
        unpack_info(json_object_get(value, "info"), &kernel->info);
}

/* --- the relay -------------------------------------------------------------------------------- */

static json_t *pack_pump(const struct relay_state *r, enum relay_side side)
{
        size_t allowance = r->pumps[side].allowance;
        return json_pack("{s:i,s:I,s:I}", "state", r->pumps[side].state, "moved",
                         (json_int_t)r->pumps[side].moved, "allowance",
                         allowance != PUMP_NO_LIMIT ? (json_int_t)allowance : -1);
}

json_t *parcel_pack_relay(const struct relay_state *r)
{
        return json_pack("{s:i,s:i,s:i,s:b,s:b,s:b,s:I,s:I,s:[oo]}", "outcome", r->outcome, "side",
                         r->side, "first", r->first, "cutting", r->cutting, "ended", r->ended,
                         "half_closed", r->half_closed, "ended_us", (json_int_t)r->ended_us,
                         "progress_ms", (json_int_t)r->progress_ms, "pumps",
                         pack_pump(r, RELAY_CLIENT), pack_pump(r, RELAY_UPSTREAM));
}

void parcel_unpack_relay(const json_t *value, struct relay_state *r)
{
        const json_t *pumps = json_object_get(value, "pumps");
        *r = (struct relay_state){
                .outcome = (enum relay_outcome)choice(value, "outcome", RELAY_NO_MEMORY + 1),
                .side = (enum relay_side)choice(value, "side", RELAY_UPSTREAM + 1),
                .first = (enum relay_side)choice(value, "first", RELAY_UPSTREAM + 1),
                .cutting = truth(value, "cutting"),
                .ended = truth(value, "ended"),
                .half_closed = truth(value, "half_closed"),
                .ended_us = parcel_number(value, "ended_us"),
                .progress_ms = parcel_number(value, "progress_ms"),
        };
        for (size_t i = 0; i < 2; i++) {
                const json_t *pump = json_array_get(pumps, i);
                int64_t allowance = parcel_number(pump, "allowance");
                r->pumps[i].state = (enum pump_state)choice(pump, "state", PUMP_FAILED + 1);
                r->pumps[i].moved = (uint64_t)parcel_number(pump, "moved");
                r->pumps[i].allowance = allowance >= 0 ? (size_t)allowance : PUMP_NO_LIMIT;
        }
}
