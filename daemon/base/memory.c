/* SPDX-License-Identifier: ISC */
#include "base/memory.h"

#include <malloc.h>
#include <stdbool.h>
#include <stdlib.h>

#include <event2/event.h>

#include "base/clock.h"
#include "base/log.h"

enum {
        KB = 1024,
        MB = 1024 * KB,
        /* A buffer of 64 KB or 256 KB that comes and goes is not to be a mapping each time, nor to
         * grow and cut the heap each time. */
        MAP_FROM = 4 * MB,
        KEEP_AT_TOP = 16 * MB,
        GROW_BY = 256 * KB,

        LOOK_EVERY_MS = 1000,
        WORTH_IT = 4 * MB, /* freed since memory was last given back */
        WORTH_TRIMMING = 16 * MB,
        FEW = 16, /* as a divisor */
};

void memory_init(void)
{
        mallopt(M_MMAP_THRESHOLD, MAP_FROM);
        mallopt(M_TRIM_THRESHOLD, KEEP_AT_TOP);
        mallopt(M_TOP_PAD, GROW_BY);
}

struct memory_tide {
        struct event *look;
        void (*also)(void);
        size_t held;
        size_t freed;  /* since memory was last given back */
        size_t before; /* … when it was last looked at */
        size_t left;   /* freed after a long time, since the heap was last trimmed */
        bool looking;
};

static void look_again(struct memory_tide *t)
{
        struct timeval in = clock_timeval(LOOK_EVERY_MS);
        t->looking = evtimer_add(t->look, &in) == 0;
        t->before = t->freed;
}

static void give_back(struct memory_tide *t)
{
        int64_t began = clock_us();
        if (t->also != NULL)
                t->also();
        /* What is free lies in as many pieces as there are who stay, and each costs a call: a
         * multitude that stays is not to wait for that. */
        if (t->left >= WORTH_TRIMMING && t->held <= t->left / FEW) {
                malloc_trim(0);
                t->left = 0;
        }
        log_debug("memory was given back in %lld us", (long long)(clock_us() - began));
        t->freed = 0;
        t->looking = false;
}

static void on_look(evutil_socket_t fd, short what, void *arg)
{
        (void)fd;
        (void)what;
        struct memory_tide *t = arg;
        if (t->freed - t->before > t->freed / FEW)
                look_again(t);
        else
                give_back(t);
}

struct memory_tide *memory_tide_new(struct event_base *base, void (*also)(void))
{
        struct memory_tide *t = calloc(1, sizeof *t);
        if (t == NULL)
                return NULL;
        t->also = also;
        t->look = evtimer_new(base, on_look, t);
        if (t->look == NULL) {
                memory_tide_free(t);
                return NULL;
        }
        return t;
}

void memory_tide_free(struct memory_tide *t)
{
        if (t == NULL)
                return;
        if (t->look != NULL)
                event_free(t->look);
        free(t);
}

void memory_took(struct memory_tide *t, size_t octets)
{
        if (t != NULL)
                t->held += octets;
}

void memory_passed(struct memory_tide *t, size_t octets)
{
        if (t == NULL)
                return;
        t->freed += octets;
        if (!t->looking && t->freed >= WORTH_IT)
                look_again(t);
}

void memory_freed(struct memory_tide *t, size_t octets)
{
        if (t == NULL)
                return;
        t->held -= octets < t->held ? octets : t->held;
        t->left += octets;
        memory_passed(t, octets);
}
