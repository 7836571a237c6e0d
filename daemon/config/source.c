/* SPDX-License-Identifier: ISC */
#include "config/source.h"

#include <errno.h>
#include <glob.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/own.h"
#include "base/text.h"
#include "config/file.h"
#include "config/list.h"

static void read_includes(struct sources *s, size_t index);

/* The directory a file's name is in, "." for a bare name. Owned by the caller. */
static char *dir_name(const char *path)
{
        const char *slash = strrchr(path, '/');
        if (slash == NULL)
                return strdup(".");
        return strndup(path, slash == path ? 1 : (size_t)(slash - path));
}

/* Add an item and remember its name. Returns NULL when memory is short, which is said. */
static struct source *add_source(struct sources *s, const char *name, const char *dir,
                                 const struct origin *from)
{
        OWN_FREE char *absolute = realpath(dir, NULL);
        struct source *items = reallocarray(s->items, s->n + 1, sizeof *items);
        if (items != NULL)
                s->items = items;
        if (absolute == NULL || items == NULL || !string_list_add(s->files, name, from)) {
                diag_error(s->diag, from, "cannot read %s: %s", name, strerror(errno));
                return NULL;
        }
        struct source *new = &s->items[s->n++];
        *new = (struct source){ .file = s->files->items[s->files->n - 1], .dir = TAKE(absolute) };
        return new;
}

/* The same file again, by whatever name: said at both places. */
static bool is_repeated(struct sources *s, const char *path, const struct origin *from,
                        const struct stat *st)
{
        for (size_t i = 0; i < s->n; i++) {
                const struct source *other = &s->items[i];
                if (other->ino != st->st_ino || other->dev != st->st_dev || st->st_ino == 0)
                        continue;
                const struct origin *first = &s->files->at[i];
                const char *what = other->open ? "includes itself this way" : "is included twice";
                if (first->file == NULL)
                        diag_error(s->diag, from, "%s %s: the configuration begins with it", path,
                                   what);
                else
                        diag_error(s->diag, from, "%s %s: it was named at %s:%u already", path,
                                   what, first->file, first->line);
                return true;
        }
        return false;
}

/* from: the place that names the file; NULL: the command line. */
static void read_file(struct sources *s, const char *path, const struct origin *from)
{
        struct stat st = { 0 };
        OWN_FREE char *text = config_file_read(path, from, &st, s->diag);
        OWN_FREE char *dir = dir_name(path);
        static const struct origin nowhere = { 0 };
        if (from != NULL && is_repeated(s, path, from, &st))
                return;
        if (dir == NULL)
                return;
        struct source *new = add_source(s, path, dir, from != NULL ? from : &nowhere);
        if (new == NULL)
                return;
        new->dev = st.st_dev;
        new->ino = st.st_ino;
        if (text == NULL)
                return;
        new->tree = tree_parse(text, new->file, s->diag);
        read_includes(s, s->n - 1);
}

/* The pattern with the directory of the file before it, if it is relative; what glob would take for
 * a pattern in the directory's name is quoted. */
static bool add_pattern(const char *file, const char *pattern, struct text *out)
{
        OWN_FREE char *dir = dir_name(file);
        if (dir == NULL)
                return false;
        if (*pattern != '/' && strchr(file, '/') != NULL) {
                for (const char *p = dir; *p != '\0'; p++) {
                        if (strchr("*?[]\\", *p) != NULL)
                                text_add(out, "\\");
                        text_addn(out, p, 1);
                }
                text_add(out, strcmp(dir, "/") == 0 ? "" : "/");
        }
        text_add(out, pattern);
        return !out->failed;
}

static void include_pattern(struct sources *s, const char *pattern, const struct origin *at)
{
        OWN(text_fini) struct text full = { 0 };
        glob_t found = { 0 };
        if (!add_pattern(at->file, pattern, &full)) {
                diag_error(s->diag, at, "include \"%s\": memory is short", pattern);
                return;
        }
        int error = glob(text_str(&full), 0, NULL, &found);
        if (error == GLOB_NOMATCH)
                diag_error(s->diag, at, "include \"%s\" matches no file (%s)", pattern,
                           text_str(&full));
        else if (error != 0)
                diag_error(s->diag, at, "include \"%s\": %s", pattern, strerror(errno));
        for (size_t i = 0; error == 0 && i < found.gl_pathc; i++)
                read_file(s, found.gl_pathv[i], at);
        globfree(&found);
}

static void include_node(struct sources *s, const char *file, const struct node *n)
{
        struct origin at = { file, node_line(n) };
        if (node_type(n) == NODE_LIST && node_name(n) != NULL && node_count(n) > 0) {
                for (size_t i = 0; i < node_count(n); i++)
                        include_node(s, file, node_at(n, i));
        } else if (node_type(n) != NODE_TEXT || *node_text(n) == '\0') {
                diag_error(s->diag, &at,
                           "include expects the name of a file or a pattern such as "
                           "\"conf.d/*.conf\", or several in [ ]");
        } else {
                include_pattern(s, node_text(n), &at);
        }
}

/* index, for the array moves while files are added. */
static void read_includes(struct sources *s, size_t index)
{
        const struct source *source = &s->items[index];
        if (source->tree == NULL)
                return;
        s->items[index].open = true;
        const char *file = source->file;
        const struct node *root = tree_root(source->tree);
        for (size_t i = 0; i < node_count(root); i++) {
                const struct node *n = node_at(root, i);
                if (strcmp(node_name(n), "include") == 0)
                        include_node(s, file, n);
        }
        s->items[index].open = false;
}

void sources_read_path(struct sources *s, const char *path)
{
        read_file(s, path, NULL);
}

void sources_read_text(struct sources *s, const char *text, const char *name)
{
        static const struct origin nowhere = { 0 };
        OWN(text_fini) struct text line = { 0 };
        text_add(&line, text);
        if (line.len == 0 || line.s[line.len - 1] != '\n')
                text_add(&line, "\n");
        struct source *new = add_source(s, name, ".", &nowhere);
        if (new == NULL || line.failed)
                return;
        new->tree = tree_parse(text_str(&line), new->file, s->diag);
        read_includes(s, s->n - 1);
}

void sources_fini(struct sources *s)
{
        for (size_t i = 0; i < s->n; i++) {
                free(s->items[i].dir);
                tree_free(s->items[i].tree);
        }
        free(s->items);
        s->items = NULL;
        s->n = 0;
}
