/* SPDX-License-Identifier: ISC */
/* The main thread's state, shared by the files that are its life: daemon.c from start to end,
 * succession.c what has to do with other processes in its place. */
#ifndef CONTROL_DAEMON_INTERNAL_H
#define CONTROL_DAEMON_INTERNAL_H

#include <event2/event.h>

#include "control/daemon.h"
#include "control/inquiry.h"
#include "control/reload.h"
#include "worker/budget.h"
#include "worker/worker.h"

struct admin;
struct control;
struct crew;
struct gates;
struct mailbox;
struct seccomp_watch;
struct upgrade;
struct watchdog;

enum phase {
        RUNNING,
        DELAYED,  /* as before, but says that it is not ready: for drain-delay */
        LEAVING,  /* a successor accepts, or will; connections that cannot go there may finish */
        DRAINING, /* accepts no more; connections may finish */
        CUT,      /* every connection was ended */
};

struct daemon {
        struct event_base *base;
        struct mailbox *mailbox;
        struct daemon_start how;
        struct snapshot *first; /* held, until reload has it */
        struct reload *reload;
        struct gates *gates;
        struct inquiries inquiries;
        struct control *control; /* NULL: nobody asks */
        struct upgrade *upgrade;
        bool collecting;     /* connections for a successor: not before that is there an end */
        size_t next_adopter; /* the worker that gets the next connection of the predecessor */
        struct admin *admin;
        struct seccomp_watch *refused;
        struct watchdog *watchdog;
        struct budget budget;
        struct crew *crew;
        struct worker **workers;
        size_t n_workers, n_quiet, n_idle;
        enum phase phase;
        struct event *deadline, *leave_soon;
        struct event *left_out; /* tells of it, now and then */
        struct event *on_term, *on_int, *on_usr1, *on_hup, *on_usr2;
};

static inline struct snapshot *daemon_running(const struct daemon *d)
{
        return reload_running(d->reload);
}

static inline int64_t daemon_live(const struct daemon *d)
{
        return tally_live(&daemon_running(d)->counts->tally);
}

static inline const char *daemon_plural(int64_t n)
{
        return n == 1 ? "" : "s";
}

/* What the daemon does now, in a word, for the log and the service manager; the latter is told that
 * it may take patience (milliseconds; 0: no limit) and not be killed. */
void daemon_tell_ready(const struct daemon *d, const char *word);
void daemon_tell_stopping(const struct daemon *d, const char *word, int64_t patience);

/* --- succession.c --- */

/* Returns false when memory is short. */
bool succession_init(struct daemon *d);
void succession_fini(struct daemon *d);
/* Go on with the connections of the predecessor, if there is one. */
void succession_follow(struct daemon *d);
/* USR2. */
void succession_on_signal(evutil_socket_t number, short what, void *daemon);
/* Told to stop: whether it is in order to be started again, and so everything is left to whoever
 * comes. */
bool succession_by_manager(struct daemon *d);
/* No worker accepts any more: whether sockets and connections go to a successor. */
bool succession_go_on(struct daemon *d);
/* Every worker is idle: whether there is still something to be done before the end. */
bool succession_is_busy(struct daemon *d);

#endif
