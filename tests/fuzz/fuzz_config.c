/* SPDX-License-Identifier: ISC */
/* Any text is a configuration or is refused with messages; the effective configuration of the
 * former is one again, and the same. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/own.h"
#include "config/config.h"

/* The scan before libconfig says more than "syntax error": libconfig is never to find one. */
static void look_at(enum diag_severity severity, const char *line, void *arg)
{
        (void)severity;
        const char *said = line + strspn(line, "t:0123456789");
        if (strncmp(said, " syntax error", 13) == 0)
                abort();
        *(size_t *)arg += strlen(line);
}

static struct config *read_text(const char *text, struct diag **diag)
{
        size_t octets = 0;
        *diag = diag_new();
        if (*diag == NULL)
                abort();
        struct config *c = config_read_text(text, "t", *diag);
        diag_each(*diag, look_at, &octets);
        if ((c == NULL) != (diag_errors(*diag) > 0) || (c == NULL && octets == 0))
                abort();
        return c;
}

static char *dump(const struct config *c)
{
        char *s = NULL;
        size_t n;
        FILE *to = open_memstream(&s, &n);
        if (to == NULL)
                abort();
        config_dump(c, to);
        fclose(to);
        return s;
}

/* From one line of a dump to the next, where the values (before the last " # ") are the same. */
static const char *next_line(const char *line, size_t *value)
{
        size_t n = strcspn(line, "\n");
        *value = n;
        for (size_t i = 0; i + 3 <= n; i++) {
                if (memcmp(line + i, " # ", 3) == 0)
                        *value = i;
        }
        while (*value > 0 && line[*value - 1] == ' ')
                --*value;
        return line[n] == '\n' ? line + n + 1 : line + n;
}

static void must_be_the_same(const char *a, const char *b)
{
        while (*a != '\0' && *b != '\0') {
                size_t in_a, in_b;
                const char *next_a = next_line(a, &in_a), *next_b = next_line(b, &in_b);
                if (in_a != in_b || memcmp(a, b, in_a) != 0)
                        abort();
                a = next_a;
                b = next_b;
        }
        if (*a != *b)
                abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        struct diag *diag, *again;
        OWN_FREE char *text = strndup((const char *)data, size);
        if (text == NULL || strstr(text, "include") != NULL) /* no files from here */
                return 0;
        struct config *c = read_text(text, &diag);
        if (c != NULL) {
                OWN_FREE char *once = dump(c);
                struct config *same = read_text(once, &again);
                if (same == NULL)
                        abort();
                OWN_FREE char *twice = dump(same);
                must_be_the_same(once, twice);
                config_free(same);
                diag_free(again);
        }
        config_free(c);
        diag_free(diag);
        return 0;
}
