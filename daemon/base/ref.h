/* SPDX-License-Identifier: ISC */
/* A reference count for what is shared between threads and never changes while it is. */
#ifndef BASE_REF_H
#define BASE_REF_H

#include <assert.h>
#include <stdatomic.h>
#include <stdbool.h>

struct ref {
        atomic_uint count;
};

static inline void ref_init(struct ref *r)
{
        atomic_init(&r->count, 1);
}

static inline void ref_get(struct ref *r)
{
        unsigned before = atomic_fetch_add_explicit(&r->count, 1, memory_order_relaxed);
        assert(before > 0);
        (void)before;
}

/* Returns true when that was the last reference: the caller frees. */
static inline bool ref_put(struct ref *r)
{
        unsigned before = atomic_fetch_sub_explicit(&r->count, 1, memory_order_acq_rel);
        assert(before > 0);
        return before == 1;
}

#endif
