/* SPDX-License-Identifier: ISC */
/* Upstreams that need no other host: streams without a socket.
 *
 * echo (RFC 862), discard (RFC 863), chargen (RFC 864) and daytime (RFC 867). For the relay a leg
 * like any other: it stops taking when nobody reads what it has to say, and it ends when it is
 * through (echo and discard after our end, chargen at our end, daytime after its line). */
#ifndef UPSTREAM_BUILTIN_H
#define UPSTREAM_BUILTIN_H

#include "net/stream.h"

struct event_base;
struct text;

/* Returns NULL with errno set: ENOENT when there is no built-in of that name, ENOMEM. base is
 * borrowed; all happens on its thread. */
struct stream *builtin_new(struct event_base *base, const char *name);

/* Whether s is one that a new one of the same name can take the place of, once what it has not said
 * yet was said; chargen is not. */
bool builtin_can_begin_anew(const struct stream *s);
/* What it has not said yet goes behind what is in unsaid. Frees it. */
void builtin_leave(struct stream *s, struct text *unsaid);

/* "echo, discard, chargen, daytime", for messages. */
const char *builtin_names(void);

#endif
