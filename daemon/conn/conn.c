/* SPDX-License-Identifier: ISC */
#include "conn/conn.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include <event2/event.h>

#include "base/clock.h"
#include "base/memory.h"
#include "base/own.h"
#include "conn/recent.h"
#include "conn/stage.h"
#include "net/io.h"
#include "tls/info.h"
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

/* Timers are made when they are needed: most connections spend their lives without one. */
static struct event *start_timer(struct conn *c, int64_t ms, event_callback_fn fn)
{
        struct timeval in = clock_timeval(ms);
        struct event *timer = evtimer_new(c->env->base, fn, c);
        if (timer == NULL || evtimer_add(timer, &in) == 0)
                return timer;
        event_free(timer);
        return NULL;
}

static void stop_timer(struct event **timer)
{
        if (*timer != NULL)
                event_free(TAKE(*timer));
}

/* Of user space, about. */
static size_t octets_held(const struct service *s)
{
        enum { PLAIN = 1024, TLS = 16 * 1024 };
        return PLAIN + (s->listen_tls != NULL ? TLS : 0) + (s->connect_tls != NULL ? TLS : 0);
}

struct conn *conn_new(const struct conn_env *env, struct snapshot *snapshot,
                      struct service *service, const struct sockaddress *listen,
                      const struct sockaddress *client, int *fd, bool counted)
{
        struct conn *c = malloc(sizeof *c + sockaddress_packed_size(client));
        if (c == NULL)
                return NULL;
        *c = (struct conn){
                .env = env,
                .service = service,
                .listen = listen,
                .started_us = clock_us(),
                .client_fd = *fd,
                .close = STREAM_CLOSE_RESET,
                .id = atomic_fetch_add_explicit(&last_id, 1, memory_order_relaxed) + 1,
                .started_wall_us = clock_wall_us(),
                .connect_ms = -1,
                .handshake_ms = -1,
                .connect_handshake_ms = -1,
                .counted = counted,
        };
        sockaddress_pack(client, c->client_address);
        c->snapshot = snapshot_ref(snapshot);
        c->fd = TAKE_FD(*fd);
        stats_claim(service->counts->stats, env->io->worker);
        memory_took(env->memory, octets_held(service));
        return c;
}

static enum stage_result enter_stage(struct conn *c)
{
        const struct stage *s = *c->stage;
        c->stage_us = clock_us();
        enum stage_result result = s->enter(c);
        int64_t timeout = s->timeout_ms != NULL ? s->timeout_ms(c) : 0;
        if (result != STAGE_WAIT || timeout == 0 || c->dead)
                return result;
        c->stage_timer = start_timer(c, timeout, on_stage_timeout);
        return c->stage_timer != NULL ? STAGE_WAIT
                                      : conn_stage_why(c, REASON_RESOURCE, "out of memory");
}

static void leave_stage(struct conn *c)
{
        if (c->stage == NULL)
                return;
        stop_timer(&c->stage_timer);
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

static void limit_lifetime(struct conn *c)
{
        int64_t lifetime = c->service->conf->max_lifetime;
        int64_t past = (clock_us() - c->started_us) / 1000;
        if (lifetime > 0)
                c->lifetime = start_timer(c, lifetime - past, on_lifetime);
}

void conn_start(struct conn *c)
{
        limit_lifetime(c);
        c->stage = stages;
        run_stages(c);
}

void conn_resume(struct conn *c)
{
        limit_lifetime(c);
        c->stage = stages;
        while (*c->stage != &stage_relay)
                c->stage++;
        c->stage_us = clock_us();
        relay_start(c->relay);
}

void conn_number_after(uint64_t id)
{
        uint64_t last = conn_last_number();
        while (last < id &&
               !atomic_compare_exchange_weak_explicit(&last_id, &last, id, memory_order_relaxed,
                                                      memory_order_relaxed))
                continue;
}

uint64_t conn_last_number(void)
{
        return atomic_load_explicit(&last_id, memory_order_relaxed);
}

void conn_was(struct conn *c, uint64_t id, int64_t started_wall_us, int64_t started_us)
{
        c->id = id;
        c->started_wall_us = started_wall_us;
        c->started_us = started_us;
        conn_number_after(id);
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
        if ((*c->stage)->alert_client && stream_is_tls(c->client))
                stream_tls_alert(c->client);
        conn_end(c, why);
}

enum stage_result conn_stage_why(struct conn *c, enum reason why, const char *detail)
{
        set_detail(c, detail);
        c->why = why;
        return STAGE_END;
}

int32_t conn_stage_ms(const struct conn *c)
{
        return clock_brief_ms(clock_us() - c->stage_us);
}

struct service_stats *conn_stats(const struct conn *c)
{
        return stats_of(c->service->counts->stats, c->env->io->worker);
}

_Static_assert((int)REASONS <= (int)STATS_REASONS, "there is a counter for each reason");

int32_t conn_handshake_done(struct conn *c, enum handshake_side side, bool failed)
{
        enum { BUFFERS = 48 * 1024 };
        struct service_stats *stats = conn_stats(c);
        int64_t us = clock_us() - c->stage_us;
        SSL *ssl =
                failed ? NULL : stream_tls_ssl(side == HANDSHAKE_CLIENT ? c->client : c->upstream);
        histogram_observe(&stats->handshake[side], &histogram_brief, us);
        if (failed)
                handshakes_count(&stats->handshakes, side, NULL, NULL, HANDSHAKE_FAILED);
        else
                handshakes_count(&stats->handshakes, side, SSL_get_version(ssl),
                                 tls_info_group(ssl),
                                 SSL_session_reused(ssl) ? HANDSHAKE_RESUMED : HANDSHAKE_FULL);
        memory_passed(c->env->memory, BUFFERS);
        return clock_brief_ms(us);
}

static void count_end(const struct conn *c, enum reason why)
{
        struct service_stats *stats = conn_stats(c);
        counter_add(&stats->ended[why], 1);
        histogram_observe(&stats->life, &histogram_lives, clock_us() - c->started_us);
}

static void die(struct conn *c)
{
        assert(!c->dead);
        c->dead = true;
        leave_stage(c);
        stop_timer(&c->lifetime);
        stream_stop(c->client); /* what its record counts is what was sent */
        stream_stop(c->upstream);
        if (c->counted) {
                tally_leave(&c->service->counts->tally);
                tally_leave(&c->snapshot->counts->tally);
        }
}

void conn_end(struct conn *c, enum reason why)
{
        struct relay_stats moved = { 0 };
        if (c->relay != NULL)
                relay_stats(c->relay, &moved); /* before it goes */
        die(c);
        count_end(c, why);
        if (c->env->recent != NULL)
                recent_add(c->env->recent, c, why, &moved);
        conn_write_record(c, why, &moved);
        c->env->ended(c, c->env->ended_arg);
}

void conn_leave(struct conn *c)
{
        die(c);
        c->env->ended(c, c->env->ended_arg);
}

void conn_free(struct conn *c)
{
        if (c == NULL)
                return;
        assert(c->dead);
        stream_free(c->client, c->close);
        stream_free(c->upstream, c->close);
        stream_close_fd(&c->fd, c->close);
        stream_free(c->socket, c->close);
        dial_attempts_free(c->attempts);
        free(c->order);
        free(c->detail);
        if (c->own_listen)
                free((void *)(uintptr_t)c->listen);
        memory_freed(c->env->memory, octets_held(c->service));
        snapshot_unref(c->snapshot);
        free(c);
}
