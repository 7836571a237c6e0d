/* SPDX-License-Identifier: ISC */
#include "records.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/log.h"
#include "base/own.h"
#include "base/text.h"

static char path[64];
static int reader = -1;

static void remove_file(void)
{
        if (path[0] != '\0')
                unlink(path);
        path[0] = '\0';
}

void records_open(void)
{
        static bool registered;
        if (!registered)
                atexit(remove_file); /* after a test that failed */
        registered = true;
        strcpy(path, "/tmp/spliced-records-XXXXXX");
        reader = mkstemp(path);
        assert_true(reader >= 0);
        assert_null(log_open(path, LOG_LEVEL_DEBUG));
}

void records_close(void)
{
        log_close();
        log_set_level(LOG_LEVEL_INFO);
        own_close(&reader);
        remove_file();
}

int records_set_up(void **state)
{
        (void)state;
        records_open();
        return 0;
}

int records_tear_down(void **state)
{
        (void)state;
        records_close();
        return 0;
}

char *records_raw(void)
{
        struct text t = { 0 };
        char buf[4096];
        ssize_t n;
        while ((n = read(reader, buf, sizeof buf)) > 0)
                text_addn(&t, buf, (size_t)n);
        return text_take(&t);
}

json_t *records_one(void)
{
        json_error_t error;
        OWN_FREE char *raw = records_raw();
        const char *end = strchr(raw, '\n');
        if (end == NULL || end[1] != '\0')
                fail_msg("not one line: \"%s\"", raw);
        json_t *record = json_loads(raw, JSON_REJECT_DUPLICATES, &error);
        if (!json_is_object(record))
                fail_msg("not one object: %s: %s", error.text, raw);
        return record;
}

json_t *member(json_t *object, const char *name)
{
        json_t *at = object;
        OWN_FREE char *copy = strdup(name);
        char *rest = copy, *part;
        while ((part = strsep(&rest, ".")) != NULL)
                at = json_object_get(at, part);
        if (at == NULL)
                fail_msg("the record has no %s", name);
        return at;
}

const char *string_member(json_t *object, const char *name)
{
        json_t *value = member(object, name);
        if (!json_is_string(value))
                fail_msg("%s is no string", name);
        return json_string_value(value);
}

json_int_t integer_member(json_t *object, const char *name)
{
        json_t *value = member(object, name);
        if (!json_is_integer(value))
                fail_msg("%s is no integer", name);
        return json_integer_value(value);
}

bool is_null(json_t *object, const char *name)
{
        return json_is_null(member(object, name));
}
