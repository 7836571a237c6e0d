/* SPDX-License-Identifier: ISC */
/* Kernel TLS: OpenSSL shakes hands and leaves the keys with the kernel, which encrypts what is
 * written to the descriptor and decrypts what is read: write(2) and splice(2) do, for data.
 *
 * Reading goes by ktls_receive(), since records that hold no data come in between. Writing has
 * three rules of its own:
 * - An end is ktls_close_notify(), and then shutdown(2). shutdown(2) alone loses what was written
 *   with MSG_MORE: the kernel keeps it for a record that is never sent.
 * - EBADMSG, EINVAL, EMSGSIZE may be what was read: errors go by ktls_cause().
 * - SSL_key_update(), SSL_write(), SSL_shutdown() are not to be called any more.
 * tests/ktls/README.md has what the kernel was seen to do. */
#ifndef TLS_KTLS_H
#define TLS_KTLS_H

#include <openssl/ssl.h>

#include "net/stream.h"
#include "tls/ktls_record.h"

/* Why there can be no kernel TLS: built without, or the kernel has none; NULL: there can. The
 * kernel loads its module by this where the caller may have it loaded (root). */
const char *ktls_unavailable(void);

enum ktls_wish {
        KTLS_NEVER,
        KTLS_SAFELY, /* where nothing can go wrong later: TLS 1.2, which does not change its keys */
        KTLS_ALWAYS, /* TLS 1.3 as well: a peer that changes its keys is cut off */
};

/* To be asked for before OpenSSL has keys for data; as often as one likes, since what can be wished
 * for depends on the version, which is only known then: each time the handshake gets on
 * (SSL_set_info_callback). Nothing is left to the kernel where it would not get both directions.
 * The session must be on a socket BIO (SSL_set_fd, or libevent's bufferevent on a socket), or
 * nothing comes of it. */
void ktls_want(SSL *ssl, enum ktls_wish wish);

enum { KTLS_SENDS = 1, KTLS_RECEIVES = 2, KTLS_BOTH = 3 };

/* Which directions the kernel has, after the handshake: a sum of the above. Not KTLS_RECEIVES while
 * OpenSSL holds octets that have arrived. */
unsigned ktls_directions(SSL *ssl);

/* The receiving direction of one connection, to be had before ssl is freed. */
struct ktls {
        struct ktls_records records;
        int splice_error; /* see ktls_splice_ended() */
};
void ktls_init(struct ktls *k, SSL *ssl);

enum ktls_got {
        KTLS_AGAIN, /* nothing is there; the socket says when that changes */
        KTLS_DATA,  /* n octets */
        KTLS_OTHER, /* a record without data, which was dealt with; there may be more */
        KTLS_OVER,  /* end says how; with a cut, why says why */
};
struct ktls_news {
        size_t n;
        enum stream_end end;
        int alert; /* with STREAM_BROKEN: for ktls_fatal_alert(), unless it is KTLS_NO_ALERT */
        char why[TLS_ERROR_MAX];
};

/* Receive at most `size` octets (2 at least) into buf, which octets that are no data are put into
 * as well. After KTLS_OVER nothing is to be received any more; after STREAM_END and
 * STREAM_TRUNCATED sending goes on. */
enum ktls_got ktls_receive(struct ktls *k, int fd, void *buf, size_t size, struct ktls_news *news);

/* To be told what splice(2) from fd returned, with its errno, when that was not more than 0.
 * Returns whether ktls_receive() is to be called at once, which finds out what it meant: 0 need not
 * be an end, nor EINVAL a mistake. Otherwise nothing is there. */
bool ktls_splice_ended(struct ktls *k, ssize_t returned, int error);

/* Whether ktls_receive() would find anything: octets, a record without any, an end. */
bool ktls_has_unread(struct ktls *k, int fd);

/* Our own end, and a fatal alert (SSL_AD_…), which goes out before a reset only if the peer gets
 * the time to read it. Return 0, EAGAIN (everything is full: again once the socket can be written),
 * or an error. */
int ktls_close_notify(int fd);
int ktls_fatal_alert(int fd, int alert);

/* What an error of read(2), write(2) or splice(2) on fd means: STREAM_BROKEN or STREAM_RESET. */
enum stream_end ktls_cause(int error, char why[static TLS_ERROR_MAX]);

#endif
