/* SPDX-License-Identifier: ISC */
#include "control/inquiry.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/own.h"
#include "base/text.h"
#include "conn/conn.h"

struct inquiry;

/* One worker's share, which it has to itself while it visits its connections. */
struct share {
        struct worker_visit visit;
        struct inquiry *inquiry;
        struct text lines;
        size_t found;
};

struct inquiry {
        struct inquiry_request request;
        struct reply *reply;
        size_t n_waiting, found;
        bool failed;
        struct share shares[];
};

/* On a worker's thread. */
static void visit(struct conn *c, struct worker_visit *v)
{
        struct share *s = CONTAINER(v, struct share, visit);
        const struct inquiry *q = s->inquiry;
        const struct inquiry_request *r = &q->request;
        bool is_meant =
                r->what == INQUIRY_SESSIONS ? session_filter_fits(&r->filter, c) : c->id == r->id;
        if (!is_meant)
                return;
        s->found++;
        if (r->what == INQUIRY_KILL) {
                conn_end(c, REASON_KILLED);
                return;
        }
        conn_add_json(&s->lines, c, r->what == INQUIRY_SESSION);
        text_add(&s->lines, "\n");
}

static void inquiry_end(struct inquiry *q)
{
        char error[64];
        bool missing = q->request.what != INQUIRY_SESSIONS && q->found == 0;
        snprintf(error, sizeof error, "there is no connection %" PRIu64, q->request.id);
        reply_end(q->reply, q->failed ? "the daemon is short of memory" : missing ? error : NULL);
        session_filter_fini(&q->request.filter);
        free(q);
}

static void answered(struct worker_visit *v)
{
        struct share *s = CONTAINER(v, struct share, visit);
        struct inquiry *q = s->inquiry;
        if (s->lines.len > 0)
                reply_line(q->reply, s->lines.s, s->lines.len - 1);
        q->failed = q->failed || s->lines.failed;
        q->found += s->found;
        text_fini(&s->lines);
        if (--q->n_waiting == 0)
                inquiry_end(q);
}

void inquiry_begin(struct worker *const *workers, size_t n, struct inquiry_request *request,
                   struct reply *reply)
{
        struct inquiry *q = calloc(1, sizeof *q + n * sizeof q->shares[0]);
        if (q == NULL) {
                reply_end(reply, "the daemon is short of memory");
                session_filter_fini(&request->filter);
                return;
        }
        q->request = *request;
        request->filter = (struct session_filter){ 0 };
        q->reply = reply;
        q->n_waiting = n + 1; /* until all have been asked */
        for (size_t i = 0; i < n; i++) {
                struct share *s = &q->shares[i];
                *s = (struct share){ .visit = { .each = visit, .done = answered }, .inquiry = q };
                if (worker_visit(workers[i], &s->visit))
                        continue;
                q->failed = true;
                q->n_waiting--;
        }
        if (--q->n_waiting == 0)
                inquiry_end(q);
}
