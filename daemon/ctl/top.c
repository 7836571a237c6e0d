/* SPDX-License-Identifier: ISC */
#include "ctl/top.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/own.h"
#include "ctl/client.h"
#include "ctl/top_screen.h"

enum { PATIENCE_S = 5 };

void top_init(struct top *t, const char *path)
{
        *t = (struct top){ .path = path };
        top_model_init(&t->model);
        t->view.version = "";
}

void top_fini(struct top *t)
{
        top_model_fini(&t->model);
        text_fini(&t->version);
        text_fini(&t->problem);
}

/* --- asking ----------------------------------------------------------------------------------- */

static void keep_line(const char *text, json_t *line, void *arg)
{
        (void)text;
        json_array_append(arg, line);
}

/* NULL: why not is in t->problem. */
static json_t *ask(struct top *t, const char *word)
{
        const char *const words[] = { word };
        const struct client_request r = { t->path, words, COUNTOF(words), PATIENCE_S };
        json_t *lines = json_array();
        if (client_try(&r, keep_line, lines, &t->problem))
                return lines;
        json_decref(lines);
        return NULL;
}

static void take_status(struct top *t, const json_t *lines)
{
        const json_t *status = json_array_get(lines, 0);
        const char *version = json_string_value(json_object_get(status, "version"));
        text_fini(&t->version);
        text_add(&t->version, version != NULL ? version : "");
        t->view.version = text_str(&t->version);
        t->view.pid = (int64_t)json_integer_value(json_object_get(status, "pid"));
        t->view.uptime_ms = (int64_t)json_integer_value(json_object_get(status, "uptime_ms"));
}

static void take_lines(struct top *t, const json_t *services, const json_t *sessions)
{
        top_model_begin(&t->model, clock_ms());
        for (size_t i = 0; i < json_array_size(services); i++)
                top_model_add_service(&t->model, json_array_get(services, i));
        for (size_t i = 0; i < json_array_size(sessions); i++)
                top_model_add_session(&t->model, json_array_get(sessions, i));
        top_model_end(&t->model);
}

void top_poll(struct top *t)
{
        text_fini(&t->problem);
        json_t *status = ask(t, "status");
        json_t *services = status != NULL ? ask(t, "services") : NULL;
        json_t *sessions = services != NULL ? ask(t, "sessions") : NULL;
        if (sessions != NULL) {
                take_status(t, status);
                take_lines(t, services, sessions);
        }
        t->view.problem = sessions == NULL ? text_str(&t->problem) : NULL;
        json_decref(status);
        json_decref(services);
        json_decref(sessions);
}

/* --- keys ------------------------------------------------------------------------------------- */

static void type(struct top *t, int key)
{
        char filter[TOP_FILTER_MAX];
        size_t n = strlen(t->model.filter);
        memcpy(filter, t->model.filter, n + 1);
        if (key == TOP_KEY_ENTER || key == TOP_KEY_ESCAPE)
                t->view.typing = false;
        if (key == TOP_KEY_ESCAPE)
                filter[0] = '\0';
        else if (key == TOP_KEY_BACKSPACE && n > 0)
                filter[n - 1] = '\0';
        else if (key >= ' ' && key <= '~' && n + 1 < sizeof filter) {
                filter[n] = (char)key;
                filter[n + 1] = '\0';
        }
        t->view.first = 0;
        top_model_filter(&t->model, filter);
}

static void scroll_to(struct top *t, size_t first, size_t room)
{
        size_t last = t->model.n_shown > room ? t->model.n_shown - room : 0;
        t->view.first = first < last ? first : last;
}

static size_t less(size_t a, size_t b)
{
        return a > b ? a - b : 0;
}

static void scroll_by_key(struct top *t, int key, size_t room)
{
        size_t first = t->view.first;
        if (key == TOP_KEY_UP)
                first = less(first, 1);
        else if (key == TOP_KEY_DOWN)
                first++;
        else if (key == TOP_KEY_PAGE_UP)
                first = less(first, room);
        else if (key == TOP_KEY_PAGE_DOWN)
                first += room;
        else if (key == TOP_KEY_HOME)
                first = 0;
        else if (key == TOP_KEY_END)
                first = t->model.n_shown;
        scroll_to(t, first, room);
}

static bool sort_by_key(struct top *t, int key)
{
        static const struct {
                int key;
                enum top_sort sort;
        } keys[] = {
                { 'b', TOP_BY_RATE },   { 't', TOP_BY_UP },       { 'd', TOP_BY_DOWN },
                { 'm', TOP_BY_MOVED },  { 'a', TOP_BY_AGE },      { 's', TOP_BY_SERVICE },
                { 'c', TOP_BY_CLIENT }, { 'u', TOP_BY_UPSTREAM }, { 'i', TOP_BY_ID },
        };
        for (size_t i = 0; i < COUNTOF(keys); i++) {
                if (keys[i].key != key)
                        continue;
                t->view.first = 0;
                top_model_sort(&t->model, keys[i].sort);
                return true;
        }
        return false;
}

static void command(struct top *t, int key)
{
        switch (key) {
        case 'q':
                t->over = true;
                break;
        case 'r':
                top_model_turn_around(&t->model);
                break;
        case 'h':
                t->view.first = 0;
                top_model_half_closed_only(&t->model, !t->model.half_closed_only);
                break;
        case ' ':
                t->view.paused = !t->view.paused;
                break;
        case '/':
                t->view.typing = true;
                break;
        case '?':
                t->view.help = true;
                break;
        default:
                break;
        }
}

void top_key(struct top *t, int key, size_t room)
{
        if (key == TOP_KEY_NONE)
                return;
        if (t->view.help)
                t->view.help = false;
        else if (t->view.typing)
                type(t, key);
        else if (!sort_by_key(t, key))
                command(t, key);
        scroll_by_key(t, key, room);
}

int top_run(const char *path)
{
        OWN(top_fini) struct top t;
        top_init(&t, path);
        return top_screen_run(&t);
}
