/* SPDX-License-Identifier: ISC */
#include "worker/crew.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "base/mailbox.h"
#include "net/stream.h"

STAILQ_HEAD(handed_list, handed);

/* One worker. Each has its own cache lines: all read the counts for every connection they get. */
struct member {
        _Alignas(64) atomic_int living;
        atomic_bool present; /* changed under lock */
        pthread_mutex_t lock;
        struct handed_list handed; /* under lock, as is all that follows */
        struct mailbox *mailbox;
        int what;
};

struct crew {
        size_t n;
        struct member *members;
};

void handed_free(struct handed *h)
{
        if (h == NULL)
                return;
        stream_close_fd(&h->fd, STREAM_CLOSE_RESET);
        snapshot_unref(h->snapshot);
        free(h);
}

static void member_init(struct member *m)
{
        atomic_init(&m->living, 0);
        atomic_init(&m->present, false);
        pthread_mutex_init(&m->lock, NULL); /* a plain mutex on Linux: cannot fail */
        STAILQ_INIT(&m->handed);
}

struct crew *crew_new(size_t n)
{
        struct crew *crew = calloc(1, sizeof *crew);
        if (crew == NULL)
                return NULL;
        crew->members = aligned_alloc(_Alignof(struct member), n * sizeof *crew->members);
        if (crew->members == NULL) {
                crew_free(crew);
                return NULL;
        }
        for (; crew->n < n; crew->n++)
                member_init(&crew->members[crew->n]);
        return crew;
}

void crew_free(struct crew *crew)
{
        if (crew == NULL)
                return;
        for (size_t i = 0; i < crew->n; i++) {
                struct handed *h;
                while ((h = crew_take(crew, i)) != NULL)
                        handed_free(h);
                pthread_mutex_destroy(&crew->members[i].lock);
        }
        free(crew->members);
        free(crew);
}

void crew_join(struct crew *crew, size_t number, struct mailbox *mailbox, int what)
{
        struct member *m = &crew->members[number];
        pthread_mutex_lock(&m->lock);
        m->mailbox = mailbox;
        m->what = what;
        atomic_store_explicit(&m->present, true, memory_order_relaxed);
        pthread_mutex_unlock(&m->lock);
}

void crew_leave(struct crew *crew, size_t number)
{
        struct member *m = &crew->members[number];
        pthread_mutex_lock(&m->lock);
        atomic_store_explicit(&m->present, false, memory_order_relaxed);
        pthread_mutex_unlock(&m->lock);
}

void crew_count(struct crew *crew, size_t number, int change)
{
        atomic_fetch_add_explicit(&crew->members[number].living, change, memory_order_relaxed);
}

static int living(const struct crew *crew, size_t number)
{
        return atomic_load_explicit(&crew->members[number].living, memory_order_relaxed);
}

/* Handing over costs about as much as accepting. Among few connections each one matters; among many
 * only a difference that is felt does. */
static bool is_worth_it(int mine, int least)
{
        return mine + 1 >= least + 2 + least / 4;
}

size_t crew_choose(const struct crew *crew, size_t number)
{
        int mine = living(crew, number), least = mine;
        size_t chosen = number;
        for (size_t i = 0; i < crew->n && least > 0; i++) {
                const struct member *m = &crew->members[i];
                if (living(crew, i) >= least ||
                    !atomic_load_explicit(&m->present, memory_order_relaxed))
                        continue;
                least = living(crew, i);
                chosen = i;
        }
        return is_worth_it(mine, least) ? chosen : number;
}

/* Under lock. The first one rings. */
static bool push(struct member *m, struct handed *h)
{
        if (STAILQ_EMPTY(&m->handed) && !mailbox_post(m->mailbox, m->what, NULL))
                return false;
        STAILQ_INSERT_TAIL(&m->handed, h, next);
        return true;
}

bool crew_hand(struct crew *crew, size_t to, struct handed *h)
{
        struct member *m = &crew->members[to];
        pthread_mutex_lock(&m->lock);
        bool taken = atomic_load_explicit(&m->present, memory_order_relaxed) && push(m, h);
        if (taken)
                crew_count(crew, to, 1);
        pthread_mutex_unlock(&m->lock);
        return taken;
}

struct handed *crew_take(struct crew *crew, size_t number)
{
        struct member *m = &crew->members[number];
        pthread_mutex_lock(&m->lock);
        struct handed *h = STAILQ_FIRST(&m->handed);
        if (h != NULL)
                STAILQ_REMOVE_HEAD(&m->handed, next);
        pthread_mutex_unlock(&m->lock);
        return h;
}
