/* SPDX-License-Identifier: ISC */
#include "ctl/show.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/own.h"
#include "base/text.h"

enum { NAME_WIDTH = 24 };

static const char *string_of(const json_t *object, const char *name)
{
        const char *s = json_string_value(json_object_get(object, name));
        return s != NULL ? s : "-";
}

static int64_t number_of(const json_t *object, const char *name)
{
        return (int64_t)json_integer_value(json_object_get(object, name));
}

/* Seconds are enough for what is older. */
static const char *age(int64_t ms, char buf[static TEXT_QUANTITY_MAX])
{
        int64_t s = ms / 1000;
        if (s < 60)
                snprintf(buf, TEXT_QUANTITY_MAX, "%" PRId64 ".%" PRId64 "s", s, ms % 1000 / 100);
        else if (s < 3600)
                snprintf(buf, TEXT_QUANTITY_MAX, "%" PRId64 "m%02" PRId64 "s", s / 60, s % 60);
        else if (s < 86400)
                snprintf(buf, TEXT_QUANTITY_MAX, "%" PRId64 "h%02" PRId64 "m", s / 3600,
                         s / 60 % 60);
        else
                snprintf(buf, TEXT_QUANTITY_MAX, "%" PRId64 "d%02" PRId64 "h", s / 86400,
                         s / 3600 % 24);
        return buf;
}

static const char *octets(int64_t n, char buf[static TEXT_QUANTITY_MAX])
{
        static const char units[] = " kMGTPE";
        size_t unit = 0;
        double value = (double)n;
        for (; value >= 1000 && unit + 2 < sizeof units; unit++)
                value /= 1024;
        if (unit == 0)
                snprintf(buf, TEXT_QUANTITY_MAX, "%" PRId64, n);
        else
                snprintf(buf, TEXT_QUANTITY_MAX, "%.1f%c", value, units[unit]);
        return buf;
}

/* --- tables ----------------------------------------------------------------------------------- */

static void join(struct text *out, const json_t *list)
{
        for (size_t i = 0; i < json_array_size(list); i++)
                text_addf(out, "%s%s", i > 0 ? " " : "",
                          json_string_value(json_array_get(list, i)));
}

static void show_service(const json_t *line, size_t number)
{
        OWN(text_fini) struct text listen = { 0 }, connect = { 0 };
        join(&listen, json_object_get(line, "listen"));
        join(&connect, json_object_get(line, "connect"));
        if (number == 0)
                printf("%-20s %6s  %-8s  %-28s %s\n", "SERVICE", "OPEN", "STATE", "LISTEN",
                       "CONNECT");
        printf("%-20s %6" PRId64 "  %-8s  %-28s %s\n", string_of(line, "name"),
               number_of(line, "connections"), string_of(line, "state"), text_str(&listen),
               text_str(&connect));
}

static const char *state_of(const json_t *line)
{
        if (strcmp(string_of(line, "phase"), "relay") != 0)
                return string_of(line, "phase");
        return number_of(line, "half_closed_ms") > 0 ? "half-closed" : "open";
}

static void show_session(const json_t *line, size_t number)
{
        char since[TEXT_QUANTITY_MAX], up[TEXT_QUANTITY_MAX], down[TEXT_QUANTITY_MAX];
        if (number == 0)
                printf("%8s %-16s %-22s %-22s %8s %8s %8s %s\n", "ID", "SERVICE", "CLIENT",
                       "UPSTREAM", "AGE", "UP", "DOWN", "STATE");
        printf("%8" PRId64 " %-16s %-22s %-22s %8s %8s %8s %s\n", number_of(line, "id"),
               string_of(line, "service"), string_of(line, "client"), string_of(line, "upstream"),
               age(number_of(line, "duration_ms"), since), octets(number_of(line, "bytes_up"), up),
               octets(number_of(line, "bytes_down"), down), state_of(line));
}

static void show_certificate(const json_t *line, size_t number)
{
        OWN(text_fini) struct text names = { 0 }, users = { 0 }, left = { 0 };
        const char *state = string_of(line, "state");
        const json_t *used_by = json_object_get(line, "used_by");
        join(&names, json_object_get(line, "names"));
        for (size_t i = 0; i < json_array_size(used_by); i++) {
                const json_t *user = json_array_get(used_by, i);
                text_addf(&users, "%s%s:%s", i > 0 ? " " : "", string_of(user, "service"),
                          string_of(user, "as"));
        }
        text_addf(&left, "%" PRId64 "d", number_of(line, "days_left"));
        if (strcmp(state, "valid") != 0)
                text_addf(&left, " %s", state);
        if (number == 0)
                printf("%-28s %-10s %-17s %-10s %-24s %s\n", "NAMES", "NOT AFTER", "LEFT", "KEY",
                       "USED BY", "FILE");
        printf("%-28s %-10.10s %-17s %-10s %-24s %s\n",
               names.len > 0 ? text_str(&names) : string_of(line, "subject"),
               string_of(line, "not_after"), text_str(&left), string_of(line, "key"),
               text_str(&users), string_of(line, "file"));
}

/* --- all there is ----------------------------------------------------------------------------- */

static void show_members(const char *prefix, json_t *object);

static void show_value(const char *prefix, const char *name, json_t *value)
{
        if (json_is_object(value)) {
                OWN(text_fini) struct text path = { 0 };
                text_addf(&path, "%s%s.", prefix, name);
                show_members(text_str(&path), value);
                return;
        }
        OWN_FREE char *text = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);
        printf("%s%-*s %s\n", prefix, NAME_WIDTH - (int)strlen(prefix), name,
               json_is_string(value) ? json_string_value(value) : text);
}

/* What does not apply is left out. */
static void show_members(const char *prefix, json_t *object)
{
        void *i = json_object_iter(object);
        for (; i != NULL; i = json_object_iter_next(object, i))
                if (!json_is_null(json_object_iter_value(i)))
                        show_value(prefix, json_object_iter_key(i), json_object_iter_value(i));
}

static void show_reload(const json_t *line)
{
        const char *error = json_string_value(json_object_get(line, "error"));
        const char *warning = json_string_value(json_object_get(line, "warning"));
        const char *said = error != NULL ? error : warning;
        if (said != NULL)
                fprintf(stderr, "%s\n", said);
        else
                printf("%s\n", string_of(line, "change"));
}

void show_line(const char *command, json_t *line, size_t number)
{
        if (strcmp(command, "services") == 0)
                show_service(line, number);
        else if (strcmp(command, "sessions") == 0)
                show_session(line, number);
        else if (strcmp(command, "certificates") == 0)
                show_certificate(line, number);
        else if (strcmp(command, "reload") == 0)
                show_reload(line);
        else
                show_members("", line);
}
