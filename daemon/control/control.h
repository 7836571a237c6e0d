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

/* *control is NULL where none is wanted. Returns false, with mistakes in diag, where one is wanted
 * and cannot be. env is copied. */
bool control_open(struct control **control, struct event_base *base, const struct config *conf,
                  const struct command_env *env, struct diag *diag);
void control_close(struct control *c); /* NULL is fine */

#endif
