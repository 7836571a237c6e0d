/* SPDX-License-Identifier: ISC */
#include "base/mailbox.h"

#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/queue.h>
#include <unistd.h>

#include <event2/event.h>

#include "base/own.h"

struct letter {
        STAILQ_ENTRY(letter) next;
        int what;
        void *data;
};
STAILQ_HEAD(letters, letter);

struct mailbox {
        pthread_mutex_t lock; /* guards posted */
        struct letters posted;
        struct letters taken; /* the loop's alone: what is being handed out */
        int fd;
        struct event *event;
        mailbox_fn *fn;
        void *arg;
};

static void mailbox_deliver(evutil_socket_t fd, short events, void *arg)
{
        struct mailbox *m = arg;
        (void)events;
        /* First the bell, then the letters: one that is posted in between rings again. */
        uint64_t rung;
        if (read(fd, &rung, sizeof rung) < 0 && errno != EAGAIN && errno != EINTR)
                return;
        pthread_mutex_lock(&m->lock);
        STAILQ_CONCAT(&m->taken, &m->posted);
        pthread_mutex_unlock(&m->lock);

        struct letter *l;
        while ((l = STAILQ_FIRST(&m->taken)) != NULL) {
                STAILQ_REMOVE_HEAD(&m->taken, next);
                struct letter read_now = *l;
                free(l);
                m->fn(read_now.what, read_now.data, m->arg);
        }
}

struct mailbox *mailbox_new(struct event_base *base, mailbox_fn *fn, void *arg)
{
        struct mailbox *m = calloc(1, sizeof *m);
        if (m == NULL)
                return NULL;
        *m = (struct mailbox){ .fd = -1, .fn = fn, .arg = arg };
        STAILQ_INIT(&m->posted);
        STAILQ_INIT(&m->taken);
        pthread_mutex_init(&m->lock, NULL); /* a plain mutex on Linux: cannot fail */
        if ((m->fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) < 0) {
                mailbox_free(m);
                return NULL;
        }
        m->event = event_new(base, m->fd, EV_READ | EV_PERSIST, mailbox_deliver, m);
        if (m->event == NULL || event_add(m->event, NULL) < 0) {
                mailbox_free(m);
                errno = ENOMEM;
                return NULL;
        }
        return m;
}

static void drop_letters(struct letters *list)
{
        struct letter *l;
        while ((l = STAILQ_FIRST(list)) != NULL) {
                STAILQ_REMOVE_HEAD(list, next);
                free(l);
        }
}

void mailbox_free(struct mailbox *m)
{
        if (m == NULL)
                return;
        int saved = errno;
        if (m->event != NULL)
                event_free(m->event);
        own_close(&m->fd);
        drop_letters(&m->posted);
        drop_letters(&m->taken);
        pthread_mutex_destroy(&m->lock);
        free(m);
        errno = saved;
}

bool mailbox_post(struct mailbox *m, int what, void *data)
{
        struct letter *l = malloc(sizeof *l);
        if (l == NULL)
                return false;
        *l = (struct letter){ .what = what, .data = data };
        pthread_mutex_lock(&m->lock);
        bool was_empty = STAILQ_EMPTY(&m->posted);
        STAILQ_INSERT_TAIL(&m->posted, l, next);
        /* Letters that are still there have had their ring. Inside the lock, since the letter may
         * be the one on which the other side frees the mailbox. */
        if (was_empty)
                eventfd_write(m->fd, 1);
        pthread_mutex_unlock(&m->lock);
        return true;
}
