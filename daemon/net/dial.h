/* SPDX-License-Identifier: ISC */
/* Reaching one of several addresses, as netcat does: non-blocking, each in turn, SO_ERROR read, the
 * reason kept for each. */
#ifndef NET_DIAL_H
#define NET_DIAL_H

#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "net/sockopt.h"

struct io;
struct resolver;
struct stream;
struct dial;

/* One try, of a list. */
struct dial_attempt {
        struct dial_attempt *next;
        const char *target; /* the address as configured; the text of a target, as long as that */
        int32_t ms;         /* how long it took */
        int error; /* errno of connect(2), ETIMEDOUT when time ran out; 0: connected, or see text */
        uint8_t octets[]; /* the address, packed, and the text */
};
/* Where to; len 0: the name was not resolved. */
void dial_attempt_address(const struct dial_attempt *a, struct sockaddress *out);
/* Why not, in words; NULL when connected. Borrowed. */
const char *dial_attempt_text(const struct dial_attempt *a);

enum dial_outcome {
        DIAL_CONNECTED,
        DIAL_REFUSED,        /* the last try ended with ECONNREFUSED */
        DIAL_TIMED_OUT,      /* connect-timeout ran out over all tries */
        DIAL_FAILED,         /* the last try ended with another error */
        DIAL_RESOLVE_FAILED, /* no target had an address */
        DIAL_NO_RESOURCE,    /* EMFILE, ENFILE, ENOMEM, ENOBUFS here, not there */
};

struct dial_result {
        enum dial_outcome outcome;
        struct stream *stream; /* direct, and watched already; owned by the callee; NULL unless
                                   DIAL_CONNECTED */
        size_t target;         /* index into targets of the one connected to */
        struct dial_attempt *attempts; /* the first; owned by the callee, dial_attempts_free() */
};
void dial_attempts_free(struct dial_attempt *first); /* the whole list; NULL is fine */

/* Runs once, never from inside dial_start. The dial is gone when it runs. */
typedef void dial_done_fn(struct dial_result *result, void *arg);

/* Called where socket(2) ran out of descriptors: free one and return 0 to have it tried once more.
 */
typedef int dial_relief_fn(void *arg);

struct dial_settings {
        const struct addr *const
                *targets; /* in the order to try; ADDR_HOST or ADDR_UNIX; borrowed until done */
        size_t n_targets;
        int64_t timeout_ms;                 /* over everything; > 0 */
        const struct sockopt_sets *options; /* may be NULL: as the system has it; borrowed */
        dial_relief_fn *relief;             /* may be NULL */
        void *relief_arg;
};

/* Returns NULL when memory is short (done does not run). settings is copied, targets are not. */
struct dial *dial_start(struct io *io, struct resolver *resolver,
                        const struct dial_settings *settings, dial_done_fn *done, void *arg);
/* Stop; done does not run. NULL is fine. Returns what had been tried so far (owned by the caller)
 * when attempts is not NULL; what was under way is the last, with ECANCELED. */
void dial_cancel(struct dial *d, struct dial_attempt **attempts);

#endif
