/* SPDX-License-Identifier: ISC */
/* Messages from one thread to the event loop of another: a mutex, a list and an eventfd. */
#ifndef BASE_MAILBOX_H
#define BASE_MAILBOX_H

#include <stdbool.h>

struct event_base;
struct mailbox;

/* Runs on the loop's thread, once for each message, in the order they were posted. */
typedef void mailbox_fn(int what, void *data, void *arg);

/* Returns NULL with errno set. To be freed on the loop's thread (not from inside fn) or after it
 * has ended; messages still inside are dropped (their data is not freed). */
struct mailbox *mailbox_new(struct event_base *base, mailbox_fn *fn, void *arg);
void mailbox_free(struct mailbox *m);

/* From any thread. data stays the caller's until fn gets it. Returns false when memory is short. */
bool mailbox_post(struct mailbox *m, int what, void *data);

#endif
