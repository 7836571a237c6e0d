/* SPDX-License-Identifier: ISC */
/* Asking every worker about its connections, for one reply. */
#ifndef CONTROL_INQUIRY_H
#define CONTROL_INQUIRY_H

#include <stdint.h>

#include "control/reply.h"
#include "control/session_filter.h"
#include "worker/worker.h"

enum inquiry_what {
        INQUIRY_SESSIONS, /* a line each */
        INQUIRY_SESSION,  /* one, with all there is to say */
        INQUIRY_KILL,     /* end it */
};

struct inquiry_request {
        enum inquiry_what what;
        struct session_filter filter; /* INQUIRY_SESSIONS: which */
        uint64_t id;                  /* the others */
};

/* Takes the reply and what the filter has, and ends the reply when the last worker has answered. */
void inquiry_begin(struct worker *const *workers, size_t n, struct inquiry_request *request,
                   struct reply *reply);

#endif
