/* SPDX-License-Identifier: ISC */
#include "conn/recent.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/own.h"
#include "base/text.h"
#include "conn/stage.h"

struct recent *recent_new(void)
{
        return calloc(1, sizeof(struct recent));
}

static void keep(char *to, size_t size, const char *s)
{
        size_t n = s != NULL ? strnlen(s, size - 1) : 0;
        if (n > 0)
                memcpy(to, s, n);
        to[n] = '\0';
}

void recent_add(struct recent *r, const struct conn *c, enum reason why,
                const struct relay_stats *moved)
{
        struct recent_end *e = &r->ends[r->n++ % RECENT_ENDS];
        struct sockaddress client;
        int64_t us = clock_us() - c->started_us;
        e->id = c->id;
        e->duration_ms = us / 1000;
        e->ended_wall_us = c->started_wall_us + us;
        e->bytes_up = moved->bytes_up;
        e->bytes_down = moved->bytes_down;
        e->reason = why;
        e->by = reason_by(why) == BY_SIDE ? c->ended_by : reason_by(why);
        sockaddress_unpack(c->client_address, &client);
        memcpy(e->client, c->client_address, sockaddress_packed_size(&client));
        keep(e->service, sizeof e->service, c->service->conf->name);
        keep(e->upstream, sizeof e->upstream, c->reached ? c->target->text : NULL);
        keep(e->detail, sizeof e->detail, c->detail);
}

size_t recent_copy(const struct recent *r, struct recent_end *to)
{
        size_t n = r->n < RECENT_ENDS ? r->n : RECENT_ENDS;
        for (size_t i = 0; i < n; i++)
                to[i] = r->ends[(r->n - 1 - i) % RECENT_ENDS];
        return n;
}

/* What a peer wrote may be any octets. */
static json_t *string(const char *s)
{
        OWN(text_fini) struct text clean = { 0 };
        if (*s == '\0')
                return json_null();
        text_add_printable(&clean, s, strlen(s));
        return json_stringn(text_str(&clean), clean.len);
}

json_t *recent_json(const struct recent_end *e)
{
        struct sockaddress client;
        char text[SOCKADDRESS_TEXT_MAX], ended[CLOCK_TEXT_MAX];
        sockaddress_unpack(e->client, &client);
        return json_pack("{s:I,s:s,s:I,s:I,s:I,s:s,s:s,s:o,s:o,s:o,s:o}", "id", (json_int_t)e->id,
                         "ended", clock_wall_text(e->ended_wall_us, ended), "duration_ms",
                         (json_int_t)e->duration_ms, "bytes_up", (json_int_t)e->bytes_up,
                         "bytes_down", (json_int_t)e->bytes_down, "reason", reason_name(e->reason),
                         "ended_by", ended_by_name(e->by), "service", string(e->service), "client",
                         string(sockaddress_text(&client, text)), "upstream", string(e->upstream),
                         "detail", string(e->detail));
}
