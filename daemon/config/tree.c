/* SPDX-License-Identifier: ISC */
#include "config/tree.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include <libconfig.h>

#include "base/own.h"
#include "config/scan.h"

/* Every node is a libconfig setting; nobody else needs to know. */
struct tree {
        config_t parsed;
};

static const struct node *as_node(const config_setting_t *s)
{
        return (const struct node *)(const void *)s;
}

static const config_setting_t *as_setting(const struct node *n)
{
        return (const config_setting_t *)(const void *)n;
}

static bool is_scalar(const config_setting_t *s)
{
        return config_setting_is_scalar(s);
}

static size_t count_scalars(const config_setting_t *s)
{
        if (is_scalar(s))
                return 1;
        size_t n = 0;
        for (int i = 0; i < config_setting_length(s); i++)
                n += count_scalars(config_setting_get_elem(s, (unsigned)i));
        return n;
}

/* Values inside lists get the line where they begin; a named one has the line of its name. */
static void correct_lines(config_setting_t *s, const unsigned **line)
{
        if (is_scalar(s)) {
                if (config_setting_name(s) == NULL)
                        s->line = **line;
                ++*line;
                return;
        }
        for (int i = 0; i < config_setting_length(s); i++)
                correct_lines(config_setting_get_elem(s, (unsigned)i), line);
}

/* The text of a line without the blanks around it. */
static const char *line_text(const char *text, unsigned line, int *len)
{
        for (; line > 1 && strchr(text, '\n') != NULL; line--)
                text = strchr(text, '\n') + 1;
        text += strspn(text, " \t");
        size_t n = strcspn(text, "\n");
        while (n > 0 && isspace((unsigned char)text[n - 1]))
                n--;
        *len = n > 60 ? 60 : (int)n;
        return text;
}

static void say_error(const config_t *c, const char *text, const char *file, struct diag *diag)
{
        struct origin at = { file, (unsigned)config_error_line(c) };
        int len;
        const char *line = line_text(text, at.line, &len);
        const char *error = config_error_text(c);
        if (len > 0)
                diag_error(diag, &at, "%s: %.*s", error != NULL ? error : "syntax error", len,
                           line);
        else
                diag_error(diag, &at, "%s at the end of the file",
                           error != NULL ? error : "syntax error");
}

struct tree *tree_parse(const char *text, const char *file, struct diag *diag)
{
        OWN(scan_lines_fini) struct scan_lines lines = { 0 };
        if (!scan_text(text, file, diag, &lines))
                return NULL;
        struct tree *t = calloc(1, sizeof *t);
        if (t == NULL) {
                diag_error(diag, NULL, "memory is short");
                return NULL;
        }
        config_init(&t->parsed);
        if (!config_read_string(&t->parsed, text)) {
                say_error(&t->parsed, text, file, diag);
                tree_free(t);
                return NULL;
        }
        config_setting_t *root = config_root_setting(&t->parsed);
        const unsigned *line = lines.items;
        if (count_scalars(root) == lines.n)
                correct_lines(root, &line);
        return t;
}

void tree_free(struct tree *t)
{
        if (t == NULL)
                return;
        config_destroy(&t->parsed);
        free(t);
}

const struct node *tree_root(const struct tree *t)
{
        return as_node(config_root_setting(&t->parsed));
}

enum node_type node_type(const struct node *n)
{
        switch (config_setting_type(as_setting(n))) {
        case CONFIG_TYPE_GROUP:
                return NODE_GROUP;
        case CONFIG_TYPE_STRING:
                return NODE_TEXT;
        case CONFIG_TYPE_INT:
        case CONFIG_TYPE_INT64:
                return NODE_NUMBER;
        case CONFIG_TYPE_FLOAT:
                return NODE_FRACTION;
        case CONFIG_TYPE_BOOL:
                return NODE_TRUTH;
        default:
                return NODE_LIST;
        }
}

const char *node_name(const struct node *n)
{
        return config_setting_name(as_setting(n));
}

unsigned node_line(const struct node *n)
{
        return config_setting_source_line(as_setting(n));
}

size_t node_count(const struct node *n)
{
        const config_setting_t *s = as_setting(n);
        return is_scalar(s) ? 0 : (size_t)config_setting_length(s);
}

const struct node *node_at(const struct node *n, size_t i)
{
        return as_node(config_setting_get_elem(as_setting(n), (unsigned)i));
}

const char *node_text(const struct node *n)
{
        return config_setting_get_string(as_setting(n));
}

int64_t node_number(const struct node *n)
{
        return config_setting_get_int64(as_setting(n));
}

bool node_truth(const struct node *n)
{
        return config_setting_get_bool(as_setting(n));
}
