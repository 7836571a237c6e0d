/* SPDX-License-Identifier: ISC */
/* Records that the kernel deciphered, as a peer may choose them: each has a verdict with a reason,
 * the same however its octets come in pieces. The first octet says which side and version; then
 * each record is a type, a length and so many octets. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/ssl.h>

#include "tls/ktls_record.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { HEAD = 2 }; /* octets before a record's own */

static void must(bool condition)
{
        if (!condition)
                abort();
}

struct verdict {
        enum stream_end end;
        char why[TLS_ERROR_MAX];
};

static void check(const struct ktls_records *r, const struct verdict *v)
{
        must(v->end == STREAM_OPEN || v->end == STREAM_END || v->end == STREAM_BROKEN);
        must(v->end != STREAM_BROKEN || v->why[0] != '\0');
        must(memchr(v->why, '\0', sizeof v->why) != NULL);
        must(r->head_len < sizeof r->head && r->body_left < 1 << 24);
        must(v->end != STREAM_OPEN || r->idle <= KTLS_IDLE_RECORDS);
        must(r->alert >= 0 && r->alert <= UINT8_MAX);
}

static struct verdict take(struct ktls_records *r, unsigned type, const uint8_t *octets, size_t n,
                           bool last)
{
        struct verdict v = { .why = "" };
        v.end = ktls_record(r, type, octets, n, last, v.why);
        check(r, &v);
        return v;
}

/* The same record, handshake messages octet by octet. Pieces count as records without data, which
 * is not what is looked at here. */
static struct verdict take_in_pieces(struct ktls_records *r, unsigned type, const uint8_t *octets,
                                     size_t n)
{
        struct verdict v = { STREAM_OPEN, "" };
        if (type != SSL3_RT_HANDSHAKE || n == 0)
                return take(r, type, octets, n, true);
        uint8_t idle = r->idle;
        for (size_t i = 0; i < n && v.end == STREAM_OPEN; i++) {
                r->idle = i + 1 == n ? idle : 0;
                v = take(r, type, octets + i, 1, i + 1 == n);
        }
        return v;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        if (size == 0)
                return 0;
        struct ktls_records whole = { .tls13 = data[0] & 1, .accepts = data[0] & 2 };
        struct ktls_records pieces = whole;
        for (data++, size--; size >= HEAD;) {
                size_t n = data[1] < size - HEAD ? data[1] : size - HEAD;
                struct verdict a = take(&whole, data[0], data + HEAD, n, true);
                struct verdict b = take_in_pieces(&pieces, data[0], data + HEAD, n);
                must(a.end == b.end && strcmp(a.why, b.why) == 0);
                must(whole.alert == pieces.alert);
                must(a.end != STREAM_OPEN || whole.body_left == pieces.body_left);
                if (a.end != STREAM_OPEN)
                        return 0;
                data += HEAD + n;
                size -= HEAD + n;
        }
        return 0;
}
