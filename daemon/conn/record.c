/* SPDX-License-Identifier: ISC */
#include "conn/record.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"

/* A peer chooses some of these (SNI, certificate subjects): what is not printable is written as it
 * is in text, so that neither a terminal nor a program that takes the string out of its quotes acts
 * on it. */
static json_t *string_or_null(const char *s)
{
        if (s == NULL || *s == '\0')
                return json_null();
        struct text clean = { 0 };
        text_add_printable(&clean, s, strlen(s));
        json_t *value = json_string(text_str(&clean));
        text_fini(&clean);
        return value;
}

static json_t *address_or_null(const struct sockaddress *a)
{
        char buf[SOCKADDRESS_TEXT_MAX];
        return a->len > 0 ? json_string(sockaddress_text(a, buf)) : json_null();
}

static json_t *ms_or_null(int64_t ms)
{
        return ms >= 0 ? json_integer(ms) : json_null();
}

static json_t *tls_object(const struct tls_info *t, int64_t handshake_ms)
{
        if (t == NULL)
                return json_null();
        json_t *o = json_object();
        json_object_set_new(o, "version", string_or_null(t->version));
        json_object_set_new(o, "cipher", string_or_null(t->cipher));
        json_object_set_new(o, "group", string_or_null(t->group));
        json_object_set_new(o, "sni", string_or_null(t->sni));
        json_object_set_new(o, "alpn", string_or_null(t->alpn));
        json_object_set_new(o, "resumed", json_boolean(t->resumed));
        json_object_set_new(o, "peer", string_or_null(t->peer));
        json_object_set_new(o, "handshake_ms", ms_or_null(handshake_ms));
        return o;
}

static json_t *attempts_array(const struct record *r)
{
        json_t *list = json_array();
        for (const struct dial_attempt *a = r->attempts; a != NULL; a = a->next) {
                struct sockaddress address;
                dial_attempt_address(a, &address);
                json_t *o = json_object();
                json_object_set_new(o, "target", string_or_null(a->target));
                json_object_set_new(o, "address", address_or_null(&address));
                json_object_set_new(o, "error", string_or_null(dial_attempt_text(a)));
                json_object_set_new(o, "ms", json_integer(a->ms));
                json_array_append_new(list, o);
        }
        return list;
}

/* jansson ignores NULL values and containers, so memory that runs short costs fields, no more. */
static json_t *to_json(const struct record *r)
{
        char started[CLOCK_TEXT_MAX];
        json_t *o = json_object();
        json_object_set_new(o, "id", json_integer((json_int_t)r->id));
        json_object_set_new(o, "service", string_or_null(r->service));
        json_object_set_new(o, "listen", address_or_null(r->listen));
        json_object_set_new(o, "client", address_or_null(r->client));
        json_object_set_new(o, "local", address_or_null(r->local));
        json_object_set_new(o, "upstream", string_or_null(r->upstream));
        json_object_set_new(o, "started",
                            json_string(clock_wall_text(r->started_wall_us, started)));
        json_object_set_new(o, "duration_ms", json_integer(r->duration_ms));
        json_object_set_new(o, "connect_ms", ms_or_null(r->connect_ms));
        json_object_set_new(o, "handshake_ms", ms_or_null(r->handshake_ms));
        json_object_set_new(o, "bytes_up", json_integer((json_int_t)r->bytes_up));
        json_object_set_new(o, "bytes_down", json_integer((json_int_t)r->bytes_down));
        json_object_set_new(o, "half_closed_ms", json_integer(r->half_closed_ms));
        json_object_set_new(o, "ended_by", json_string(ended_by_name(r->ended_by)));
        json_object_set_new(o, "reason", json_string(reason_name(r->reason)));
        json_object_set_new(o, "detail", string_or_null(r->detail));
        json_object_set_new(o, "path", string_or_null(r->path));
        json_object_set_new(o, "tls", tls_object(r->tls, r->handshake_ms));
        json_object_set_new(o, "connect_tls", tls_object(r->connect_tls, r->connect_handshake_ms));
        json_object_set_new(o, "attempts", attempts_array(r));
        return o;
}

static char *to_text(const struct record *r)
{
        char client[SOCKADDRESS_TEXT_MAX];
        struct text t = { 0 };
        text_addf(&t, "%s: %s -> %s: %s by %s, %" PRIu64 " up, %" PRIu64 " down, %" PRId64 " ms",
                  r->service, sockaddress_text(r->client, client),
                  r->upstream != NULL ? r->upstream : "-", reason_name(r->reason),
                  ended_by_name(r->ended_by), r->bytes_up, r->bytes_down, r->duration_ms);
        if (r->tls != NULL && r->tls->version != NULL)
                text_addf(&t, ", %s", r->tls->version);
        if (r->detail != NULL) {
                text_add(&t, ": ");
                text_add_printable(&t, r->detail, strlen(r->detail));
        }
        return text_take(&t);
}

/* --- the journal's fields: the members of the JSON object, SPLICED_TLS_VERSION for tls.version -
 */

enum { FIELDS_MAX = 48 };

struct fields {
        struct log_field items[FIELDS_MAX];
        size_t n;
};

static char *field_name(const char *prefix, const char *key)
{
        struct text t = { 0 };
        text_addf(&t, "%s_%s", prefix, key);
        for (size_t i = 0; i < t.len; i++)
                t.s[i] = (char)toupper((unsigned char)t.s[i]);
        return text_take(&t);
}

static void add_field(struct fields *f, char *name, char *value)
{
        if (name == NULL || value == NULL || f->n == FIELDS_MAX) {
                free(name);
                free(value);
                return;
        }
        f->items[f->n++] = (struct log_field){ .name = name, .value = value };
}

static void add_fields(struct fields *f, const char *prefix, json_t *object)
{
        const char *key;
        json_t *value;
        json_object_foreach(object, key, value)
        {
                char *name = field_name(prefix, key);
                if (name != NULL && json_is_object(value)) {
                        add_fields(f, name, value);
                        free(name);
                } else if (json_is_string(value)) {
                        add_field(f, name, strdup(json_string_value(value)));
                } else if (json_is_null(value)) {
                        free(name);
                } else {
                        add_field(f, name, json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY));
                }
        }
}

static void fields_fini(struct fields *f)
{
        for (size_t i = 0; i < f->n; i++) {
                free((char *)(uintptr_t)f->items[i].name);
                free((char *)(uintptr_t)f->items[i].value);
        }
}

static enum log_level level_of(enum reason reason)
{
        if (reason == REASON_END)
                return LOG_LEVEL_INFO;
        return reason == REASON_RESOURCE || reason == REASON_INTERNAL ? LOG_LEVEL_ERROR
                                                                      : LOG_LEVEL_NOTICE;
}

bool record_is_wanted(enum reason reason, enum record_format format)
{
        return format != RECORD_OFF && log_enabled(level_of(reason));
}

/* The text as a line of a file, which has no other clock: when the connection ended comes first. */
static char *with_time(const struct record *r, const char *text)
{
        char ended[CLOCK_TEXT_MAX];
        struct text t = { 0 };
        if (text == NULL)
                return NULL;
        text_add(&t, clock_wall_text(r->started_wall_us + r->duration_ms * 1000, ended));
        text_add(&t, " ");
        text_add(&t, text);
        return text_take(&t);
}

void record_write(const struct record *r, enum record_format format)
{
        if (!record_is_wanted(r->reason, format))
                return;
        struct fields fields = { 0 };
        json_t *object = to_json(r);
        char *text = to_text(r);
        char *line = format == RECORD_JSON ? json_dumps(object, JSON_COMPACT) : with_time(r, text);
        if (log_wants_fields())
                add_fields(&fields, "SPLICED", object);
        if (line != NULL && text != NULL)
                log_record(level_of(r->reason), line, text, fields.items, fields.n);
        else
                log_error("out of memory: a record is lost");
        fields_fini(&fields);
        free(line);
        free(text);
        json_decref(object);
}
