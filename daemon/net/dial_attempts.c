/* SPDX-License-Identifier: ISC */
#include "net/dial_attempts.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

void dial_attempts_free(struct dial_attempt *first)
{
        while (first != NULL) {
                struct dial_attempt *next = first->next;
                free(first);
                first = next;
        }
}

void dial_attempts_add(struct dial_attempts *a, const char *target,
                       const struct sockaddress *address, int error, const char *text,
                       int64_t took_us)
{
        static const struct sockaddress none;
        const struct sockaddress *where = address != NULL ? address : &none;
        const char *why = text != NULL ? text : "";
        size_t n = sockaddress_packed_size(where), len = strlen(why) + 1;
        struct dial_attempt *one = malloc(sizeof *one + n + len);
        if (one == NULL)
                return;
        *one = (struct dial_attempt){
                .target = target,
                .ms = clock_brief_ms(took_us),
                .error = error,
        };
        sockaddress_pack(where, one->octets);
        memcpy(one->octets + n, why, len);
        if (a->last != NULL)
                a->last->next = one;
        else
                a->first = one;
        a->last = one;
}

void dial_attempt_address(const struct dial_attempt *a, struct sockaddress *out)
{
        sockaddress_unpack(a->octets, out);
}

const char *dial_attempt_text(const struct dial_attempt *a)
{
        struct sockaddress ignored;
        const char *text = (const char *)sockaddress_unpack(a->octets, &ignored);
        return *text != '\0' ? text : NULL;
}
