/* SPDX-License-Identifier: ISC */
/* Values from what is written. */
#include "config/kind.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/own.h"
#include "config/kinds.h"
#include "config/list.h"

/* One value on its way: where it is written and what tells of its mistakes. */
struct reading {
        const struct kind *kind;
        const struct value_reader *r;
        const struct node *node;
        const char *lo, *hi;
};

static bool wrong(const struct reading *w, const struct text *what)
{
        w->r->wrong(w->node, what->failed ? "is wrong (memory is short)" : text_str(what),
                    w->r->arg);
        return false;
}

/* "VALUE" is not …: what the parsers of notations say comes after the value. */
static bool wrong_value(const struct reading *w, const char *complaint)
{
        OWN(text_fini) struct text t = { 0 };
        text_add(&t, ": ");
        if (node_type(w->node) == NODE_NUMBER)
                text_addf(&t, "%lld", (long long)node_number(w->node));
        else
                value_quote(node_text(w->node), &t);
        text_addf(&t, " %s", complaint);
        return wrong(w, &t);
}

static void add_found(const struct node *n, struct text *out)
{
        switch (node_type(n)) {
        case NODE_GROUP:
                text_add(out, "a group");
                break;
        case NODE_LIST:
                text_add(out, "a list");
                break;
        case NODE_TEXT:
                text_add(out, "the text ");
                value_quote(node_text(n), out);
                break;
        case NODE_NUMBER:
                text_addf(out, "the number %lld", (long long)node_number(n));
                break;
        case NODE_FRACTION:
                text_add(out, "a number with a fraction");
                break;
        case NODE_TRUTH:
                text_add(out, node_truth(n) ? "true" : "false");
                break;
        }
}

static bool wrong_type(const struct reading *w)
{
        OWN(text_fini) struct text t = { 0 };
        text_add(&t, " expects ");
        kind_expects(w->kind, &t);
        text_add(&t, ", not ");
        add_found(w->node, &t);
        return wrong(w, &t);
}

static bool in_range(const struct reading *w, int64_t value)
{
        int64_t lo, hi;
        if (w->lo == NULL)
                return true;
        if (value == 0 && w->kind->zero != NULL && node_type(w->node) == NODE_TEXT)
                return true;
        const char *bad_lo = w->kind->from_text(w->lo, &lo);
        const char *bad_hi = w->kind->from_text(w->hi, &hi);
        assert(bad_lo == NULL && bad_hi == NULL);
        (void)bad_lo;
        (void)bad_hi;
        return value >= lo && value <= hi;
}

static bool read_number(const struct reading *w, int64_t *out)
{
        int64_t value;
        const char *complaint = NULL;
        if (node_type(w->node) == NODE_NUMBER)
                value = node_number(w->node);
        else
                complaint = w->kind->from_text(node_text(w->node), &value);
        if (complaint != NULL)
                return wrong_value(w, complaint);
        if (!in_range(w, value)) {
                char range[160];
                snprintf(range, sizeof range, "is out of range: %s to %s%s%s", w->lo, w->hi,
                         w->kind->zero != NULL ? ", or " : "",
                         w->kind->zero != NULL ? w->kind->zero : "");
                return wrong_value(w, range);
        }
        *out = value;
        return true;
}

static const struct word *find_word(const struct kind *k, const char *s)
{
        for (const struct word *w = k->words; w->word != NULL; w++) {
                if (strcmp(w->word, s) == 0)
                        return w;
        }
        return NULL;
}

static const char *nth_word(size_t i, void *arg)
{
        const struct word *words = arg;
        return words[i].word;
}

static bool read_word(const struct reading *w, int *out)
{
        const char *s = node_text(w->node);
        const struct word *found = find_word(w->kind, s);
        if (found != NULL) {
                *out = found->value;
                return true;
        }
        OWN(text_fini) struct text t = { 0 };
        text_add(&t, "is not ");
        kind_expects(w->kind, &t);
        const char *near = text_nearest(s, nth_word, (void *)(uintptr_t)w->kind->words);
        if (near != NULL)
                text_addf(&t, ": did you mean \"%s\"?", near);
        return wrong_value(w, text_str(&t));
}

/* The text itself or, for a path, made absolute. NULL when memory is short. Owned by the caller. */
static char *make_text(const struct reading *w, const char *s)
{
        struct text t = { 0 };
        if (w->kind->path && *s != '/')
                text_addf(&t, "%s/", strcmp(w->r->dir, "/") == 0 ? "" : w->r->dir);
        text_add(&t, s);
        return text_take(&t);
}

static bool read_text(const struct reading *w, char **out)
{
        const char *s = node_text(w->node);
        if (*s == '\0')
                return wrong_value(w, "is empty: leave the directive out to set nothing");
        *out = make_text(w, s);
        return *out != NULL || wrong_value(w, "cannot be kept: memory is short");
}

static bool read_text_item(const struct reading *w, struct string_list *list)
{
        OWN_FREE char *s = NULL;
        struct origin at = { w->r->file, node_line(w->node) };
        if (!read_text(w, &s))
                return false;
        return string_list_add(list, s, &at) || wrong_value(w, "cannot be kept: memory is short");
}

static bool read_addr_item(const struct reading *w, struct addr_list *list)
{
        OWN(addr_fini) struct addr a = { 0 };
        struct origin at = { w->r->file, node_line(w->node) };
        const char *complaint = addr_parse(node_text(w->node), w->kind->use, &a);
        if (complaint != NULL)
                return wrong_value(w, complaint);
        return addr_list_add(list, &a, &at) || wrong_value(w, "cannot be kept: memory is short");
}

static bool read_one(const struct reading *w, void *value)
{
        if (!(node_type(w->node) & w->kind->takes))
                return wrong_type(w);
        switch (w->kind->storage) {
        case STORE_NUMBER:
                return read_number(w, value);
        case STORE_WORD:
                return read_word(w, value);
        case STORE_TRUTH:
                *(bool *)value = node_truth(w->node);
                return true;
        case STORE_TEXT:
                return read_text(w, value);
        case STORE_TEXTS:
                return read_text_item(w, value);
        case STORE_ADDRS:
                return read_addr_item(w, value);
        }
        return false;
}

bool value_read(const struct kind *k, const struct value_reader *r, const struct node *n,
                const char *lo, const char *hi, void *value)
{
        struct reading w = { .kind = k, .r = r, .node = n, .lo = lo, .hi = hi };
        if (node_type(n) != NODE_LIST || !kind_is_list(k))
                return read_one(&w, value);
        bool good = true;
        for (size_t i = 0; i < node_count(n); i++) {
                w.node = node_at(n, i);
                good = read_one(&w, value) && good;
        }
        return good;
}

bool value_preset(const struct kind *k, const char *preset, void *value)
{
        const struct word *word;
        const char *complaint = NULL;
        switch (k->storage) {
        case STORE_NUMBER:
                complaint = k->from_text(preset, value);
                break;
        case STORE_WORD:
                word = find_word(k, preset);
                assert(word != NULL);
                *(int *)value = word->value;
                break;
        case STORE_TRUTH:
                *(bool *)value = strcmp(preset, "true") == 0;
                break;
        case STORE_TEXT:
                *(char **)value = strdup(preset);
                return *(char **)value != NULL;
        case STORE_TEXTS:
        case STORE_ADDRS:
                assert(!"a list has no default");
        }
        assert(complaint == NULL);
        (void)complaint;
        return true;
}
