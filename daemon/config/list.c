/* SPDX-License-Identifier: ISC */
#include "config/list.h"

#include <stdlib.h>
#include <string.h>

#include "base/own.h"

static bool at_reserve(struct origin **at, size_t n)
{
        struct origin *grown = reallocarray(*at, n, sizeof *grown);
        if (grown != NULL)
                *at = grown;
        return grown != NULL;
}

bool string_list_add(struct string_list *l, const char *s, const struct origin *at)
{
        OWN_FREE char *copy = strdup(s);
        char **items = reallocarray(l->items, l->n + 1, sizeof *items);
        if (items != NULL)
                l->items = items;
        if (copy == NULL || items == NULL || !at_reserve(&l->at, l->n + 1))
                return false;
        l->at[l->n] = *at;
        l->items[l->n++] = TAKE(copy);
        return true;
}

bool string_list_copy(struct string_list *to, const struct string_list *from)
{
        for (size_t i = 0; i < from->n; i++) {
                if (!string_list_add(to, from->items[i], &from->at[i])) {
                        string_list_fini(to);
                        return false;
                }
        }
        return true;
}

void string_list_fini(struct string_list *l)
{
        for (size_t i = 0; i < l->n; i++)
                free(l->items[i]);
        free(l->items);
        free(l->at);
        *l = (struct string_list){ 0 };
}

bool addr_list_add(struct addr_list *l, struct addr *a, const struct origin *at)
{
        struct addr *items = reallocarray(l->items, l->n + 1, sizeof *items);
        if (items != NULL)
                l->items = items;
        if (items == NULL || !at_reserve(&l->at, l->n + 1))
                return false;
        l->at[l->n] = *at;
        l->items[l->n++] = *a;
        *a = (struct addr){ 0 };
        return true;
}

bool addr_list_copy(struct addr_list *to, const struct addr_list *from, enum addr_use use)
{
        for (size_t i = 0; i < from->n; i++) {
                OWN(addr_fini) struct addr a = { 0 };
                if (addr_parse(from->items[i].text, use, &a) != NULL ||
                    !addr_list_add(to, &a, &from->at[i])) {
                        addr_list_fini(to);
                        return false;
                }
        }
        return true;
}

void addr_list_fini(struct addr_list *l)
{
        for (size_t i = 0; i < l->n; i++)
                addr_fini(&l->items[i]);
        free(l->items);
        free(l->at);
        *l = (struct addr_list){ 0 };
}
