/* SPDX-License-Identifier: ISC */
/* Lists of texts and of addresses, each item with the place it was written at. */
#ifndef CONFIG_LIST_H
#define CONFIG_LIST_H

#include <stdbool.h>

#include "config/kinds.h"

/* Each returns false, and changes nothing, when memory is short. add copies s, or moves *a (which
 * is empty afterwards); copy is into an empty list. */
bool string_list_add(struct string_list *l, const char *s, const struct origin *at);
bool string_list_copy(struct string_list *to, const struct string_list *from);
void string_list_fini(struct string_list *l);

bool addr_list_add(struct addr_list *l, struct addr *a, const struct origin *at);
bool addr_list_copy(struct addr_list *to, const struct addr_list *from, enum addr_use use);
void addr_list_fini(struct addr_list *l);

#endif
