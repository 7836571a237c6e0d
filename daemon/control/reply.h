/* SPDX-License-Identifier: ISC */
/* What is answered to one request on the control socket: lines of JSON, the last of which says how
 * it went. Whoever asked may be gone before it is complete; then nothing is sent any more. */
#ifndef CONTROL_REPLY_H
#define CONTROL_REPLY_H

#include <stddef.h>

#include <jansson.h>

struct bufferevent;
struct reply;

/* For the control socket. Runs when the reply is complete, from reply_end(). */
typedef void reply_done_fn(void *arg);
struct reply *reply_new(struct bufferevent *to, reply_done_fn *done, void *arg);
/* Nobody waits for it any more; whoever makes it goes on until reply_end(). */
void reply_cancel(struct reply *r);

/* A line: text that is JSON, without a line end; or a value, which is taken (NULL: memory is short,
 * which the end will say). */
void reply_line(struct reply *r, const char *json, size_t n);
void reply_json(struct reply *r, json_t *value);

/* It is complete and freed. NULL: all is well. Exactly once. */
void reply_end(struct reply *r, const char *error);

#endif
