/* SPDX-License-Identifier: ISC */
/* The record of a connection: one line at its end, as JSON, as text, or as fields of the journal.
 */
#ifndef CONN_RECORD_H
#define CONN_RECORD_H

#include <stdint.h>

#include "base/addr.h"
#include "conn/reason.h"
#include "net/dial.h"
#include "tls/info.h"

struct record {
        uint64_t id;
        const char *service;
        struct sockaddress listen, client, local; /* bound; the peer; what the peer connected to */
        char upstream[SOCKADDRESS_TEXT_MAX];      /* "" until one was reached */
        int64_t started_wall_us;
        int64_t duration_ms, connect_ms, handshake_ms; /* -1: did not happen */
        uint64_t bytes_up, bytes_down;
        int64_t half_closed_ms;
        enum ended_by ended_by;
        enum reason reason;
        const char *detail;                       /* NULL: nothing to add */
        const char *path;                         /* NULL: no byte moved */
        const struct tls_info *tls, *connect_tls; /* NULL: plain, or no handshake */
        int64_t connect_handshake_ms;
        const struct dial_attempt *attempts;
        size_t n_attempts;
};

enum record_format { RECORD_OFF, RECORD_TEXT, RECORD_JSON };

/* Write it to the log. Everything is borrowed for the call. */
void record_write(const struct record *r, enum record_format format);

#endif
