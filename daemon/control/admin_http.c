/* SPDX-License-Identifier: ISC */
#include "control/admin_http.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/socket.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/event_struct.h>

#include "base/addr.h"
#include "base/log.h"
#include "base/own.h"
#include "snapshot/admin_sockets.h"

enum {
        CLIENTS_MAX = 32, /* at once; one more sends away who has asked for nothing yet */
        REQUEST_S = 5,    /* for a request to come, whole */
        ANSWER_S = 30,    /* for the answer to be made and taken, to its last octet */
};

enum client_state {
        READING,   /* the request */
        WAITING,   /* for the answer to be made */
        WRITING,   /* it */
        LINGERING, /* everything is written and an end was sent: until the client ends as well */
};

struct client {
        TAILQ_ENTRY(client) entry;
        struct admin_http *http;
        struct bufferevent *bev;
        struct event *deadline;
        struct admin_exchange *exchange; /* WAITING */
        enum client_state state;
        bool local;
        bool ended; /* it will send no more */
};
TAILQ_HEAD(client_list, client);

struct admin_exchange {
        struct client *client; /* NULL: gone */
        bool head_only;
};

struct listener {
        struct admin_http *http;
        struct lsock *sock;    /* held */
        bool stays;            /* admin_http_listen() */
        struct event events[]; /* of each of its sockets: it may have been a service's */
};

struct admin_http {
        struct event_base *base;
        struct listener **listeners;
        size_t n;
        struct client_list clients; /* in the order they came */
        unsigned n_clients;
        struct event *resume;
        admin_request_fn *request;
        void *arg;
};

/* --- answers ---------------------------------------------------------------------------------- */

static const char *phrase(int status)
{
        static const struct {
                int status;
                const char *phrase;
        } phrases[] = {
                { 200, "OK" },
                { 400, "Bad Request" },
                { 404, "Not Found" },
                { 405, "Method Not Allowed" },
                { 408, "Request Timeout" },
                { 421, "Misdirected Request" },
                { 431, "Request Header Fields Too Large" },
                { 503, "Service Unavailable" },
                { 505, "HTTP Version Not Supported" },
        };
        for (size_t i = 0; i < COUNTOF(phrases); i++)
                if (phrases[i].status == status)
                        return phrases[i].phrase;
        return "Internal Server Error";
}

static void client_free(struct client *c)
{
        if (c->exchange != NULL)
                c->exchange->client = NULL;
        TAILQ_REMOVE(&c->http->clients, c, entry);
        c->http->n_clients--;
        if (c->deadline != NULL)
                event_free(c->deadline);
        bufferevent_free(c->bev);
        free(c);
}

static void set_deadline(struct client *c, int seconds)
{
        const struct timeval in = { .tv_sec = seconds };
        evtimer_add(c->deadline, &in);
}

/* Nothing of ours may be fetched from elsewhere, framed, kept or taken for something else. */
static void write_answer(struct client *c, int status, const char *type, const char *body, size_t n,
                         bool head_only)
{
        struct evbuffer *out = bufferevent_get_output(c->bev);
        c->state = WRITING;
        set_deadline(c, ANSWER_S);
        evbuffer_add_printf(
                out,
                "HTTP/1.1 %d %s\r\nContent-Type: %s; charset=utf-8\r\nContent-Length: %zu\r\n"
                "%sConnection: close\r\nCache-Control: no-store\r\n"
                "Content-Security-Policy: default-src 'none'; script-src 'self'; style-src 'self'; "
                "connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; "
                "frame-ancestors 'none'\r\n"
                "X-Content-Type-Options: nosniff\r\nReferrer-Policy: no-referrer\r\n"
                "Cross-Origin-Resource-Policy: same-origin\r\n\r\n",
                status, phrase(status), type, n, status == 405 ? "Allow: GET, HEAD\r\n" : "");
        if (!head_only)
                evbuffer_add(out, body, n);
}

static void refuse(struct client *c, int status)
{
        char body[64];
        int n = snprintf(body, sizeof body, "%d %s\n", status, phrase(status));
        write_answer(c, status, "text/plain", body, (size_t)n, false);
}

void admin_answer(struct admin_exchange *x, int status, const char *type, const char *body,
                  size_t n)
{
        struct client *c = x->client;
        if (c != NULL) {
                c->exchange = NULL;
                write_answer(c, status, type, body, n, x->head_only);
        }
        free(x);
}

/* --- requests --------------------------------------------------------------------------------- */

static void take_request(struct client *c, const char *head, size_t n)
{
        struct admin_request request;
        int status = admin_request_parse(head, n, &request);
        struct admin_exchange *x = status == 0 ? malloc(sizeof *x) : NULL;
        if (x == NULL) {
                refuse(c, status != 0 ? status : 503);
                return;
        }
        *x = (struct admin_exchange){ .client = c, .head_only = request.head_only };
        c->exchange = x;
        c->state = WAITING;
        set_deadline(c, ANSWER_S);
        c->http->request(x, &request, c->local, c->http->arg);
}

/* What comes behind a request is thrown away: to close with octets unread would be a reset, which
 * might overtake the answer. */
static void on_readable(struct bufferevent *bev, void *arg)
{
        struct client *c = arg;
        struct evbuffer *in = bufferevent_get_input(bev);
        size_t n = evbuffer_get_length(in);
        if (c->state == READING) {
                const char *s = (const char *)evbuffer_pullup(in, (ev_ssize_t)n);
                size_t end = s != NULL ? admin_request_end(s, n) : 0;
                if (end == 0 && n < ADMIN_HEAD_MAX)
                        return;
                if (end == 0 || end > ADMIN_HEAD_MAX)
                        refuse(c, 431);
                else
                        take_request(c, s, end);
        }
        evbuffer_drain(in, n);
}

static void on_written(struct bufferevent *bev, void *arg)
{
        struct client *c = arg;
        if (c->state != WRITING)
                return;
        if (c->ended) {
                client_free(c);
                return;
        }
        c->state = LINGERING;
        set_deadline(c, REQUEST_S);
        shutdown(bufferevent_getfd(bev), SHUT_WR);
}

/* Whoever has sent its request may end its sending. */
static void on_event(struct bufferevent *bev, short what, void *arg)
{
        struct client *c = arg;
        c->ended = (what & BEV_EVENT_READING) && (what & BEV_EVENT_EOF);
        if (c->ended && (c->state == WAITING || c->state == WRITING))
                bufferevent_disable(bev, EV_READ);
        else
                client_free(c);
}

static void on_deadline(evutil_socket_t fd, short what, void *arg)
{
        (void)fd;
        (void)what;
        struct client *c = arg;
        if (c->state == READING && evbuffer_get_length(bufferevent_get_input(c->bev)) > 0)
                refuse(c, 408);
        else
                client_free(c);
}

/* --- clients ---------------------------------------------------------------------------------- */

/* Who came first and has asked for nothing yet; failing that, who came first. */
static void make_room(struct admin_http *h)
{
        struct client *c;
        if (h->n_clients < CLIENTS_MAX)
                return;
        TAILQ_FOREACH (c, &h->clients, entry)
                if (c->state == READING || c->state == LINGERING)
                        break;
        client_free(c != NULL ? c : TAILQ_FIRST(&h->clients));
}

static void client_new(struct listener *l, int *fd)
{
        struct admin_http *h = l->http;
        make_room(h);
        struct client *c = calloc(1, sizeof *c);
        struct bufferevent *bev =
                c != NULL ? bufferevent_socket_new(h->base, *fd, BEV_OPT_CLOSE_ON_FREE) : NULL;
        if (bev == NULL) {
                log_error("admin: out of memory");
                free(c);
                return;
        }
        bool ip = l->sock->address.sa.sa_family != AF_UNIX;
        *c = (struct client){ .http = h,
                              .bev = bev,
                              .local = ip && admin_is_local(&l->sock->address) };
        *fd = -1;
        TAILQ_INSERT_TAIL(&h->clients, c, entry);
        h->n_clients++;
        c->deadline = evtimer_new(h->base, on_deadline, c);
        if (c->deadline == NULL) {
                client_free(c);
                return;
        }
        set_deadline(c, REQUEST_S);
        bufferevent_setcb(bev, on_readable, on_written, on_event, c);
        bufferevent_setwatermark(bev, EV_READ, 0, 2 * ADMIN_HEAD_MAX);
        bufferevent_enable(bev, EV_READ | EV_WRITE);
}

static void pause_listener(struct listener *l)
{
        for (size_t i = 0; i < l->sock->n_fds; i++)
                event_del(&l->events[i]);
}

static void resume_listener(struct listener *l)
{
        for (size_t i = 0; i < l->sock->n_fds; i++)
                event_add(&l->events[i], NULL);
}

static void pause_listening(struct admin_http *h)
{
        const struct timeval a_moment = { .tv_sec = 1 };
        for (size_t i = 0; i < h->n; i++)
                pause_listener(h->listeners[i]);
        evtimer_add(h->resume, &a_moment);
}

static void on_resume(evutil_socket_t fd, short what, void *arg)
{
        (void)fd;
        (void)what;
        struct admin_http *h = arg;
        for (size_t i = 0; i < h->n; i++)
                resume_listener(h->listeners[i]);
}

static void on_connection(evutil_socket_t from, short what, void *arg)
{
        (void)what;
        struct listener *l = arg;
        struct sockaddress peer = { .len = sizeof peer.storage };
        OWN_FD int fd = accept4((int)from, &peer.sa, &peer.len, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd >= 0)
                client_new(l, &fd);
        else if (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS)
                pause_listening(l->http);
}

/* --- where it listens ------------------------------------------------------------------------- */

static struct listener *listener_on(const struct admin_http *h, const struct lsock *sock)
{
        for (size_t i = 0; i < h->n; i++)
                if (h->listeners[i]->sock == sock)
                        return h->listeners[i];
        return NULL;
}

static void listener_free(struct listener *l, bool close)
{
        pause_listener(l);
        if (close)
                lsock_close(l->sock);
        lsock_unref(l->sock);
        free(l);
}

static void leave_others(struct admin_http *h, const struct snapshot *s)
{
        size_t n = 0;
        for (size_t i = 0; i < h->n; i++) {
                struct listener *l = h->listeners[i];
                if (l->stays)
                        h->listeners[n++] = l;
                else
                        listener_free(l, !snapshot_has_socket(s, l->sock));
        }
        h->n = n;
}

static bool listen_on(struct admin_http *h, struct lsock *sock)
{
        char text[SOCKADDRESS_TEXT_MAX];
        struct listener **more = reallocarray(h->listeners, h->n + 1, sizeof *more);
        if (more != NULL)
                h->listeners = more;
        struct listener *l =
                more != NULL ? malloc(sizeof *l + sock->n_fds * sizeof l->events[0]) : NULL;
        if (l == NULL)
                return false;
        *l = (struct listener){ .http = h, .sock = lsock_ref(sock), .stays = true };
        for (size_t i = 0; i < sock->n_fds; i++)
                event_assign(&l->events[i], h->base, sock->fds[i], EV_READ | EV_PERSIST,
                             on_connection, l);
        resume_listener(l);
        h->listeners[h->n++] = l;
        log_info("admin: listening on %s", sockaddress_text(&sock->address, text));
        return true;
}

void admin_http_listen(struct admin_http *h, const struct snapshot *s)
{
        for (size_t i = 0; i < h->n; i++)
                h->listeners[i]->stays = false;
        for (size_t i = 0; i < s->n_admin; i++) {
                struct listener *l = listener_on(h, s->admin[i]);
                if (l != NULL)
                        l->stays = true;
                else if (!listen_on(h, s->admin[i]))
                        log_error("admin: out of memory");
        }
        leave_others(h, s);
}

void admin_http_leave(struct admin_http *h)
{
        while (h->n > 0)
                listener_free(h->listeners[--h->n], false);
}

struct admin_http *admin_http_new(struct event_base *base, admin_request_fn *request, void *arg)
{
        struct admin_http *h = calloc(1, sizeof *h);
        if (h == NULL)
                return NULL;
        *h = (struct admin_http){ .base = base, .request = request, .arg = arg };
        TAILQ_INIT(&h->clients);
        h->resume = evtimer_new(base, on_resume, h);
        if (h->resume == NULL) {
                admin_http_free(h);
                return NULL;
        }
        return h;
}

void admin_http_free(struct admin_http *h)
{
        if (h == NULL)
                return;
        while (!TAILQ_EMPTY(&h->clients))
                client_free(TAILQ_FIRST(&h->clients));
        admin_http_leave(h);
        if (h->resume != NULL)
                event_free(h->resume);
        free(h->listeners);
        free(h);
}
