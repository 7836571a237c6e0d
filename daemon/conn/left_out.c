/* SPDX-License-Identifier: ISC */
#include "conn/left_out.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"

enum { KINDS = 64 };

struct kind {
        char *service; /* owned */
        enum reason why;
        unsigned long n;
};

/* The log's, as the log is the process's. Few services are flooded at a time: what finds no place
 * is counted together. */
struct left_out {
        size_t n_kinds;
        struct kind kinds[KINDS];
        unsigned long others;
};
static struct left_out the_left_out;
static pthread_mutex_t the_lock = PTHREAD_MUTEX_INITIALIZER;

static struct kind *find(struct left_out *l, const char *service, enum reason why)
{
        for (size_t i = 0; i < l->n_kinds; i++)
                if (l->kinds[i].why == why && strcmp(l->kinds[i].service, service) == 0)
                        return &l->kinds[i];
        return NULL;
}

static struct kind *add_kind(struct left_out *l, const char *service, enum reason why)
{
        char *copy = l->n_kinds < KINDS ? strdup(service) : NULL;
        if (copy == NULL)
                return NULL;
        struct kind *kind = &l->kinds[l->n_kinds++];
        *kind = (struct kind){ .service = copy, .why = why };
        return kind;
}

void left_out_add(const char *service, enum reason why)
{
        pthread_mutex_lock(&the_lock);
        struct kind *kind = find(&the_left_out, service, why);
        if (kind == NULL)
                kind = add_kind(&the_left_out, service, why);
        if (kind != NULL)
                kind->n++;
        else
                the_left_out.others++;
        pthread_mutex_unlock(&the_lock);
}

/* Nobody waits for the log while it is written. */
static struct left_out take_all(void)
{
        pthread_mutex_lock(&the_lock);
        struct left_out all = the_left_out;
        the_left_out.n_kinds = 0;
        the_left_out.others = 0;
        pthread_mutex_unlock(&the_lock);
        return all;
}

static const char *plural(unsigned long n)
{
        return n == 1 ? "" : "s";
}

void left_out_tell(void)
{
        struct left_out all = take_all();
        for (size_t i = 0; i < all.n_kinds; i++) {
                const struct kind *kind = &all.kinds[i];
                log_notice("service %s: %lu more connection%s ended by %s, without a record "
                           "(log: errors-per-second)",
                           kind->service, kind->n, plural(kind->n), reason_name(kind->why));
                free(kind->service);
        }
        if (all.others > 0)
                log_notice("other services: %lu more connection%s ended without a record (log: "
                           "errors-per-second)",
                           all.others, plural(all.others));
}
