/* SPDX-License-Identifier: ISC */
#include "net/dial.h"

#include <assert.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <event2/event.h>
#include <event2/event_struct.h>

#include "base/clock.h"
#include "base/own.h"
#include "net/addrset.h"
#include "net/dial_attempts.h"
#include "net/dial_socket.h"
#include "net/io.h"
#include "net/resolve.h"
#include "net/stream_direct.h"

/* A full backlog of a Unix socket cannot be waited for, only tried again. */
enum { BACKLOG_WAIT_FIRST_MS = 2, BACKLOG_WAIT_MAX_MS = 50 };

/* One thing is done at a time, by take_step(); what is to be done next follows from what there is:
 * a socket not yet connected, addresses not yet tried, targets not yet looked up. */
struct dial {
        struct io *io;
        struct resolver *resolver;
        struct dial_settings settings;
        dial_done_fn *done;
        void *arg;

        size_t target;                  /* the one in hand */
        struct resolve_query *query;    /* … is being looked up */
        struct addrset *addresses;      /* … stands for these */
        struct sockaddress *address;    /* … of which this is being tried, or NULL */
        size_t next;                    /* … and this is the next */
        int fd;                         /* not being connected yet: a backlog is full */
        struct stream *stream;          /* being connected, or connected */
        const struct sockopts *options; /* of that socket */
        int64_t began_us;               /* the lookup or the try in hand */
        int backlog_wait_ms;

        enum dial_outcome outcome; /* as it stands after the last try */
        struct dial_attempts attempts;
        struct event step, deadline;
};

enum progress {
        GO_ON, /* take the next step */
        WAIT,  /* an event will */
        OVER,  /* the outcome stands */
};

static void on_step(evutil_socket_t fd, short what, void *arg);
static void on_deadline(evutil_socket_t fd, short what, void *arg);

static void drop_socket(struct dial *d)
{
        stream_free(TAKE(d->stream), STREAM_CLOSE);
        own_close(&d->fd);
}

static void dial_free(struct dial *d)
{
        resolve_cancel(d->query);
        event_del(&d->step);
        event_del(&d->deadline);
        drop_socket(d);
        addrset_free(d->addresses);
        dial_attempts_free(d->attempts.first);
        free(d);
}

struct dial *dial_start(struct io *io, struct resolver *resolver,
                        const struct dial_settings *settings, dial_done_fn *done, void *arg)
{
        struct dial *d = calloc(1, sizeof *d);
        if (d == NULL)
                return NULL;
        *d = (struct dial){ .io = io,
                            .resolver = resolver,
                            .settings = *settings,
                            .done = done,
                            .arg = arg,
                            .fd = -1,
                            .outcome = DIAL_RESOLVE_FAILED };
        evtimer_assign(&d->step, io->base, on_step, d);
        evtimer_assign(&d->deadline, io->base, on_deadline, d);
        const struct timeval timeout = clock_timeval(settings->timeout_ms);
        if (evtimer_add(&d->deadline, &timeout) != 0) {
                dial_free(d);
                return NULL;
        }
        event_active(&d->step, EV_TIMEOUT, 1);
        return d;
}

static const struct addr *target_of(const struct dial *d)
{
        return d->settings.targets[d->target];
}

static void note(struct dial *d, int error, const char *text)
{
        dial_attempts_add(&d->attempts, target_of(d)->text, d->address, error, text,
                          clock_us() - d->began_us);
}

/* Tell the owner, who may do as he pleases: the last thing to happen. */
static void finish(struct dial *d)
{
        struct dial_result result = { .outcome = d->outcome, .target = d->target };
        if (d->outcome == DIAL_CONNECTED) {
                result.stream = TAKE(d->stream);
                stream_set_writer(result.stream, NULL, NULL);
        }
        result.attempts = TAKE(d->attempts.first);
        dial_done_fn *done = d->done;
        void *arg = d->arg;
        dial_free(d);
        done(&result, arg);
}

void dial_cancel(struct dial *d, struct dial_attempt **attempts)
{
        if (attempts != NULL)
                *attempts = NULL;
        if (d == NULL)
                return;
        if (d->query != NULL || d->address != NULL)
                note(d, ECANCELED, "given up");
        if (attempts != NULL)
                *attempts = TAKE(d->attempts.first);
        dial_free(d);
}

static enum dial_outcome outcome_of(int error)
{
        if (dial_out_of_resources(error))
                return DIAL_NO_RESOURCE;
        return error == ECONNREFUSED ? DIAL_REFUSED : DIAL_FAILED;
}

/* The address in hand is not to be reached. */
static enum progress failed(struct dial *d, int error, const char *text)
{
        note(d, error, text != NULL ? text : strerror(error));
        d->outcome = outcome_of(error);
        drop_socket(d);
        d->address = NULL;
        return GO_ON;
}

static enum progress connected(struct dial *d)
{
        if (dial_socket_met_itself(stream_direct_fd(d->stream), d->address))
                return failed(d, ECONNREFUSED, "Connection refused (the socket had met itself)");
        note(d, 0, NULL);
        d->address = NULL;
        d->outcome = DIAL_CONNECTED;
        return OVER;
}

/* The socket is a stream from now on, which is watched once and for all. */
static bool make_stream(struct dial *d, enum stream_direct_state state)
{
        d->stream = stream_direct_new(d->io, &d->fd, state);
        if (d->stream == NULL)
                return false;
        stream_direct_tune_later(d->stream, d->options);
        return stream_direct_watch(d->stream);
}

static void on_change(void *arg);

static enum progress wait_connected(struct dial *d)
{
        if (!make_stream(d, STREAM_DIRECT_CONNECTING))
                return failed(d, ENOMEM, NULL);
        stream_set_writer(d->stream, on_change, d);
        return WAIT;
}

static enum progress connected_at_once(struct dial *d)
{
        return make_stream(d, STREAM_DIRECT_CONNECTED) ? connected(d) : failed(d, ENOMEM, NULL);
}

static enum progress wait_for_backlog(struct dial *d)
{
        const struct timeval delay = clock_timeval(d->backlog_wait_ms);
        d->backlog_wait_ms *= 2;
        if (d->backlog_wait_ms > BACKLOG_WAIT_MAX_MS)
                d->backlog_wait_ms = BACKLOG_WAIT_MAX_MS;
        return evtimer_add(&d->step, &delay) == 0 ? WAIT : failed(d, ENOMEM, NULL);
}

static enum progress connect_socket(struct dial *d)
{
        if (connect(d->fd, &d->address->sa, d->address->len) == 0)
                return connected_at_once(d);
        if (errno == EINPROGRESS || errno == EINTR)
                return wait_connected(d);
        if (errno == EAGAIN && d->address->sa.sa_family == AF_UNIX)
                return wait_for_backlog(d);
        return failed(d, errno, NULL);
}

static enum progress try_next_address(struct dial *d)
{
        d->address = &d->addresses->addresses[d->next++];
        d->began_us = clock_us();
        d->backlog_wait_ms = BACKLOG_WAIT_FIRST_MS;
        d->options = sockopts_for(d->settings.options, d->address);
        d->fd = dial_socket_open(d->address, d->options, d->settings.relief,
                                 d->settings.relief_arg);
        if (d->fd < 0) {
                failed(d, errno, NULL);
                /* Without a descriptor no other address is worth a try. */
                return d->outcome == DIAL_NO_RESOURCE ? OVER : GO_ON;
        }
        return connect_socket(d);
}

static void next_target(struct dial *d)
{
        addrset_free(TAKE(d->addresses));
        d->next = 0;
        d->target++;
}

static void looked_up(struct dial *d, struct addrset *set, const char *error)
{
        d->addresses = set;
        if (set != NULL)
                return;
        note(d, 0, error);
        next_target(d);
}

static void run(struct dial *d, enum progress progress);

/* Runs at once or later; only then is there a query. */
static void on_looked_up(struct addrset *set, const char *error, void *arg)
{
        struct dial *d = arg;
        bool waited = d->query != NULL;
        d->query = NULL;
        looked_up(d, set, error);
        if (waited)
                run(d, GO_ON);
}

static enum progress look_up(struct dial *d)
{
        const struct addr *a = target_of(d);
        assert(a->kind == ADDR_HOST || a->kind == ADDR_UNIX);
        d->began_us = clock_us();
        if (a->kind == ADDR_HOST) {
                d->query = resolve_start(d->resolver, a->host, a->port, on_looked_up, d);
                return d->query == NULL ? GO_ON : WAIT;
        }
        OWN_FREE struct addrset *set = addrset_new(1);
        if (set != NULL && addr_literal(a, &set->addresses[0]))
                looked_up(d, TAKE(set), NULL);
        else
                looked_up(d, NULL, set == NULL ? strerror(ENOMEM) : "not a usable path");
        return GO_ON;
}

static enum progress take_step(struct dial *d)
{
        if (d->fd >= 0)
                return connect_socket(d);
        if (d->addresses != NULL && d->next < d->addresses->n)
                return try_next_address(d);
        if (d->addresses != NULL)
                next_target(d);
        return d->target < d->settings.n_targets ? look_up(d) : OVER;
}

/* A loop, not a recursion: a hundred addresses may fail at once. */
static void run(struct dial *d, enum progress progress)
{
        while (progress == GO_ON)
                progress = take_step(d);
        if (progress == OVER)
                finish(d);
}

static void on_step(evutil_socket_t fd, short what, void *arg)
{
        (void)fd;
        (void)what;
        run(arg, GO_ON);
}

static void on_change(void *arg)
{
        struct dial *d = arg;
        int error = stream_direct_connected(d->stream);
        if (error != EINPROGRESS)
                run(d, error == 0 ? connected(d) : failed(d, error, NULL));
}

static void on_deadline(evutil_socket_t fd, short what, void *arg)
{
        (void)fd;
        (void)what;
        struct dial *d = arg;
        char text[64];
        snprintf(text, sizeof text, "timed out after %lld ms%s", (long long)d->settings.timeout_ms,
                 d->query != NULL ? ", looking up the name" : "");
        if (d->target < d->settings.n_targets)
                failed(d, ETIMEDOUT, text);
        d->outcome = DIAL_TIMED_OUT;
        finish(d);
}
