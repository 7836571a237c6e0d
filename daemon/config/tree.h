/* SPDX-License-Identifier: ISC */
/* One file's text as a tree of settings, in libconfig's syntax.
 *
 * The only place that knows libconfig, whose names would otherwise be mistaken for ours. */
#ifndef CONFIG_TREE_H
#define CONFIG_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/diag.h"

/* Bits, so that a kind of value can say which it takes. */
enum node_type {
        NODE_GROUP = 1,     /* { name = value … } */
        NODE_LIST = 2,      /* [ … ] or ( … ) */
        NODE_TEXT = 4,      /* "…" */
        NODE_NUMBER = 8,    /* 10, 10L, 0x1F */
        NODE_FRACTION = 16, /* 1.5 */
        NODE_TRUTH = 32,    /* true, false */
};

struct tree;
struct node;

/* Returns NULL after saying why at file:line. text ends with a line end and holds no NUL; file is
 * named in messages. Owned by the caller. */
struct tree *tree_parse(const char *text, const char *file, struct diag *diag);
void tree_free(struct tree *t); /* NULL is fine */

/* Nodes belong to their tree. */
const struct node *tree_root(const struct tree *t); /* a group */
enum node_type node_type(const struct node *n);
const char *node_name(const struct node *n); /* NULL: an element of a list, or the root */
unsigned node_line(const struct node *n);    /* where it begins, counted from 1 */
size_t node_count(const struct node *n);     /* what is in a group or list; 0 for the others */
const struct node *node_at(const struct node *n, size_t i);
const char *node_text(const struct node *n);
int64_t node_number(const struct node *n);
bool node_truth(const struct node *n);

#endif
