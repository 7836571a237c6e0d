/* SPDX-License-Identifier: ISC */
/* The control socket, opened as the configuration says, and its commands. */
#ifndef CONTROL_CONTROL_H
#define CONTROL_CONTROL_H

#include <stdbool.h>

#include "base/diag.h"
#include "config/config.h"
#include "control/command.h"

struct control;
struct event_base;
struct lsock;
struct lsock_set;

/* *control is NULL where none is wanted. Returns false, with mistakes in diag, where one is wanted
 * and cannot be. env is copied. left: sockets of a predecessor, borrowed; NULL: there is none. */
bool control_open(struct control **control, struct event_base *base, const struct config *conf,
                  const struct command_env *env, struct lsock_set *left, struct diag *diag);
/* NULL is fine for all of these. */
void control_each_socket(const struct control *c, void fn(struct lsock *l, void *to), void *to);
/* A successor answers from now on; whoever has asked here gets an answer here. */
void control_leave(struct control *c);
/* Whether somebody waits for an answer, or for the rest of it. */
bool control_is_busy(const struct control *c);
void control_close(struct control *c); /* NULL is fine */

#endif
