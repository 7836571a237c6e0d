/* SPDX-License-Identifier: ISC */
#include "control/admin.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <event2/event.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/own.h"
#include "base/text.h"
#include "control/admin_internal.h"

enum { PATIENCE_US = 10 * 1000 * 1000 }; /* a loop that is later than that is stuck */

static void say(struct admin_exchange *x, int status, const char *line)
{
        admin_answer(x, status, "text/plain", line, strlen(line));
}

static void give_text(struct admin_exchange *x, const char *type, const struct text *t)
{
        if (t->failed)
                say(x, 503, "the daemon is short of memory\n");
        else
                admin_answer(x, 200, type, text_str(t), t->len);
}

/* --- health ----------------------------------------------------------------------------------- */

/* That it answers says that the main loop turns. */
static void page_healthz(struct admin *a, struct admin_exchange *x)
{
        char line[64];
        for (size_t i = 0; i < a->env.n_workers; i++) {
                if (loop_stats_turns(worker_stats(a->env.workers[i]), PATIENCE_US))
                        continue;
                snprintf(line, sizeof line, "worker %zu is stuck\n", i);
                say(x, 503, line);
                return;
        }
        say(x, 200, "ok\n");
}

static void page_readyz(struct admin *a, struct admin_exchange *x)
{
        if (a->draining)
                say(x, 503, "draining\n");
        else
                say(x, 200, "ready\n");
}

/* --- metrics ---------------------------------------------------------------------------------- */

static void page_metrics(struct admin *a, struct admin_exchange *x)
{
        OWN(text_fini) struct text t = { 0 };
        admin_add_metrics(&t, a);
        give_text(x, "text/plain; version=0.0.4", &t);
}

static void page_status(struct admin *a, struct admin_exchange *x)
{
        admin_status_give(a->status, x);
}

/* --- files ------------------------------------------------------------------------------------ */

#include "control/admin_files.inc"

static void page_index(struct admin *a, struct admin_exchange *x)
{
        (void)a;
        admin_answer(x, 200, "text/html", index_html, sizeof index_html - 1);
}

static void page_style(struct admin *a, struct admin_exchange *x)
{
        (void)a;
        admin_answer(x, 200, "text/css", style_css, sizeof style_css - 1);
}

static void page_script(struct admin *a, struct admin_exchange *x)
{
        (void)a;
        admin_answer(x, 200, "text/javascript", script_js, sizeof script_js - 1);
}

/* --- which ------------------------------------------------------------------------------------ */

static const struct page {
        const char *path;
        void (*give)(struct admin *a, struct admin_exchange *x);
} pages[] = {
        { "/", page_index },           { "/style.css", page_style },
        { "/script.js", page_script }, { "/status.json", page_status },
        { "/metrics", page_metrics },  { "/healthz", page_healthz },
        { "/readyz", page_readyz },
};

static bool is_address(const char *host)
{
        struct in_addr v4;
        return *host == '[' || inet_pton(AF_INET, host, &v4) == 1;
}

/* A page from elsewhere can make a browser ask a name of its own that leads here, and read the
 * answer. So on loopback only names are answered that can lead nowhere else. */
static bool is_for_us(const struct admin_request *r, bool local)
{
        return !local || r->host[0] == '\0' || strcasecmp(r->host, "localhost") == 0 ||
               is_address(r->host);
}

static void on_request(struct admin_exchange *x, const struct admin_request *r, bool local,
                       void *arg)
{
        if (!is_for_us(r, local)) {
                say(x, 421, "ask for localhost, or for the address\n");
                return;
        }
        for (size_t i = 0; i < COUNTOF(pages); i++)
                if (strcmp(pages[i].path, r->path) == 0) {
                        pages[i].give(arg, x);
                        return;
                }
        say(x, 404, "there are /, /status.json, /metrics, /healthz and /readyz\n");
}

/* --- its life --------------------------------------------------------------------------------- */

struct admin *admin_new(struct event_base *base, const struct admin_env *env)
{
        struct admin *a = calloc(1, sizeof *a);
        if (a == NULL)
                return NULL;
        a->env = *env;
        a->base = base;
        a->reloads = (struct admin_reloads){ .last_fine = true, .wall_us = clock_wall_us() };
        admin_process_init(&a->process);
        a->http = admin_http_new(base, on_request, a);
        a->beat = loop_stats_start(&a->loop, base);
        a->status = admin_status_new(a);
        if (a->http == NULL || a->beat == NULL || a->status == NULL) {
                admin_free(a);
                return NULL;
        }
        return a;
}

void admin_free(struct admin *a)
{
        if (a == NULL)
                return;
        admin_http_free(a->http);
        admin_status_free(a->status);
        if (a->beat != NULL)
                event_free(a->beat);
        admin_process_fini(&a->process);
        free(a);
}

void admin_listen(struct admin *a, const struct snapshot *snapshot)
{
        admin_http_listen(a->http, snapshot);
}

void admin_reloaded(struct admin *a, bool changed)
{
        a->reloads.last_fine = changed;
        if (changed) {
                a->reloads.fine++;
                a->reloads.wall_us = clock_wall_us();
        } else {
                a->reloads.failed++;
        }
}

void admin_leave(struct admin *a)
{
        admin_http_leave(a->http);
}

void admin_draining(struct admin *a)
{
        a->draining = true;
}
