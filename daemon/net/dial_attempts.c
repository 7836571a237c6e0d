/* SPDX-License-Identifier: ISC */
#include "net/dial_attempts.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static void attempt_fini(struct dial_attempt *a)
{
        free(a->target);
        free(a->text);
}

void dial_attempts_free(struct dial_attempt *attempts, size_t n)
{
        for (size_t i = 0; i < n; i++)
                attempt_fini(&attempts[i]);
        free(attempts);
}

static bool make_room(struct dial_attempts *a)
{
        if (a->n < a->cap)
                return true;
        size_t cap = a->cap == 0 ? 2 : 2 * a->cap;
        struct dial_attempt *list = reallocarray(a->list, cap, sizeof *list);
        if (list == NULL)
                return false;
        a->list = list;
        a->cap = cap;
        return true;
}

void dial_attempts_add(struct dial_attempts *a, const char *target,
                       const struct sockaddress *address, int error, const char *text,
                       int64_t took_us)
{
        if (!make_room(a))
                return;
        struct dial_attempt one = { .target = strdup(target),
                                    .text = text != NULL ? strdup(text) : NULL,
                                    .error = error,
                                    .took_us = took_us };
        if (one.target == NULL || (text != NULL && one.text == NULL)) {
                attempt_fini(&one);
                return;
        }
        if (address != NULL)
                one.address = *address;
        a->list[a->n++] = one;
}
