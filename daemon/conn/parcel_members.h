/* SPDX-License-Identifier: ISC */
/* What a parcel says, as JSON and back: the parts of a connection that can be told. Whatever is
 * missing, or makes no sense, is as after {0}. What packs returns NULL when memory is short. */
#ifndef CONN_PARCEL_MEMBERS_H
#define CONN_PARCEL_MEMBERS_H

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

#include "base/addr.h"
#include "net/dial.h"
#include "net/stream.h"
#include "relay/relay.h"
#include "snapshot/service.h"
#include "tls/stream_ktls.h"

/* Of an object. */
int64_t parcel_number(const json_t *object, const char *name);
const char *parcel_word(const json_t *object, const char *name); /* borrowed, or NULL */

json_t *parcel_pack_address(const struct sockaddress *a);
void parcel_unpack_address(const json_t *value, struct sockaddress *a);

/* The target that is written so; NULL: there is none any more. */
const struct addr *parcel_target(const struct service *s, const char *text);

json_t *parcel_pack_attempts(const struct dial_attempt *first);
struct dial_attempt *parcel_unpack_attempts(const json_t *list, const struct service *service);

/* A leg; kernel: what the kernel's TLS needs, NULL: it is plain. What is unpacked is to be released
 * by the function for its type. */
json_t *parcel_pack_leg(const struct stream_state *leg, const struct stream_ktls_state *kernel);
void parcel_unpack_leg(const json_t *value, struct stream_state *leg);
bool parcel_leg_is_ktls(const json_t *value);
void parcel_unpack_ktls(const json_t *leg, struct stream_ktls_state *kernel);

json_t *parcel_pack_relay(const struct relay_state *r);
void parcel_unpack_relay(const json_t *value, struct relay_state *r);

#endif
