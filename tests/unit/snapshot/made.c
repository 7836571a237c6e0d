/* SPDX-License-Identifier: ISC */
#include "made.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/text.h"

static char *messages(const struct diag *diag)
{
        char *said = NULL;
        size_t n;
        FILE *to = open_memstream(&said, &n);
        assert_non_null(to);
        diag_print(diag, to);
        fclose(to);
        return said;
}

static struct made make_in_place_of(const struct snapshot *running, enum snapshot_scope scope,
                                    const char *text)
{
        struct made m = { 0 };
        struct diag *diag = diag_new();
        struct config *conf = config_read_text(text, "t", diag);
        if (conf == NULL)
                fail_msg("%s\nis no configuration:\n%s", text, messages(diag));
        m.snapshot = snapshot_new(&conf, scope, running, diag);
        assert_null(conf);
        m.errors = diag_errors(diag);
        m.said = messages(diag);
        assert_int_equal(m.snapshot == NULL, m.errors > 0);
        diag_free(diag);
        return m;
}

struct made make(enum snapshot_scope scope, const char *text)
{
        return make_in_place_of(NULL, scope, text);
}

struct made make_after(const struct snapshot *running, const char *text)
{
        return make_in_place_of(running, SNAPSHOT_ALL, text);
}

void made_fini(struct made *m)
{
        snapshot_unref(m->snapshot);
        free(m->said);
        *m = (struct made){ 0 };
}

struct snapshot *must_make(const char *format, ...)
{
        struct text text = { 0 };
        va_list args;
        va_start(args, format);
        text_addv(&text, format, args);
        va_end(args);
        struct made m = make(SNAPSHOT_ALL, text_str(&text));
        if (m.said[0] != '\0')
                fail_msg("%s\nsays:\n%s", text_str(&text), m.said);
        text_fini(&text);
        free(m.said);
        return m.snapshot;
}

size_t open_descriptors(void)
{
        size_t n = 0;
        DIR *dir = opendir("/proc/self/fd");
        assert_non_null(dir);
        while (readdir(dir) != NULL)
                n++;
        closedir(dir);
        return n - 3; /* itself, "." and ".." */
}
