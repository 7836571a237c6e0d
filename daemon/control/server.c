/* SPDX-License-Identifier: ISC */
#include "control/server.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/socket.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>

#include "base/addr.h"
#include "base/log.h"
#include "base/own.h"

enum {
        CLIENTS_MAX = 32,   /* at once; others wait in the kernel's queue */
        REQUEST_MAX = 4096, /* octets */
        WORDS_MAX = 16,
        PATIENCE_S = 10, /* for a request to come, and for a reply to be taken */
};

struct client {
        TAILQ_ENTRY(client) entry;
        struct server *server;
        struct bufferevent *bev;
        struct asker who;
        struct reply *reply; /* under way */
        bool answered;       /* to be closed once everything is written */
};
TAILQ_HEAD(client_list, client);

struct server {
        struct event_base *base;
        struct event *listener, *resume;
        struct client_list clients;
        unsigned n_clients;
        bool shut;
        server_request_fn *request;
        void *arg;
};

static void client_free(struct client *c)
{
        struct server *s = c->server;
        if (c->reply != NULL)
                reply_cancel(c->reply);
        TAILQ_REMOVE(&s->clients, c, entry);
        if (s->n_clients-- == CLIENTS_MAX && !s->shut)
                event_add(s->listener, NULL);
        bufferevent_free(c->bev);
        free(c);
}

static void on_written(struct bufferevent *bev, void *arg)
{
        (void)bev;
        struct client *c = arg;
        if (c->answered)
                client_free(c);
}

static void on_reply_done(void *arg)
{
        struct client *c = arg;
        c->reply = NULL;
        c->answered = true; /* at least its last line is still to be written */
}

/* --- requests --------------------------------------------------------------------------------- */

static void refuse(struct client *c, const char *why)
{
        struct reply *r = reply_new(c->bev, on_reply_done, c);
        if (r != NULL)
                reply_end(r, why);
        else
                client_free(c);
}

/* Returns how many words there are; 0: it is no request. The words are borrowed from it. */
static size_t words_of(const json_t *request, const char *words[static WORDS_MAX])
{
        size_t n = json_array_size(request);
        if (n > WORDS_MAX)
                return 0;
        for (size_t i = 0; i < n; i++) {
                words[i] = json_string_value(json_array_get(request, i));
                if (words[i] == NULL)
                        return 0;
        }
        return n;
}

static void answer(struct client *c, const char *line, size_t len)
{
        const char *words[WORDS_MAX];
        json_t *request = json_loadb(line, len, 0, NULL);
        size_t n = words_of(request, words);
        struct reply *r = n > 0 ? reply_new(c->bev, on_reply_done, c) : NULL;
        if (n == 0) {
                refuse(c, "a request is a JSON array of strings on one line");
        } else if (r == NULL) {
                client_free(c);
        } else {
                c->reply = r;
                c->server->request(&c->who, words, n, r, c->server->arg);
        }
        json_decref(request);
}

static void on_readable(struct bufferevent *bev, void *arg)
{
        struct client *c = arg;
        struct evbuffer *in = bufferevent_get_input(bev);
        size_t len;
        if (c->reply != NULL || c->answered) {
                evbuffer_drain(in, evbuffer_get_length(in));
                return;
        }
        OWN_FREE char *line = evbuffer_readln(in, &len, EVBUFFER_EOL_LF);
        if (line != NULL)
                answer(c, line, len);
        else if (evbuffer_get_length(in) >= REQUEST_MAX) {
                evbuffer_drain(in, evbuffer_get_length(in));
                refuse(c, "the request is too long");
        }
}

/* An end (it need not wait for its answer with an open direction), an error, or its patience. */
static void on_event(struct bufferevent *bev, short what, void *arg)
{
        struct client *c = arg;
        bool waits = c->reply != NULL || c->answered;
        if (waits && (what & BEV_EVENT_READING) && (what & (BEV_EVENT_EOF | BEV_EVENT_TIMEOUT)))
                bufferevent_disable(bev, EV_READ);
        else
                client_free(c);
}

/* --- clients ---------------------------------------------------------------------------------- */

static struct asker asker_of(int fd)
{
        struct ucred cred = { .uid = (uid_t)-1 };
        socklen_t len = sizeof cred;
        getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len);
        return (struct asker){ .uid = cred.uid, .pid = cred.pid };
}

static void client_new(struct server *s, int *fd)
{
        const struct timeval patience = { .tv_sec = PATIENCE_S };
        struct client *c = calloc(1, sizeof *c);
        struct bufferevent *bev =
                c != NULL ? bufferevent_socket_new(s->base, *fd, BEV_OPT_CLOSE_ON_FREE) : NULL;
        if (bev == NULL) {
                log_error("control: out of memory");
                free(c);
                return;
        }
        *c = (struct client){ .server = s, .bev = bev, .who = asker_of(*fd) };
        *fd = -1;
        TAILQ_INSERT_TAIL(&s->clients, c, entry);
        if (++s->n_clients == CLIENTS_MAX)
                event_del(s->listener);
        bufferevent_setcb(bev, on_readable, on_written, on_event, c);
        bufferevent_setwatermark(bev, EV_READ, 0, REQUEST_MAX);
        bufferevent_set_timeouts(bev, &patience, &patience);
        bufferevent_enable(bev, EV_READ | EV_WRITE);
}

static void on_connection(evutil_socket_t listener, short what, void *arg)
{
        (void)what;
        struct server *s = arg;
        const struct timeval a_moment = { .tv_sec = 1 };
        struct sockaddress peer = { .len = sizeof peer.storage };
        OWN_FD int fd = accept4((int)listener, &peer.sa, &peer.len, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd >= 0) {
                client_new(s, &fd);
        } else if (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS) {
                event_del(s->listener);
                evtimer_add(s->resume, &a_moment);
        }
}

static void on_resume(evutil_socket_t fd, short what, void *arg)
{
        (void)fd;
        (void)what;
        struct server *s = arg;
        if (s->n_clients < CLIENTS_MAX)
                event_add(s->listener, NULL);
}

struct server *server_new(struct event_base *base, int fd, server_request_fn *request, void *arg)
{
        struct server *s = calloc(1, sizeof *s);
        if (s == NULL)
                return NULL;
        *s = (struct server){ .base = base, .request = request, .arg = arg };
        TAILQ_INIT(&s->clients);
        s->listener = event_new(base, fd, EV_READ | EV_PERSIST, on_connection, s);
        s->resume = evtimer_new(base, on_resume, s);
        if (s->listener == NULL || s->resume == NULL || event_add(s->listener, NULL) < 0) {
                server_free(s);
                return NULL;
        }
        return s;
}

void server_shut(struct server *s)
{
        event_del(s->listener);
        event_del(s->resume);
        s->shut = true;
}

bool server_is_busy(const struct server *s)
{
        return !TAILQ_EMPTY(&s->clients);
}

void server_free(struct server *s)
{
        if (s == NULL)
                return;
        while (!TAILQ_EMPTY(&s->clients))
                client_free(TAILQ_FIRST(&s->clients));
        if (s->listener != NULL)
                event_free(s->listener);
        if (s->resume != NULL)
                event_free(s->resume);
        free(s);
}
