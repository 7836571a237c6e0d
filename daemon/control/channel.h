/* SPDX-License-Identifier: ISC */
/* What a daemon and its successor say to each other: JSON objects with a member "say", and bundles.
 *
 *   predecessor  sockets, with a bundle: what I listen on
 *   successor    ready, with pid and version: I accept on them
 *   predecessor  connections, with a bundle that is still being filled: they are yours
 *   either       ends the channel: it is over, or has failed */
#ifndef CONTROL_CHANNEL_H
#define CONTROL_CHANNEL_H

#include <jansson.h>

#include "control/bundle.h"

/* about is taken. bundle: what its taker needs goes along; or NULL. Returns 0 or errno. */
int channel_say(int channel, json_t *about, struct bundle *bundle);

/* What the other side says, owned; lines and take are -1 where no bundle came. NULL: the end, or
 * what is no message. */
json_t *channel_hear(int channel, int *lines, int *take);

#endif
