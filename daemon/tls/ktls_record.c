/* SPDX-License-Identifier: ISC */
#include "tls/ktls_record.h"

#include <stdio.h>

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/sslerr.h>

enum { ALERT_WARNING = SSL3_AL_WARNING, ALERT_FATAL = SSL3_AL_FATAL };

static enum stream_end broken(struct ktls_records *r, int alert, char why[static TLS_ERROR_MAX],
                              const char *text)
{
        snprintf(why, TLS_ERROR_MAX, "%s", text);
        r->alert = alert;
        return STREAM_BROKEN;
}

/* --- alerts ----------------------------------------------------------------------------------- */

/* TLS 1.3 has done away with the level: all that is not an end is fatal, but for user_canceled,
 * which announces one (RFC 8446, 6.1). */
static bool is_fatal(const struct ktls_records *r, unsigned level, int alert)
{
        return r->tls13 ? alert != SSL_AD_USER_CANCELLED : level != ALERT_WARNING;
}

static enum stream_end take_alert(struct ktls_records *r, const unsigned char *octets, size_t n,
                                  bool last, char why[static TLS_ERROR_MAX])
{
        if (n != 2 || !last || (octets[0] != ALERT_WARNING && octets[0] != ALERT_FATAL))
                return broken(r, SSL_AD_DECODE_ERROR, why, "bad alert");
        int alert = octets[1];
        if (alert == SSL_AD_CLOSE_NOTIFY)
                return STREAM_END;
        if (!is_fatal(r, octets[0], alert))
                return STREAM_OPEN;
        r->alert = KTLS_NO_ALERT;
        tls_error_code_text(ERR_PACK(ERR_LIB_SSL, 0, SSL_AD_REASON_OFFSET + alert), why);
        return STREAM_BROKEN;
}

/* --- messages after the handshake ------------------------------------------------------------- */

/* A ticket would be for another connection: nothing is lost with it. To a HelloRequest silence is
 * an answer (RFC 5246, 7.4.1.1). */
static bool may_be_passed_over(const struct ktls_records *r, unsigned message)
{
        if (r->accepts)
                return false;
        return message == (r->tls13 ? SSL3_MT_NEWSESSION_TICKET : SSL3_MT_HELLO_REQUEST);
}

static enum stream_end take_head(struct ktls_records *r, char why[static TLS_ERROR_MAX])
{
        unsigned message = r->head[0];
        if (may_be_passed_over(r, message))
                return STREAM_OPEN;
        if (r->tls13 && message == SSL3_MT_KEY_UPDATE)
                return broken(r, SSL_AD_INTERNAL_ERROR, why,
                              "the peer changed its keys, which kernel TLS cannot follow");
        if (!r->tls13 && message == SSL3_MT_CLIENT_HELLO)
                return broken(r, SSL_AD_HANDSHAKE_FAILURE, why, "the peer asked for renegotiation");
        return broken(r, SSL_AD_UNEXPECTED_MESSAGE, why, "unexpected message");
}

static enum stream_end take_handshake(struct ktls_records *r, const unsigned char *octets, size_t n,
                                      char why[static TLS_ERROR_MAX])
{
        for (size_t i = 0; i < n;) {
                if (r->body_left > 0) {
                        size_t skip = n - i < r->body_left ? n - i : r->body_left;
                        r->body_left -= (uint32_t)skip;
                        i += skip;
                        continue;
                }
                r->head[r->head_len++] = octets[i++];
                if (r->head_len < sizeof r->head)
                        continue;
                r->head_len = 0;
                r->body_left = (uint32_t)r->head[1] << 16 | (uint32_t)r->head[2] << 8 | r->head[3];
                if (take_head(r, why) != STREAM_OPEN)
                        return STREAM_BROKEN;
        }
        return STREAM_OPEN;
}

/* --- all of them ------------------------------------------------------------------------------ */

static enum stream_end take_data(struct ktls_records *r, size_t n, char why[static TLS_ERROR_MAX])
{
        if (r->head_len > 0 || r->body_left > 0)
                return broken(r, SSL_AD_UNEXPECTED_MESSAGE, why, "data in the middle of a message");
        if (n > 0)
                r->idle = 0;
        return STREAM_OPEN;
}

static enum stream_end take(struct ktls_records *r, unsigned type, const unsigned char *octets,
                            size_t n, bool last, char why[static TLS_ERROR_MAX])
{
        switch (type) {
        case SSL3_RT_APPLICATION_DATA:
                return take_data(r, n, why);
        case SSL3_RT_ALERT:
                return take_alert(r, octets, n, last, why);
        case SSL3_RT_HANDSHAKE:
                return take_handshake(r, octets, n, why);
        default:
                return broken(r, SSL_AD_UNEXPECTED_MESSAGE, why, "unexpected record");
        }
}

enum stream_end ktls_record(struct ktls_records *r, unsigned type, const unsigned char *octets,
                            size_t n, bool last, char why[static TLS_ERROR_MAX])
{
        if (type != SSL3_RT_APPLICATION_DATA || n == 0)
                r->idle++;
        enum stream_end end = take(r, type, octets, n, last, why);
        if (end == STREAM_OPEN && r->idle > KTLS_IDLE_RECORDS)
                return broken(r, SSL_AD_UNEXPECTED_MESSAGE, why, "too many records without data");
        return end;
}
