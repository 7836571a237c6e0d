/* SPDX-License-Identifier: ISC */
#include "attempt.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct attempt finish(struct config *c, struct diag *diag)
{
        struct attempt a = { .config = c, .errors = diag_errors(diag) };
        size_t n;
        FILE *to = open_memstream(&a.messages, &n);
        assert_non_null(to);
        diag_print(diag, to);
        fclose(to);
        diag_free(diag);
        if ((a.config == NULL) != (a.errors > 0))
                fail_msg("%zu errors, but %s:\n%s", a.errors,
                         a.config == NULL ? "refused" : "taken", a.messages);
        return a;
}

struct attempt attempt_text(const char *text)
{
        struct diag *diag = diag_new();
        assert_non_null(diag);
        struct config *c = config_read_text(text, "t", diag);
        return finish(c, diag);
}

struct attempt attempt_path(const char *path)
{
        struct diag *diag = diag_new();
        assert_non_null(diag);
        struct config *c = config_read_path(path, diag);
        return finish(c, diag);
}

void attempt_end(struct attempt *a)
{
        config_free(a->config);
        free(a->messages);
        *a = (struct attempt){ 0 };
}

void assert_refused(const char *text, const char *messages)
{
        struct attempt a = attempt_text(text);
        if (a.config != NULL || strcmp(a.messages, messages) != 0)
                fail_msg("%s\nsays:\n%snot:\n%s", text, a.messages, messages);
        attempt_end(&a);
}

void assert_refused_with(const char *text, const char *part)
{
        struct attempt a = attempt_text(text);
        if (a.config != NULL || strstr(a.messages, part) == NULL)
                fail_msg("%s\nsays:\n%snot: %s", text, a.messages, part);
        attempt_end(&a);
}

struct config *must_read(const char *text)
{
        struct attempt a = attempt_text(text);
        if (a.config == NULL)
                fail_msg("%s\nis refused:\n%s", text, a.messages);
        free(a.messages);
        return a.config;
}

char *dump_of(const struct config *c)
{
        char *s = NULL;
        size_t n;
        FILE *to = open_memstream(&s, &n);
        assert_non_null(to);
        config_dump(c, to);
        fclose(to);
        return s;
}

/* The last " # " of each line begins its comment. */
char *strip_comments(char *dump)
{
        char *out = dump;
        for (char *line = dump, *next; *line != '\0'; line = next) {
                size_t n = strcspn(line, "\n"), keep = n;
                next = line + n + (line[n] == '\n');
                for (size_t i = 0; i + 3 <= n; i++) {
                        if (memcmp(line + i, " # ", 3) == 0)
                                keep = i;
                }
                while (keep > 0 && line[keep - 1] == ' ')
                        keep--;
                memmove(out, line, keep);
                out += keep;
                *out++ = '\n';
        }
        *out = '\0';
        return dump;
}

static bool is(const struct table *t, const char *name)
{
        return strcmp(t->name, name) == 0;
}

/* What has to stand beside a directive in its block. */
static const char *company(const struct table *t, const char *member)
{
        if (is(t, "listen-tls") && strcmp(member, "certificate") != 0)
                return "certificate = \"/c\"; ";
        if (is(t, "connect-tls") && strcmp(member, "key") == 0)
                return "certificate = \"/c\"; ";
        return "";
}

char *wrap(const struct table *t, const struct row *row, const char *setting)
{
        struct text s = { 0 };
        const char *member = row != NULL ? row->member : "";
        bool service = t == &config_service_table;
        bool block = !service && t != &config_global_table && !is(t, "log");
        if (t == &config_global_table)
                text_addf(&s, "%s\n", setting);
        if (is(t, "log"))
                text_addf(&s, "log: { %s }\n", setting);
        text_add(&s, "services: { a: {\n");
        if (!service || strcmp(member, "listen") != 0)
                text_add(&s, "listen = \"unix:/l\"; ");
        if (!service || strcmp(member, "connect") != 0)
                text_add(&s, "connect = \"10.0.0.1:1\"; ");
        if (service)
                text_add(&s, setting);
        if (block)
                text_addf(&s, "%s: { %s%s }", t->name, company(t, member), setting);
        text_add(&s, "\n} }\n");
        return text_take(&s);
}

void *wrapped(const struct config *c, const struct table *t)
{
        if (t == &config_global_table)
                return (void *)(uintptr_t)c;
        if (is(t, "log"))
                return (void *)(uintptr_t)&c->log;
        struct config_service *s = c->services[0];
        for (size_t i = 0; i < config_service_table.n_blocks; i++) {
                if (config_service_table.blocks[i].table == t)
                        return block_object(&config_service_table.blocks[i], s);
        }
        assert_ptr_equal(t, &config_service_table);
        return s;
}

const char *wrapped_place(const struct table *t)
{
        static char place[100];
        if (t == &config_global_table)
                return "";
        if (is(t, "log"))
                return " in log";
        if (t == &config_service_table)
                return " in service \"a\"";
        snprintf(place, sizeof place, " in %s of service \"a\"", t->name);
        return place;
}

char *slurp(const char *path)
{
        struct text s = { 0 };
        char buf[4096];
        size_t n;
        FILE *from = fopen(path, "r");
        if (from == NULL)
                fail_msg("cannot open %s", path);
        while ((n = fread(buf, 1, sizeof buf, from)) > 0)
                text_addn(&s, buf, n);
        fclose(from);
        return text_take(&s);
}

char *whole_sample(void)
{
        char *text = slurp(SAMPLE("spliced.conf"));
        struct text s = { 0 };
        for (const char *line = text; *line != '\0'; line += strcspn(line, "\n") + 1) {
                size_t blanks = strspn(line, " ");
                const char *p = line + blanks;
                bool shown = p[0] == '#' && p[1] != ' ' && p[1] != '\n';
                if (shown && strncmp(p, "#include", 8) == 0)
                        continue;
                text_addn(&s, p + shown, strcspn(p, "\n") + 1 - shown);
        }
        free(text);
        return text_take(&s);
}
