/* SPDX-License-Identifier: ISC */
#include "conn/record.h"

#include <inttypes.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/own.h"
#include "base/text.h"
#include "conn/record_members.h"

/* A line for people. */
static void add_text(struct text *t, const struct record *r)
{
        char client[SOCKADDRESS_TEXT_MAX];
        text_addf(t, "%s: %s -> %s: %s by %s, %" PRIu64 " up, %" PRIu64 " down, %" PRId64 " ms",
                  r->service, sockaddress_text(r->client, client),
                  r->upstream != NULL ? r->upstream : "-", reason_name(r->reason),
                  ended_by_name(r->ended_by), r->bytes_up, r->bytes_down, r->duration_ms);
        if (r->tls != NULL && r->tls->version != NULL)
                text_addf(t, ", %s", r->tls->version);
        if (r->detail != NULL) {
                text_add(t, ": ");
                text_add_printable(t, r->detail, strlen(r->detail));
        }
}

/* Where the line has no other clock: when the connection ended. */
static void add_end(struct text *t, const struct record *r)
{
        char ended[CLOCK_TEXT_MAX];
        text_add(t, clock_wall_text(r->started_wall_us + r->duration_ms * 1000, ended));
        text_add(t, " ");
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

/* What is written as it is wherever there is no journal, or none that takes it. */
static void add_line(struct text *t, const struct record *r, enum record_format format)
{
        if (format == RECORD_JSON) {
                record_add_json(t, r);
                return;
        }
        add_end(t, r);
        add_text(t, r);
}

static void write_fields(const struct record *r, const char *line)
{
        OWN(record_fields_fini) struct record_fields fields;
        OWN(text_fini) struct text message = { 0 };
        record_fields_init(&fields, r);
        add_text(&message, r);
        log_record(level_of(r->reason), line, text_str(&message), fields.items, fields.n);
}

void record_write(const struct record *r, enum record_format format)
{
        OWN(text_fini) struct text line = { 0 };
        if (!record_is_wanted(r->reason, format))
                return;
        add_line(&line, r, format);
        if (line.failed)
                log_error("out of memory: a record is lost");
        else if (log_wants_fields())
                write_fields(r, text_str(&line));
        else
                log_record(level_of(r->reason), text_str(&line), text_str(&line), NULL, 0);
}
