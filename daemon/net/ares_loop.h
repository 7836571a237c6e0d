/* SPDX-License-Identifier: ISC */
/* A c-ares channel that lives in a libevent loop. */
#ifndef NET_ARES_LOOP_H
#define NET_ARES_LOOP_H

#include <ares.h>

struct event_base;
struct ares_loop;

/* options and optmask as for ares_init_options(), the socket callback is added here. servers
 * ("127.0.0.1:5353,[::1]:53") replaces those of the system; may be NULL. Returns NULL with errno
 * set. */
struct ares_loop *ares_loop_new(struct event_base *base, const struct ares_options *options,
                                int optmask, const char *servers);
/* Ends every lookup with ARES_EDESTRUCTION. Never from inside a lookup's callback. NULL is fine. */
void ares_loop_free(struct ares_loop *l);

/* Ask for the addresses of host, of both families. fn runs exactly once, at once (what /etc/hosts
 * knows, what cannot be asked) or from the loop; it must neither free l nor look up anything. */
void ares_loop_lookup(struct ares_loop *l, const char *host, ares_addrinfo_callback fn, void *arg);

#endif
