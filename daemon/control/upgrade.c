/* SPDX-License-Identifier: ISC */
#include "control/upgrade.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <event2/event.h>

#include "base/log.h"
#include "base/own.h"
#include "conn/conn.h"
#include "control/channel.h"
#include "control/handover.h"
#include "control/heritage.h"
#include "control/launcher.h"
#include "control/store.h"

enum { START_S = 60 }; /* how long a successor may take until it is ready */

enum state {
        IDLE,
        STARTING, /* the successor, that is */
        LEAVING,  /* it is ready; our workers stop accepting, then connections are collected */
        OVER,
};

struct upgrade {
        struct upgrade_env env;
        enum state state;
        bool by_manager; /* the bundle is for whoever comes after us */
        int channel;
        struct event *heard; /* the channel; also what runs out */
        struct bundle bundle;
        struct upgrade_asker asker;
};

struct upgrade *upgrade_new(const struct upgrade_env *env)
{
        struct upgrade *u = calloc(1, sizeof *u);
        if (u == NULL)
                return NULL;
        *u = (struct upgrade){ .env = *env,
                               .channel = -1,
                               .bundle = { .lines = -1, .take = -1, .give = -1 } };
        return u;
}

static void hang_up(struct upgrade *u)
{
        if (u->heard != NULL)
                event_free(TAKE(u->heard));
        own_close(&u->channel);
        bundle_fini(&u->bundle);
}

void upgrade_free(struct upgrade *u)
{
        if (u == NULL)
                return;
        hang_up(u);
        free(u);
}

static void end(struct upgrade *u, const char *error)
{
        struct upgrade_asker asker = u->asker;
        hang_up(u);
        u->state = error != NULL ? IDLE : OVER;
        u->asker = (struct upgrade_asker){ 0 };
        if (error != NULL)
                log_error("no successor: %s; this process goes on", error);
        if (asker.done != NULL)
                asker.done(error, asker.arg);
        u->env.over(error, u->env.arg);
}

/* --- the successor starts --------------------------------------------------------------------- */

static void add_socket(struct lsock *l, void *to)
{
        heritage_add_listener(to, l);
}

/* Returns 0 or errno. */
static int tell_sockets(struct upgrade *u)
{
        if (!bundle_open(&u->bundle))
                return errno;
        heritage_add_head(&u->bundle, conn_last_number());
        u->env.each_socket(add_socket, &u->bundle, u->env.arg);
        int error = bundle_close(&u->bundle) ? 0 : ENOMEM;
        if (error == 0)
                error = channel_say(u->channel, json_pack("{s:s}", "say", "sockets"), &u->bundle);
        bundle_fini(&u->bundle);
        return error;
}

static void on_heard(evutil_socket_t fd, short what, void *arg)
{
        (void)fd;
        struct upgrade *u = arg;
        int lines, take;
        if (what & EV_TIMEOUT) {
                end(u, "it was not ready in time (see its log)");
                return;
        }
        json_t *said = channel_hear(u->channel, &lines, &take);
        own_close(&lines);
        own_close(&take);
        long pid = (long)json_integer_value(json_object_get(said, "pid"));
        if (pid <= 0) {
                json_decref(said);
                end(u, "it did not start (its log says why)");
                return;
        }
        const char *version = json_string_value(json_object_get(said, "version"));
        log_notice("the successor is ready: spliced %s, pid %ld", version != NULL ? version : "?",
                   pid);
        json_decref(said);
        event_free(TAKE(u->heard));
        u->state = LEAVING;
        u->env.leave(pid, u->env.arg);
}

static int start(struct upgrade *u)
{
        const struct timeval patience = { .tv_sec = START_S };
        int ends[2];
        if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
                return errno;
        u->channel = ends[0];
        int error = launcher_launch(u->env.launcher, &ends[1]);
        u->heard = event_new(u->env.base, u->channel, EV_READ, on_heard, u);
        if (error == 0 && (u->heard == NULL || event_add(u->heard, &patience) < 0))
                error = ENOMEM;
        return error != 0 ? error : tell_sockets(u);
}

const char *upgrade_begin(struct upgrade *u, const struct upgrade_asker *asker)
{
        if (u->state != IDLE)
                return "a successor has been started already";
        if (u->env.launcher < 0)
                return "there is no process that could start a successor";
        int error = start(u);
        if (error != 0) {
                hang_up(u);
                log_error("no successor can be started: %s", strerror(error));
                return strerror(error);
        }
        log_notice("a successor is started");
        u->state = STARTING;
        if (asker != NULL)
                u->asker = *asker;
        return NULL;
}

/* --- and we leave ----------------------------------------------------------------------------- */

static void on_collected(size_t n, void *arg)
{
        struct upgrade *u = arg;
        bool fine = bundle_close(&u->bundle);
        if (u->by_manager)
                fine = store_leave(&u->bundle) && fine;
        if (!fine)
                log_error("some connections were lost while they were handed over");
        log_notice("%s: %zu connection%s",
                   u->by_manager ? "left with the service manager" : "handed over", n,
                   n == 1 ? "" : "s");
        end(u, NULL);
}

/* The successor takes what comes while it comes. */
static int open_for_successor(struct upgrade *u)
{
        if (!bundle_open(&u->bundle))
                return errno;
        return channel_say(u->channel, json_pack("{s:s}", "say", "connections"), &u->bundle);
}

static void add_socket_of_ours(struct lsock *l, void *to)
{
        if (!l->passed) /* those the manager has anyway */
                heritage_add_listener(to, l);
}

bool upgrade_by_manager(struct upgrade *u)
{
        if (u->state != IDLE || !bundle_open(&u->bundle))
                return false;
        u->by_manager = true;
        u->state = LEAVING;
        heritage_add_head(&u->bundle, conn_last_number());
        u->env.each_socket(add_socket_of_ours, &u->bundle, u->env.arg);
        u->env.leave(0, u->env.arg);
        return true;
}

void upgrade_go_on(struct upgrade *u)
{
        size_t most = u->by_manager ? BUNDLE_WAITING - u->bundle.n_fds : SIZE_MAX / 2;
        int error = u->by_manager ? 0 : open_for_successor(u);
        if (error == 0 &&
            !handover_begin(u->env.workers, u->env.n_workers, &u->bundle, most, on_collected, u))
                error = ENOMEM;
        if (error == 0)
                return;
        log_error("connections are not handed over: %s", strerror(error));
        end(u, NULL);
}
