/* SPDX-License-Identifier: ISC */
/* The upstream's leg becomes a stream: plain at once, TLS after the handshake. */
#include "conn/stage.h"

#include "base/own.h"
#include "net/stream_direct.h"
#include "net/stream_plain.h"
#include "tls/error.h"
#include "tls/stream_tls.h"

static void on_handshake(const char *error, void *arg)
{
        struct conn *c = arg;
        c->connect_handshake_ms = conn_handshake_done(c, HANDSHAKE_UPSTREAM, error != NULL);
        const char *why =
                error == NULL && c->service->direct ? stream_tls_detach(&c->upstream) : NULL;
        if (error != NULL)
                conn_stage_failed(c, REASON_UPSTREAM_TLS_FAILED, error);
        else if (why != NULL)
                conn_stage_failed(c, REASON_RESOURCE, why);
        else
                conn_stage_done(c);
}

static enum stage_result start_handshake(struct conn *c)
{
        SSL *ssl = tls_context_ssl(c->service->connect_tls, c->target->host);
        OWN_FD int fd = stream_direct_release(TAKE(c->socket));
        if (ssl != NULL)
                c->upstream = stream_tls_new(c->env->base, c->env->hangup,
                                             c->service->direct ? c->env->io : NULL, &ssl, &fd,
                                             STREAM_TLS_CONNECT, on_handshake, c);
        if (c->upstream != NULL && c->service->direct &&
            !stream_tls_leave_to_kernel(c->upstream, tls_context_ktls(c->service->connect_tls)))
                return conn_stage_why(c, REASON_RESOURCE, "out of memory");
        if (c->upstream != NULL)
                return STAGE_WAIT;
        char error[TLS_ERROR_MAX];
        SSL_free(ssl);
        return conn_stage_why(c, REASON_RESOURCE, tls_error_text(error));
}

static enum stage_result upstream_tls_enter(struct conn *c)
{
        if (c->upstream != NULL) /* a built-in */
                return STAGE_NEXT;
        if (c->service->connect_tls != NULL)
                return start_handshake(c);
        if (c->service->direct) {
                c->upstream = TAKE(c->socket);
                return STAGE_NEXT;
        }
        OWN_FD int fd = stream_direct_release(TAKE(c->socket));
        c->upstream = stream_plain_new(c->env->base, c->env->hangup, &fd);
        if (c->upstream == NULL)
                return conn_stage_why(c, REASON_RESOURCE, "out of memory");
        return STAGE_NEXT;
}

/* The stream goes with the connection. A built-in shakes no hands. */
static void upstream_tls_leave(struct conn *c)
{
        if (c->service->connect_tls != NULL && c->upstream != NULL && c->connect_ms >= 0 &&
            c->connect_handshake_ms < 0)
                conn_handshake_done(c, HANDSHAKE_UPSTREAM, true);
}

static int64_t upstream_tls_timeout(const struct conn *c)
{
        return c->service->conf->handshake_timeout;
}

const struct stage stage_upstream_tls = {
        .name = "upstream-tls",
        .enter = upstream_tls_enter,
        .leave = upstream_tls_leave,
        .alert_client = true,
        .timeout_ms = upstream_tls_timeout,
        .timeout_reason = REASON_HANDSHAKE_TIMEOUT,
};
