/* SPDX-License-Identifier: ISC */
/* Serving HTTP to those who look: GET and HEAD, one request a connection, and bounded in all a
 * client can do: how many there are, how much they may say, and how long everything may take. */
#ifndef CONTROL_ADMIN_HTTP_H
#define CONTROL_ADMIN_HTTP_H

#include <stdbool.h>
#include <stddef.h>

#include "control/admin_request.h"
#include "snapshot/snapshot.h"

struct admin_http;
struct event_base;

/* A request that waits for its answer: admin_answer(), exactly once, now or later. */
struct admin_exchange;

/* local: on a socket that only this machine reaches by IP. */
typedef void admin_request_fn(struct admin_exchange *x, const struct admin_request *request,
                              bool local, void *arg);

/* NULL: memory is short. */
struct admin_http *admin_http_new(struct event_base *base, admin_request_fn *request, void *arg);
/* Whoever waits is sent away; answers to come go nowhere. NULL is fine. */
void admin_http_free(struct admin_http *h);

/* Listen where this snapshot wants pages from now on. Sockets that were there before, and that it
 * has no use for, are closed. */
void admin_http_listen(struct admin_http *h, const struct snapshot *s);

/* Listen no more, and leave the sockets as they are: they are another process' now. */
void admin_http_leave(struct admin_http *h);

/* Ends the exchange. type is that of the body ("text/plain"), which is copied. */
void admin_answer(struct admin_exchange *x, int status, const char *type, const char *body,
                  size_t n);

#endif
