/* SPDX-License-Identifier: ISC */
#include "conn/conn.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include <event2/event.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/own.h"
#include "conn/stage.h"
#include "tls/stream_tls.h"

/* A new listener protocol is a codec in net/, a stage of its own, and one line here. */
static const struct stage *const stages[] = {
        &stage_client_tls, &stage_dial, &stage_upstream_tls, &stage_relay, NULL,
};

static atomic_uint_least64_t last_id;

static void on_stage_timeout(evutil_socket_t fd, short what, void *arg)
{
        (void)fd;
        (void)what;
        struct conn *c = arg;
        conn_stage_failed(c, (*c->stage)->timeout_reason, NULL);
}

static void on_lifetime(evutil_socket_t fd, short what, void *arg)
{
        (void)fd;
        (void)what;
        conn_end(arg, REASON_MAX_LIFETIME);
}

static void start_lifetime(struct conn *c)
{
        int64_t ms = c->service->conf->max_lifetime;
        if (ms == 0)
                return;
        struct timeval in = clock_timeval(ms);
        c->lifetime = evtimer_new(c->env->base, on_lifetime, c);
        if (c->lifetime != NULL)
                evtimer_add(c->lifetime, &in);
}

static bool is_every_address(const struct sockaddress *a)
{
        if (a->sa.sa_family == AF_INET)
                return a->in.sin_addr.s_addr == htonl(INADDR_ANY);
        return a->sa.sa_family == AF_INET6 && IN6_IS_ADDR_UNSPECIFIED(&a->in6.sin6_addr);
}

/* A listener on every address does not say which of them the client asked for; any other does. */
static struct sockaddress local_address(const struct sockaddress *listen, int fd)
{
        struct sockaddress local = { .len = sizeof local.storage };
        if (is_every_address(listen) && getsockname(fd, &local.sa, &local.len) == 0)
                return local;
        return *listen;
}

struct conn *conn_new(const struct conn_env *env, struct snapshot *snapshot,
                      struct service *service, const struct sockaddress *listen,
                      const struct sockaddress *client, int *fd, bool counted)
{
        struct conn *c = calloc(1, sizeof *c);
        if (c == NULL)
                return NULL;
        *c = (struct conn){
                .env = env,
                .service = service,
                .counted = counted,
                .close = STREAM_CLOSE_RESET,
                .started_us = clock_us(),
        };
        c->record = (struct record){
                .id = atomic_fetch_add_explicit(&last_id, 1, memory_order_relaxed) + 1,
                .service = service->conf->name,
                .listen = *listen,
                .client = *client,
                .local = local_address(listen, *fd),
                .started_wall_us = clock_wall_us(),
                .connect_ms = -1,
                .handshake_ms = -1,
                .connect_handshake_ms = -1,
        };
        evtimer_assign(&c->stage_timer, env->base, on_stage_timeout, c);
        c->snapshot = snapshot_ref(snapshot);
        c->fd = TAKE_FD(*fd);
        return c;
}

static enum stage_result enter_stage(struct conn *c)
{
        const struct stage *s = *c->stage;
        c->stage_us = clock_us();
        enum stage_result result = s->enter(c);
        int64_t timeout = s->timeout_ms != NULL ? s->timeout_ms(c) : 0;
        if (result == STAGE_WAIT && timeout > 0 && !c->dead) {
                struct timeval in = clock_timeval(timeout);
                evtimer_add(&c->stage_timer, &in);
        }
        return result;
}

static void leave_stage(struct conn *c)
{
        if (c->stage == NULL)
                return;
        evtimer_del(&c->stage_timer);
        (*c->stage)->leave(c);
}

static void run_stages(struct conn *c)
{
        enum stage_result result;
        while ((result = enter_stage(c)) == STAGE_NEXT) {
                leave_stage(c);
                c->stage++;
                assert(*c->stage != NULL); /* the last one waits or ends */
        }
        if (result == STAGE_END)
                conn_stage_failed(c, c->why, NULL);
}

void conn_start(struct conn *c)
{
        c->stage = stages;
        start_lifetime(c);
        run_stages(c);
}

void conn_stage_done(struct conn *c)
{
        leave_stage(c);
        c->stage++;
        run_stages(c);
}

static void set_detail(struct conn *c, const char *detail)
{
        if (c->detail == NULL && detail != NULL)
                c->detail = strdup(detail);
}

void conn_stage_failed(struct conn *c, enum reason why, const char *detail)
{
        set_detail(c, detail);
        if ((*c->stage)->alert_client && c->service->listen_tls != NULL)
                stream_tls_alert(c->client);
        conn_end(c, why);
}

enum stage_result conn_stage_why(struct conn *c, enum reason why, const char *detail)
{
        set_detail(c, detail);
        c->why = why;
        return STAGE_END;
}

int64_t conn_stage_ms(const struct conn *c)
{
        return (clock_us() - c->stage_us) / 1000;
}

static void write_record(struct conn *c, enum reason why)
{
        struct record *r = &c->record;
        struct tls_info client_tls, upstream_tls;
        r->duration_ms = (clock_us() - c->started_us) / 1000;
        r->reason = why;
        if (reason_by(why) != BY_SIDE)
                r->ended_by = reason_by(why);
        r->detail = c->detail;
        r->attempts = c->attempts;
        if (c->client != NULL && c->service->listen_tls != NULL) {
                tls_info_fill(&client_tls, stream_tls_ssl(c->client));
                r->tls = &client_tls;
        }
        if (c->upstream != NULL && c->service->connect_tls != NULL) {
                tls_info_fill(&upstream_tls, stream_tls_ssl(c->upstream));
                r->connect_tls = &upstream_tls;
        }
        record_write(r, (enum record_format)c->snapshot->conf->log.access);
        if (r->tls != NULL)
                tls_info_fini(&client_tls);
        if (r->connect_tls != NULL)
                tls_info_fini(&upstream_tls);
}

void conn_end(struct conn *c, enum reason why)
{
        assert(!c->dead);
        c->dead = true;
        leave_stage(c);
        if (c->lifetime != NULL)
                evtimer_del(c->lifetime);
        if (c->counted) {
                tally_leave(&c->service->tally);
                tally_leave(&c->snapshot->tally);
        }
        write_record(c, why);
        c->env->ended(c, c->env->ended_arg);
}

void conn_free(struct conn *c)
{
        if (c == NULL)
                return;
        assert(c->dead);
        if (c->lifetime != NULL)
                event_free(c->lifetime);
        stream_free(c->client, c->close);
        stream_free(c->upstream, c->close);
        stream_close_fd(&c->fd, c->close);
        stream_free(c->socket, c->close);
        dial_attempts_free(c->attempts, c->record.n_attempts);
        free(c->targets);
        free(c->detail);
        snapshot_unref(c->snapshot);
        free(c);
}
