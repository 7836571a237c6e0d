/* SPDX-License-Identifier: ISC */
/* The record of a connection: one line at its end, as JSON, as text, or as fields of the journal.
 */
#ifndef CONN_RECORD_H
#define CONN_RECORD_H

#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"
#include "conn/reason.h"
#include "net/dial.h"
#include "tls/info.h"

struct record {
        uint64_t id;
        const char *service;
        const struct sockaddress *listen, *client,
                *local;       /* bound; the peer; what it connected to */
        const char *upstream; /* NULL: none was reached */
        int64_t started_wall_us;
        int64_t duration_ms, connect_ms, handshake_ms; /* -1: did not happen */
        uint64_t bytes_up, bytes_down;
        int64_t half_closed_ms;
        enum ended_by ended_by; /* BY_NOBODY, REASON_NONE: it goes on */
        enum reason reason;
        const char *detail;                       /* NULL: nothing to add */
        const char *path;                         /* NULL: no byte moved */
        const struct tls_info *tls, *connect_tls; /* NULL: plain, or no handshake */
        int64_t connect_handshake_ms;
        const struct dial_attempt *attempts; /* the first of the list, or NULL */
};

enum record_format { RECORD_OFF, RECORD_TEXT, RECORD_JSON };

/* Whether the record of such an end goes anywhere: otherwise it need not be made. */
bool record_is_wanted(enum reason reason, enum record_format format);

/* Write it to the log. Everything is borrowed for the call. */
void record_write(const struct record *r, enum record_format format);

#endif
