/* SPDX-License-Identifier: ISC */
/* What the peer's records mean once nobody but us looks at them: alerts, and messages that come
 * after the handshake. Octets in, verdict out. */
#ifndef TLS_KTLS_RECORD_H
#define TLS_KTLS_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "net/stream.h"
#include "tls/error.h"

/* There is nothing to tell. */
enum { KTLS_NO_ALERT = 0 };

/* So many records in a row may hold no data: a peer that goes on would keep us busy for nothing. */
enum { KTLS_IDLE_RECORDS = 32 };

/* Of the records of one direction. {0} but for the first two is the state after a handshake. */
struct ktls_records {
        bool tls13;
        bool accepts; /* we are the server */
        uint8_t idle; /* records in a row that held no data */
        /* A handshake message that has come in part: its header, and how much of it is there. */
        uint8_t head[4];
        uint8_t head_len;
        uint32_t body_left; /* octets to pass over */
        int alert; /* with STREAM_BROKEN: what the peer is to be told (SSL_AD_…), or … */
};

/* The next octets of a record of this type, its last ones if `last`; all of an alert comes at
 * once. Returns STREAM_OPEN (go on; of type 23 the octets are data), STREAM_END (close_notify) or
 * STREAM_BROKEN, and why says why. */
enum stream_end ktls_record(struct ktls_records *r, unsigned type, const unsigned char *octets,
                            size_t n, bool last, char why[static TLS_ERROR_MAX]);

#endif
