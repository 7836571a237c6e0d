/* SPDX-License-Identifier: ISC */
#include "control/predecessor.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <event2/event.h>

#include "base/log.h"
#include "base/own.h"
#include "base/text.h"
#include "config.h"
#include "conn/conn.h"
#include "control/channel.h"
#include "control/heritage.h"
#include "control/launcher.h"
#include "control/store.h"

enum {
        PATIENCE_S = 10,
        /* How many connections the predecessor may accept while this process starts: theirs are
         * the numbers up to it. */
        ITS_NUMBERS = 1000 * 1000,
};

struct predecessor {
        int channel; /* -1: it has gone */
        struct heritage left;
        struct lsock_set sockets;
        struct event *event;
        predecessor_parcel_fn *parcel;
        predecessor_end_fn *end;
        void *arg;
};

static int channel_from_environment(void)
{
        const char *text = getenv(LAUNCHER_CHANNEL);
        int64_t fd;
        if (text == NULL || text_to_count(text, &fd) != NULL || fcntl((int)fd, F_GETFD) < 0)
                return -1;
        unsetenv(LAUNCHER_CHANNEL);
        fcntl((int)fd, F_SETFD, FD_CLOEXEC);
        return (int)fd;
}

static const char *hear_sockets(struct predecessor *p)
{
        const struct timeval patience = { .tv_sec = PATIENCE_S };
        OWN_FD int lines = -1;
        OWN_FD int take = -1;
        setsockopt(p->channel, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
        json_t *said = channel_hear(p->channel, &lines, &take);
        json_decref(said);
        if (said == NULL || lines < 0)
                return "it does not say what it listens on";
        const char *wrong = heritage_read(&p->left, lines, take);
        p->left.last_number += ITS_NUMBERS;
        return wrong;
}

static const char *find_all(struct predecessor *p, int lines, int take)
{
        const char *wrong =
                p->channel >= 0 ? hear_sockets(p) : heritage_read(&p->left, lines, take);
        if (wrong == NULL && !lsock_set_init(&p->sockets, p->left.socks, p->left.n_socks))
                wrong = "memory is short";
        conn_number_after(p->left.last_number);
        return wrong;
}

bool predecessor_find(struct predecessor **out, struct diag *diag)
{
        int channel = channel_from_environment();
        OWN_FD int lines = -1;
        OWN_FD int take = -1;
        *out = NULL;
        if (channel < 0 && !store_take(&lines, &take))
                return true;
        struct predecessor *p = calloc(1, sizeof *p);
        if (p == NULL) {
                diag_error(diag, NULL, "out of memory");
                return false;
        }
        p->channel = channel;
        const char *wrong = find_all(p, lines, take);
        *out = p;
        if (wrong == NULL)
                return true;
        /* Whoever has gone cannot be asked again: better to begin with what there is. */
        if (channel < 0)
                diag_warning(diag, NULL, "what the predecessor left is not complete: %s", wrong);
        else
                diag_error(diag, NULL, "cannot take over from the predecessor: %s", wrong);
        return channel < 0;
}

void predecessor_free(struct predecessor *p)
{
        if (p == NULL)
                return;
        if (p->event != NULL)
                event_free(p->event);
        own_close(&p->channel);
        lsock_set_fini(&p->sockets);
        heritage_fini(&p->left);
        free(p);
}

struct lsock_set *predecessor_sockets(struct predecessor *p)
{
        return p != NULL ? &p->sockets : NULL;
}

bool predecessor_is_there(const struct predecessor *p)
{
        return p != NULL && p->channel >= 0;
}

/* --- connections ------------------------------------------------------------------------------ */

static void take_connections(struct predecessor *p)
{
        int lines, take;
        json_t *said = channel_hear(p->channel, &lines, &take);
        const char *wrong = "it has gone";
        if (said != NULL && lines >= 0)
                wrong = heritage_read(&p->left, lines, take);
        if (wrong != NULL)
                log_error("not all connections of the predecessor were taken over: %s", wrong);
        json_decref(said);
        own_close(&lines);
        own_close(&take);
        own_close(&p->channel);
}

static void on_channel(evutil_socket_t fd, short what, void *arg)
{
        (void)fd;
        (void)what;
        struct predecessor *p = arg;
        if (p->channel >= 0)
                take_connections(p);
        for (size_t i = 0; i < p->left.n_parcels; i++)
                p->parcel(&p->left.parcels[i], p->arg);
        size_t n = p->left.n_parcels;
        heritage_fini(&p->left);
        p->end(n, p->arg); /* may free p */
}

void predecessor_follow(struct predecessor *p, struct event_base *base,
                        predecessor_parcel_fn *parcel, predecessor_end_fn *end, void *arg)
{
        p->parcel = parcel;
        p->end = end;
        p->arg = arg;
        p->event =
                event_new(base, p->channel, p->channel >= 0 ? EV_READ : EV_TIMEOUT, on_channel, p);
        if (p->event == NULL) {
                log_error("out of memory: connections of the predecessor are lost");
                return;
        }
        if (p->channel < 0) {
                event_active(p->event, EV_TIMEOUT, 0);
                return;
        }
        event_add(p->event, NULL);
        int error = channel_say(p->channel,
                                json_pack("{s:s,s:i,s:s}", "say", "ready", "pid", (int)getpid(),
                                          "version", PACKAGE_VERSION),
                                NULL);
        if (error != 0)
                log_error("the predecessor cannot be told: %s", strerror(error));
}
