/* SPDX-License-Identifier: ISC */
/* The client's leg becomes a stream: plain at once, TLS after the handshake. */
#include "conn/stage.h"

#include "net/stream_direct.h"
#include "net/stream_plain.h"
#include "tls/error.h"
#include "tls/stream_tls.h"

static void on_handshake(const char *error, void *arg)
{
        struct conn *c = arg;
        c->handshake_ms = conn_handshake_done(c, HANDSHAKE_CLIENT, error != NULL);
        const char *why =
                error == NULL && c->service->direct ? stream_tls_detach(&c->client) : NULL;
        if (error != NULL)
                conn_stage_failed(c, REASON_CLIENT_TLS_FAILED, error);
        else if (why != NULL)
                conn_stage_failed(c, REASON_RESOURCE, why);
        else
                conn_stage_done(c);
}

static enum stage_result start_handshake(struct conn *c)
{
        SSL *ssl = tls_context_ssl(c->service->listen_tls, NULL);
        if (ssl != NULL)
                c->client = stream_tls_new(c->env->base, c->env->hangup,
                                           c->service->direct ? c->env->io : NULL, &ssl, &c->fd,
                                           STREAM_TLS_ACCEPT, on_handshake, c);
        if (c->client != NULL && c->service->direct &&
            !stream_tls_leave_to_kernel(c->client, tls_context_ktls(c->service->listen_tls)))
                return conn_stage_why(c, REASON_RESOURCE, "out of memory");
        if (c->client != NULL)
                return STAGE_WAIT;
        char error[TLS_ERROR_MAX];
        SSL_free(ssl);
        return conn_stage_why(c, REASON_RESOURCE, tls_error_text(error));
}

static enum stage_result client_tls_enter(struct conn *c)
{
        if (c->client != NULL) /* from another process, which shook its hand if need be */
                return STAGE_NEXT;
        if (c->service->listen_tls != NULL)
                return start_handshake(c);
        if (c->service->direct)
                c->client = stream_direct_new(c->env->io, &c->fd, STREAM_DIRECT_CONNECTED);
        else
                c->client = stream_plain_new(c->env->base, c->env->hangup, &c->fd);
        return c->client != NULL ? STAGE_NEXT : conn_stage_why(c, REASON_RESOURCE, "out of memory");
}

/* The stream goes with the connection. */
static void client_tls_leave(struct conn *c)
{
        if (c->client != NULL && stream_is_tls(c->client) && c->handshake_ms < 0)
                conn_handshake_done(c, HANDSHAKE_CLIENT, true);
}

static int64_t client_tls_timeout(const struct conn *c)
{
        return c->service->conf->handshake_timeout;
}

const struct stage stage_client_tls = {
        .name = "client-tls",
        .enter = client_tls_enter,
        .leave = client_tls_leave,
        .timeout_ms = client_tls_timeout,
        .timeout_reason = REASON_HANDSHAKE_TIMEOUT,
};
