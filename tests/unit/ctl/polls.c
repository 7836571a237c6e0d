/* SPDX-License-Identifier: ISC */
#include "polls.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static const char *or_else(const char *s, const char *usual)
{
        return s != NULL ? s : usual;
}

static void add_service(struct top_model *m, const char *name, const char *state, int open)
{
        json_t *line =
                json_pack("{s:s,s:s,s:i}", "name", name, "state", state, "connections", open);
        assert_non_null(line);
        top_model_add_service(m, line);
        json_decref(line);
}

void poll_seen(struct top_model *m, int64_t at_ms, const struct seen *seen, size_t n)
{
        top_model_begin(m, at_ms);
        add_service(m, "web", "open", 2);
        add_service(m, "ssh", "draining", 1);
        add_service(m, "idle", "open", 0);
        for (size_t i = 0; i < n; i++) {
                json_t *line = json_pack(
                        "{s:I,s:s,s:s,s:s,s:I,s:I,s:I,s:i,s:s}", "id", (json_int_t)seen[i].id,
                        "service", or_else(seen[i].service, "web"), "client",
                        or_else(seen[i].client, "127.0.0.1:1"), "upstream",
                        or_else(seen[i].upstream, "10.0.0.1:80"), "duration_ms",
                        (json_int_t)seen[i].age_ms, "bytes_up", (json_int_t)seen[i].up,
                        "bytes_down", (json_int_t)seen[i].down, "half_closed_ms",
                        seen[i].half_closed ? 5 : 0, "phase",
                        seen[i].connecting ? "dial" : "relay");
                assert_non_null(line);
                top_model_add_session(m, line);
                json_decref(line);
        }
        top_model_end(m);
        assert_false(m->failed);
}
