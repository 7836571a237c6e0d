/* SPDX-License-Identifier: ISC */
#include "ctl/top_model.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/own.h"

/* --- lines ------------------------------------------------------------------------------------ */

static const char *string_of(const json_t *line, const char *name)
{
        const char *s = json_string_value(json_object_get(line, name));
        return s != NULL ? s : "-";
}

static int64_t number_of(const json_t *line, const char *name)
{
        return (int64_t)json_integer_value(json_object_get(line, name));
}

static void sessions_fini(struct top_sessions *s)
{
        for (size_t i = 0; i < s->n; i++)
                json_decref(s->items[i].line);
        free(s->items);
        *s = (struct top_sessions){ 0 };
}

static void services_fini(struct top_model *m)
{
        for (size_t i = 0; i < m->n_services; i++)
                json_decref(m->services[i].line);
        free(m->services);
        m->services = NULL;
        m->n_services = 0;
}

void top_model_init(struct top_model *m)
{
        *m = (struct top_model){ .sort = TOP_BY_RATE };
}

void top_model_fini(struct top_model *m)
{
        sessions_fini(&m->now);
        sessions_fini(&m->before);
        services_fini(m);
        free(m->shown);
        top_model_init(m);
}

/* Room for one more in an array that doubles. */
static void *grow(void *items, size_t n, size_t size)
{
        if (n > 0 && (n & (n - 1)) != 0)
                return items;
        return reallocarray(items, n > 0 ? 2 * n : 1, size);
}

void top_model_add_service(struct top_model *m, json_t *line)
{
        if (!json_is_object(line))
                return;
        struct top_service *grown = grow(m->services, m->n_services, sizeof *grown);
        if (grown == NULL) {
                m->failed = true;
                return;
        }
        m->services = grown;
        grown[m->n_services++] = (struct top_service){
                .line = json_incref(line),
                .name = string_of(line, "name"),
                .state = string_of(line, "state"),
                .open = number_of(line, "connections"),
        };
}

static const char *state_of(const json_t *line, bool half_closed)
{
        const char *phase = string_of(line, "phase");
        if (strcmp(phase, "relay") != 0)
                return phase;
        return half_closed ? "half-closed" : "open";
}

void top_model_add_session(struct top_model *m, json_t *line)
{
        if (!json_is_object(line))
                return;
        struct top_session *grown = grow(m->now.items, m->now.n, sizeof *grown);
        if (grown == NULL) {
                m->failed = true;
                return;
        }
        m->now.items = grown;
        bool half_closed = number_of(line, "half_closed_ms") > 0;
        grown[m->now.n++] = (struct top_session){
                .line = json_incref(line),
                .service = string_of(line, "service"),
                .client = string_of(line, "client"),
                .upstream = string_of(line, "upstream"),
                .state = state_of(line, half_closed),
                .id = number_of(line, "id"),
                .age_ms = number_of(line, "duration_ms"),
                .up = number_of(line, "bytes_up"),
                .down = number_of(line, "bytes_down"),
                .half_closed = half_closed,
        };
}

/* --- how fast --------------------------------------------------------------------------------- */

static int compare_ids(const void *a, const void *b)
{
        const struct top_session *x = a, *y = b;
        return (x->id > y->id) - (x->id < y->id);
}

/* Of an interval; what counts backwards is another connection by the same number. */
static int64_t rate(int64_t before, int64_t now, int64_t interval_ms)
{
        return interval_ms > 0 && now > before ? (now - before) * 1000 / interval_ms : 0;
}

/* Who was not there at the last poll began with nothing, unless there was no poll, or it was there
 * and was missed. */
static void find_rates(struct top_model *m)
{
        const struct top_session *old = m->before.items, *end = old + m->before.n;
        for (size_t i = 0; i < m->now.n; i++) {
                struct top_session *s = &m->now.items[i];
                while (old < end && old->id < s->id)
                        old++;
                bool known = old < end && old->id == s->id;
                if (!known && s->age_ms > m->interval_ms)
                        continue;
                s->up_rate = rate(known ? old->up : 0, s->up, m->interval_ms);
                s->down_rate = rate(known ? old->down : 0, s->down, m->interval_ms);
        }
}

static struct top_service *service_of(struct top_model *m, const char *name)
{
        for (size_t i = 0; i < m->n_services; i++)
                if (strcmp(m->services[i].name, name) == 0)
                        return &m->services[i];
        return NULL;
}

static void add_up(struct top_model *m)
{
        struct top_service *service = NULL;
        m->up_rate = m->down_rate = m->half_closed = 0;
        for (size_t i = 0; i < m->now.n; i++) {
                const struct top_session *s = &m->now.items[i];
                m->up_rate += s->up_rate;
                m->down_rate += s->down_rate;
                m->half_closed += s->half_closed;
                if (service == NULL || strcmp(service->name, s->service) != 0)
                        service = service_of(m, s->service);
                if (service == NULL)
                        continue;
                service->up_rate += s->up_rate;
                service->down_rate += s->down_rate;
                service->half_closed += s->half_closed;
        }
}

/* --- which, and in which order ---------------------------------------------------------------- */

static bool fits(const struct top_model *m, const struct top_session *s)
{
        char id[24];
        snprintf(id, sizeof id, "%" PRId64, s->id);
        if (m->half_closed_only && !s->half_closed)
                return false;
        return m->filter[0] == '\0' || strcasestr(s->service, m->filter) != NULL ||
               strcasestr(s->client, m->filter) != NULL ||
               strcasestr(s->upstream, m->filter) != NULL ||
               strcasestr(s->state, m->filter) != NULL || strstr(id, m->filter) != NULL;
}

static int compare_numbers(int64_t a, int64_t b)
{
        return (a > b) - (a < b);
}

/* Largest, or first in the alphabet, first. */
static int compare_by(enum top_sort sort, const struct top_session *a, const struct top_session *b)
{
        switch (sort) {
        case TOP_BY_RATE:
                return compare_numbers(b->up_rate + b->down_rate, a->up_rate + a->down_rate);
        case TOP_BY_UP:
                return compare_numbers(b->up_rate, a->up_rate);
        case TOP_BY_DOWN:
                return compare_numbers(b->down_rate, a->down_rate);
        case TOP_BY_MOVED:
                return compare_numbers(b->up + b->down, a->up + a->down);
        case TOP_BY_AGE:
                return compare_numbers(b->age_ms, a->age_ms);
        case TOP_BY_SERVICE:
                return strcmp(a->service, b->service);
        case TOP_BY_CLIENT:
                return strverscmp(a->client, b->client);
        case TOP_BY_UPSTREAM:
                return strverscmp(a->upstream, b->upstream);
        case TOP_BY_ID:
                break;
        }
        return 0;
}

/* Those that are equal stay where they were: by number. */
static int compare_shown(const void *a, const void *b, void *model)
{
        const struct top_session *x = *(const struct top_session *const *)a;
        const struct top_session *y = *(const struct top_session *const *)b;
        const struct top_model *m = model;
        int order = compare_by(m->sort, x, y);
        if (order == 0)
                order = compare_numbers(x->id, y->id);
        return m->reverse ? -order : order;
}

static void choose(struct top_model *m)
{
        m->n_shown = 0;
        free(TAKE(m->shown));
        m->shown = calloc(m->now.n + 1, sizeof(const struct top_session *));
        if (m->shown == NULL) {
                m->failed = true;
                return;
        }
        for (size_t i = 0; i < m->now.n; i++)
                if (fits(m, &m->now.items[i]))
                        m->shown[m->n_shown++] = &m->now.items[i];
        qsort_r(m->shown, m->n_shown, sizeof *m->shown, compare_shown, m);
}

void top_model_sort(struct top_model *m, enum top_sort sort)
{
        m->reverse = m->sort == sort && !m->reverse;
        m->sort = sort;
        choose(m);
}

void top_model_turn_around(struct top_model *m)
{
        m->reverse = !m->reverse;
        choose(m);
}

void top_model_half_closed_only(struct top_model *m, bool only)
{
        m->half_closed_only = only;
        choose(m);
}

void top_model_filter(struct top_model *m, const char *text)
{
        snprintf(m->filter, sizeof m->filter, "%s", text);
        choose(m);
}

/* --- a poll ----------------------------------------------------------------------------------- */

void top_model_begin(struct top_model *m, int64_t at_ms)
{
        m->failed = false;
        m->interval_ms = m->polled_ms != 0 ? at_ms - m->polled_ms : 0;
        m->polled_ms = at_ms;
        m->n_shown = 0;
        services_fini(m);
        sessions_fini(&m->before);
        m->before = m->now;
        m->now = (struct top_sessions){ 0 };
}

void top_model_end(struct top_model *m)
{
        if (m->now.n > 0)
                qsort(m->now.items, m->now.n, sizeof *m->now.items, compare_ids);
        find_rates(m);
        add_up(m);
        choose(m);
}
