/* SPDX-License-Identifier: ISC */
#include "ctl/top_page.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/own.h"
#include "ctl/format.h"

enum {
        USUAL_COLUMNS = 80, /* what the narrowest widths are for */
        ID_WIDTH = 7,
        NUMBER_WIDTH = 6,
};

struct pen {
        struct top_page *page;
        size_t row;
};

/* --- cells ------------------------------------------------------------------------------------ */

/* The next line, or NULL when the page is full. */
static struct text *line(struct pen *pen, enum top_look look)
{
        if (pen->row >= pen->page->n)
                return NULL;
        struct top_line *l = &pen->page->lines[pen->row++];
        l->look = look;
        return &l->text;
}

static void add_ascii(struct text *t, const char *s, size_t n)
{
        for (size_t i = 0; i < n; i++)
                text_addn(t, s[i] >= ' ' && s[i] <= '~' ? &s[i] : "?", 1);
}

static void add_spaces(struct text *t, size_t n)
{
        while (n-- > 0)
                text_add(t, " ");
}

/* What does not fit is cut off at its end, or at its beginning: of addresses the end matters. */
static void cell(struct text *t, const char *s, size_t width, bool keep_end)
{
        size_t n = strlen(s);
        if (n <= width) {
                add_ascii(t, s, n);
                add_spaces(t, width - n);
        } else if (keep_end) {
                text_add(t, "<");
                add_ascii(t, s + n - (width - 1), width - 1);
        } else {
                add_ascii(t, s, width - 1);
                text_add(t, ">");
        }
        text_add(t, " ");
}

static void right(struct text *t, const char *s, size_t width)
{
        size_t n = strlen(s);
        add_spaces(t, n < width ? width - n : 0);
        add_ascii(t, s, n < width ? n : width);
        text_add(t, " ");
}

static void right_octets(struct text *t, int64_t octets, size_t width)
{
        char text[TEXT_QUANTITY_MAX];
        right(t, format_octets(octets, text), width);
}

/* --- the columns ------------------------------------------------------------------------------ */

struct widths {
        size_t service, client, upstream;
};

/* Three columns of text share what the numbers leave, and the space of a wider screen. */
static struct widths widths_for(size_t columns)
{
        size_t extra = columns > USUAL_COLUMNS ? columns - USUAL_COLUMNS : 0;
        struct widths w = { .service = 9 + extra / 4, .client = 19, .upstream = 19 };
        if (w.service > 24)
                w.service = 24;
        extra -= w.service - 9;
        w.client += extra / 2;
        w.upstream += extra - extra / 2;
        return w;
}

/* --- the parts -------------------------------------------------------------------------------- */

static const char *sort_name(const struct top_model *m)
{
        static const char *const names[] = {
                [TOP_BY_RATE] = "rate",     [TOP_BY_UP] = "up",
                [TOP_BY_DOWN] = "down",     [TOP_BY_MOVED] = "moved",
                [TOP_BY_AGE] = "age",       [TOP_BY_SERVICE] = "service",
                [TOP_BY_CLIENT] = "client", [TOP_BY_UPSTREAM] = "upstream",
                [TOP_BY_ID] = "id",
        };
        return names[m->sort];
}

static void draw_daemon(struct pen *pen, const struct top_view *v)
{
        char up[TEXT_QUANTITY_MAX];
        struct text *t = line(pen, v->problem != NULL ? TOP_ALARM : TOP_PLAIN);
        if (t == NULL)
                return;
        if (v->problem != NULL)
                text_addf(t, "no answer: %s", v->problem);
        else
                text_addf(t, "spliced %.20s  pid %" PRId64 "  up %s", v->version, v->pid,
                          format_age(v->uptime_ms, up));
        if (v->paused)
                text_add(t, "  PAUSED");
}

static void draw_sums(struct pen *pen, const struct top_model *m)
{
        char up[TEXT_QUANTITY_MAX], down[TEXT_QUANTITY_MAX];
        struct text *t = line(pen, TOP_PLAIN);
        if (t != NULL)
                text_addf(t, "%zu connections, %" PRId64 " half-closed  up %s/s  down %s/s",
                          m->now.n, m->half_closed, format_octets(m->up_rate, up),
                          format_octets(m->down_rate, down));
}

static void draw_service(struct pen *pen, const struct top_service *s, const struct widths *w)
{
        bool is_open = strcmp(s->state, "open") == 0;
        struct text *t = line(pen, is_open ? TOP_PLAIN : TOP_MARKED);
        char number[24];
        if (t == NULL)
                return;
        cell(t, s->name, ID_WIDTH + 1 + w->service, false);
        snprintf(number, sizeof number, "%" PRId64, s->open);
        right(t, number, NUMBER_WIDTH);
        snprintf(number, sizeof number, "%" PRId64, s->half_closed);
        right(t, number, NUMBER_WIDTH);
        right_octets(t, s->up_rate, NUMBER_WIDTH);
        right_octets(t, s->down_rate, NUMBER_WIDTH);
        text_addf(t, " %s", s->state);
}

/* A third of the screen at most; those with connections first would jump about, so the first. */
static void draw_services(struct pen *pen, const struct top_model *m, const struct widths *w)
{
        size_t most = pen->page->n / 3, n = m->n_services < most ? m->n_services : most;
        struct text *t = line(pen, TOP_TITLE);
        if (t == NULL)
                return;
        cell(t, "SERVICE", ID_WIDTH + 1 + w->service, false);
        text_add(t, "  OPEN   HALF   UP/s DOWN/s  STATE");
        for (size_t i = 0; i < n; i++)
                draw_service(pen, &m->services[i], w);
        if (n == m->n_services || (t = line(pen, TOP_PLAIN)) == NULL)
                return;
        text_addf(t, "... and %zu more services", m->n_services - n);
}

static void draw_session(struct pen *pen, const struct top_session *s, const struct widths *w)
{
        char id[24], age[TEXT_QUANTITY_MAX];
        struct text *t = line(pen, s->half_closed ? TOP_MARKED : TOP_PLAIN);
        if (t == NULL)
                return;
        snprintf(id, sizeof id, "%" PRId64, s->id);
        right(t, id, ID_WIDTH);
        cell(t, s->service, w->service, false);
        cell(t, s->client, w->client, true);
        cell(t, s->upstream, w->upstream, true);
        right(t, format_age(s->age_ms, age), NUMBER_WIDTH);
        right_octets(t, s->up_rate, NUMBER_WIDTH);
        right_octets(t, s->down_rate, NUMBER_WIDTH);
        text_add(t, s->half_closed ? "H" : strcmp(s->state, "open") == 0 ? " " : "*");
}

static void draw_sessions(struct pen *pen, const struct top_model *m, const struct top_view *v,
                          const struct widths *w)
{
        struct text *t = line(pen, TOP_TITLE);
        if (t == NULL)
                return;
        right(t, "ID", ID_WIDTH);
        cell(t, "SERVICE", w->service, false);
        cell(t, "CLIENT", w->client, false);
        cell(t, "UPSTREAM", w->upstream, false);
        text_add(t, "   AGE   UP/s DOWN/s ");
        pen->page->room = pen->page->n > pen->row + 1 ? pen->page->n - pen->row - 1 : 0;
        for (size_t i = 0; i < pen->page->room && v->first + i < m->n_shown; i++)
                draw_session(pen, m->shown[v->first + i], w);
}

static void draw_foot(struct pen *pen, const struct top_model *m, const struct top_view *v)
{
        if (pen->page->n == 0)
                return;
        pen->row = pen->page->n - 1;
        struct text *t = line(pen, TOP_TITLE);
        if (v->typing) {
                text_addf(t, "filter: %s_", m->filter);
                return;
        }
        text_addf(t, "%zu of %zu by %s%s", m->n_shown, m->now.n, sort_name(m),
                  m->reverse ? ", turned around" : "");
        if (m->half_closed_only)
                text_add(t, ", half-closed only");
        if (m->filter[0] != '\0') {
                text_add(t, ", filter: ");
                add_ascii(t, m->filter, strlen(m->filter));
        }
        text_add(t, "   q quit  ? keys");
}

static void draw_help(struct pen *pen)
{
        static const char *const help[] = {
                "Keys",
                "",
                "  b t d m      by both rates together, to the upstream (up), down, octets moved",
                "  a s c u i    by age, service, client, upstream, number",
                "  r            turn the order around",
                "  /            type a filter: service, address, state or number; Enter, Esc ends",
                "  h            half-closed connections only; they are marked H, those that are",
                "               still beginning *",
                "  space        pause, and go on",
                "  Up Down PgUp PgDn Home End    scroll",
                "  q            quit",
                "",
                "Any key goes back.",
        };
        for (size_t i = 0; i < COUNTOF(help); i++) {
                struct text *t = line(pen, i == 0 ? TOP_TITLE : TOP_PLAIN);
                if (t != NULL)
                        text_add(t, help[i]);
        }
}

/* --- all of it -------------------------------------------------------------------------------- */

static bool cut_to_width(struct top_page *p, size_t columns)
{
        bool ok = true;
        for (size_t i = 0; i < p->n; i++) {
                struct text *t = &p->lines[i].text;
                if (t->len > columns) {
                        t->len = columns;
                        t->s[columns] = '\0';
                }
                ok = ok && !t->failed;
        }
        return ok;
}

bool top_page_draw(struct top_page *p, const struct top_model *m, const struct top_view *v,
                   size_t rows, size_t columns)
{
        const struct widths widths = widths_for(columns);
        *p = (struct top_page){ .lines = calloc(rows + 1, sizeof *p->lines) };
        if (p->lines == NULL)
                return false;
        p->n = rows;
        struct pen pen = { .page = p };
        if (v->help) {
                draw_help(&pen);
                return cut_to_width(p, columns);
        }
        draw_daemon(&pen, v);
        draw_sums(&pen, m);
        line(&pen, TOP_PLAIN);
        draw_services(&pen, m, &widths);
        line(&pen, TOP_PLAIN);
        draw_sessions(&pen, m, v, &widths);
        draw_foot(&pen, m, v);
        return cut_to_width(p, columns);
}

void top_page_fini(struct top_page *p)
{
        for (size_t i = 0; i < p->n; i++)
                text_fini(&p->lines[i].text);
        free(p->lines);
        *p = (struct top_page){ 0 };
}
