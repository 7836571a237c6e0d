/* SPDX-License-Identifier: ISC */
#include "conn/record_members.h"

#include <assert.h>
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include <jansson.h>

#include "base/clock.h"
#include "base/own.h"

enum { NAME_MAX_OCTETS = 64, TYPICAL_OCTETS = 1024 };

/* Fields while they are collected: where each begins in the text, which moves as it grows. */
struct places {
        size_t n;
        struct {
                size_t name, value;
        } at[RECORD_FIELDS_MAX];
};

/* Where the values go, one after the other: into an object, or into fields. */
struct out {
        struct text *t;
        struct places *fields; /* NULL: JSON */
        const char *prefix;    /* of a field's name */
};

/* A member: its name, where its value begins in its struct, and how it is written. Who writes
 * nothing has nothing to say: null in JSON, and no field. */
struct member {
        const char *name;
        size_t offset;
        void (*put)(struct out *o, const void *value);
};

struct members {
        const struct member *rows;
        size_t n;
};
#define MEMBERS(rows)               \
        {                           \
                rows, COUNTOF(rows) \
        }

static void put_object(struct out *o, const struct members *members, const void *of);

/* --- values ----------------------------------------------------------------------------------- */

/* As are nearly all strings: neither JSON nor a terminal sees more in it than its characters. */
static bool is_harmless(const char *s, size_t n)
{
        for (size_t i = 0; i < n; i++)
                if (s[i] < ' ' || s[i] > '~' || s[i] == '"' || s[i] == '\\')
                        return false;
        return true;
}

/* A peer chooses some of these (SNI, certificate subjects): what is not printable is written as it
 * is in text, so that neither a terminal nor a program that takes the string out of its quotes acts
 * on it. */
static void put_doubtful(struct out *o, const char *s, size_t n)
{
        OWN(text_fini) struct text clean = { 0 };
        text_add_printable(&clean, s, n);
        if (o->fields != NULL) {
                text_addn(o->t, text_str(&clean), clean.len);
                return;
        }
        json_t *value = json_stringn(text_str(&clean), clean.len);
        OWN_FREE char *quoted = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);
        if (quoted != NULL)
                text_add(o->t, quoted);
        json_decref(value);
}

static void put_text(struct out *o, const char *s)
{
        size_t n = s != NULL ? strlen(s) : 0, quote = o->fields == NULL ? 1 : 0;
        if (!is_harmless(s, n)) {
                put_doubtful(o, s, n);
        } else if (n > 0) {
                text_addn(o->t, "\"", quote);
                text_addn(o->t, s, n);
                text_addn(o->t, "\"", quote);
        }
}

static void put_string(struct out *o, const void *value)
{
        put_text(o, *(const char *const *)value);
}

static void put_count(struct out *o, const void *value)
{
        text_add_uint(o->t, *(const uint64_t *)value);
}

static void put_ms(struct out *o, const void *value)
{
        text_add_int(o->t, *(const int64_t *)value);
}

static void put_ms_if_any(struct out *o, const void *value)
{
        if (*(const int64_t *)value >= 0)
                put_ms(o, value);
}

static void put_bool(struct out *o, const void *value)
{
        text_add(o->t, *(const bool *)value ? "true" : "false");
}

static void put_sockaddress(struct out *o, const struct sockaddress *a)
{
        char text[SOCKADDRESS_TEXT_MAX];
        if (a->len > 0)
                put_text(o, sockaddress_text(a, text));
}

static void put_address(struct out *o, const void *value)
{
        put_sockaddress(o, *(const struct sockaddress *const *)value);
}

static void put_time(struct out *o, const void *value)
{
        char text[CLOCK_TEXT_MAX];
        put_text(o, clock_wall_text(*(const int64_t *)value, text));
}

static void put_ended_by(struct out *o, const void *value)
{
        if (*(const enum ended_by *)value != BY_NOBODY)
                put_text(o, ended_by_name(*(const enum ended_by *)value));
}

static void put_reason(struct out *o, const void *value)
{
        if (*(const enum reason *)value != REASON_NONE)
                put_text(o, reason_name(*(const enum reason *)value));
}

/* --- a leg's TLS ------------------------------------------------------------------------------ */

struct leg {
        struct tls_info info; /* borrowed */
        int64_t handshake_ms;
};

static void put_leg(struct out *o, const struct tls_info *info, int64_t handshake_ms)
{
#define ROW(name, put)                                      \
        {                                                   \
#name, offsetof(struct leg, info.name), put \
        }
        static const struct member rows[] = {
                ROW(version, put_string),
                ROW(cipher, put_string),
                ROW(group, put_string),
                ROW(sni, put_string),
                ROW(alpn, put_string),
                ROW(resumed, put_bool),
                ROW(peer, put_string),
                { "handshake_ms", offsetof(struct leg, handshake_ms), put_ms_if_any },
        };
#undef ROW
        if (info == NULL)
                return;
        const struct leg leg = { *info, handshake_ms };
        put_object(o, &(struct members)MEMBERS(rows), &leg);
}

static void put_tls(struct out *o, const void *record)
{
        const struct record *r = record;
        put_leg(o, r->tls, r->handshake_ms);
}

static void put_connect_tls(struct out *o, const void *record)
{
        const struct record *r = record;
        put_leg(o, r->connect_tls, r->connect_handshake_ms);
}

/* --- attempts --------------------------------------------------------------------------------- */

static void put_attempt_address(struct out *o, const void *attempt)
{
        struct sockaddress address;
        dial_attempt_address(attempt, &address);
        put_sockaddress(o, &address);
}

static void put_attempt_error(struct out *o, const void *attempt)
{
        put_text(o, dial_attempt_text(attempt));
}

static void put_attempt_ms(struct out *o, const void *attempt)
{
        text_add_int(o->t, ((const struct dial_attempt *)attempt)->ms);
}

/* A list is JSON, in the journal as well. */
static void put_attempts(struct out *o, const void *value)
{
        static const struct member rows[] = {
                { "target", offsetof(struct dial_attempt, target), put_string },
                { "address", 0, put_attempt_address },
                { "error", 0, put_attempt_error },
                { "ms", 0, put_attempt_ms },
        };
        struct out json = { .t = o->t };
        const struct dial_attempt *first = *(const struct dial_attempt *const *)value;
        text_add(o->t, "[");
        for (const struct dial_attempt *a = first; a != NULL; a = a->next) {
                text_add(o->t, a != first ? "," : "");
                put_object(&json, &(struct members)MEMBERS(rows), a);
        }
        text_add(o->t, "]");
}

/* --- the table -------------------------------------------------------------------------------- */

#define ROW(name, put)                                    \
        {                                                 \
#name, offsetof(struct record, name), put \
        }
static const struct member record_rows[] = {
        ROW(id, put_count),
        ROW(service, put_string),
        ROW(listen, put_address),
        ROW(client, put_address),
        ROW(local, put_address),
        ROW(upstream, put_string),
        { "started", offsetof(struct record, started_wall_us), put_time },
        ROW(duration_ms, put_ms),
        ROW(connect_ms, put_ms_if_any),
        ROW(handshake_ms, put_ms_if_any),
        ROW(bytes_up, put_count),
        ROW(bytes_down, put_count),
        ROW(half_closed_ms, put_ms),
        ROW(ended_by, put_ended_by),
        ROW(reason, put_reason),
        ROW(detail, put_string),
        ROW(path, put_string),
        { "tls", 0, put_tls },
        { "connect_tls", 0, put_connect_tls },
        ROW(attempts, put_attempts),
};
#undef ROW
static const struct members record_members = MEMBERS(record_rows);

/* --- the forms -------------------------------------------------------------------------------- */

static void put_value(struct out *o, const struct member *m, const void *of)
{
        m->put(o, (const char *)of + m->offset);
}

static void add_to_object(struct out *o, const struct member *m, const void *of)
{
        text_addn(o->t, "\"", 1);
        text_add(o->t, m->name);
        text_addn(o->t, "\":", 2);
        size_t before = o->t->len;
        put_value(o, m, of);
        if (o->t->len == before)
                text_add(o->t, "null");
}

/* An object is a field for each of its members, instead of one. */
static void add_field(struct out *o, const struct member *m, const void *of)
{
        char name[NAME_MAX_OCTETS];
        size_t len = (size_t)snprintf(name, sizeof name, "%s_%s", o->prefix, m->name);
        assert(len < sizeof name);
        for (char *p = name; *p != '\0'; p++)
                *p = (char)toupper((unsigned char)*p);
        struct out inner = { .t = o->t, .fields = o->fields, .prefix = name };
        size_t fields = o->fields->n, begins = o->t->len;
        text_addn(o->t, name, len + 1);
        size_t value = o->t->len;
        put_value(&inner, m, of);
        if (o->fields->n > fields || o->t->len == value)
                return;
        text_addn(o->t, "", 1);
        assert(o->fields->n < RECORD_FIELDS_MAX);
        o->fields->at[o->fields->n].name = begins;
        o->fields->at[o->fields->n++].value = value;
}

static void put_object(struct out *o, const struct members *members, const void *of)
{
        for (size_t i = 0; i < members->n; i++) {
                if (o->fields != NULL) {
                        add_field(o, &members->rows[i], of);
                        continue;
                }
                text_addn(o->t, i == 0 ? "{" : ",", 1);
                add_to_object(o, &members->rows[i], of);
        }
        if (o->fields == NULL)
                text_add(o->t, "}");
}

void record_add_json(struct text *t, const struct record *r)
{
        struct out o = { .t = t };
        text_expect(t, TYPICAL_OCTETS);
        put_object(&o, &record_members, r);
}

void record_fields_init(struct record_fields *f, const struct record *r)
{
        struct places places = { 0 };
        struct out o = { .t = &f->octets, .fields = &places, .prefix = "SPLICED" };
        *f = (struct record_fields){ 0 };
        text_expect(&f->octets, TYPICAL_OCTETS);
        put_object(&o, &record_members, r);
        if (f->octets.failed)
                return;
        for (; f->n < places.n; f->n++) {
                f->items[f->n].name = f->octets.s + places.at[f->n].name;
                f->items[f->n].value = f->octets.s + places.at[f->n].value;
        }
}

void record_fields_fini(struct record_fields *f)
{
        text_fini(&f->octets);
        f->n = 0;
}
