/* SPDX-License-Identifier: ISC */
#include "control/reply.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <event2/bufferevent.h>

struct reply {
        struct bufferevent *to; /* NULL: cancelled */
        reply_done_fn *done;
        void *arg;
        bool failed; /* memory was short */
};

struct reply *reply_new(struct bufferevent *to, reply_done_fn *done, void *arg)
{
        struct reply *r = malloc(sizeof *r);
        if (r != NULL)
                *r = (struct reply){ .to = to, .done = done, .arg = arg };
        return r;
}

void reply_cancel(struct reply *r)
{
        r->to = NULL;
}

void reply_line(struct reply *r, const char *json, size_t n)
{
        if (r->to == NULL)
                return;
        if (bufferevent_write(r->to, json, n) < 0 || bufferevent_write(r->to, "\n", 1) < 0)
                r->failed = true;
}

void reply_json(struct reply *r, json_t *value)
{
        char *text = value != NULL ? json_dumps(value, JSON_COMPACT) : NULL;
        json_decref(value);
        if (text == NULL)
                r->failed = true;
        else
                reply_line(r, text, strlen(text));
        free(text);
}

void reply_end(struct reply *r, const char *error)
{
        static const char no_memory[] =
                "{\"ok\":false,\"error\":\"the daemon is short of memory\"}";
        if (error == NULL && r->failed)
                reply_line(r, no_memory, sizeof no_memory - 1);
        else if (error == NULL)
                reply_json(r, json_pack("{s:b}", "ok", 1));
        else
                reply_json(r, json_pack("{s:b,s:s}", "ok", 0, "error", error));
        if (r->to != NULL)
                r->done(r->arg);
        free(r);
}
