/* SPDX-License-Identifier: ISC */
/* What stream_tls_direct*.c share, and nobody else sees. */
#ifndef TLS_STREAM_TLS_DIRECT_INTERNAL_H
#define TLS_STREAM_TLS_DIRECT_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <event2/event_struct.h>

#include "base/own.h"
#include "tls/record_bio.h"
#include "tls/records.h"
#include "tls/stream_tls_direct.h"

/* So few octets are on the wire at once: the least segment and window there are. */
#define TLS_DIRECT_FEW 512

struct tls_direct {
        struct stream s;
        struct event event;
        int fd;
        uint32_t n_held;
        /* Octets that cannot be encrypted yet: half a post-handshake message has arrived, and
         * OpenSSL wants its other half first. */
        unsigned char *held;
        SSL *ssl;
        struct record_bio bio;
        struct records out;
        bool watched, writable;
        bool keeps_buffer; /* SSL_MODE_RELEASE_BUFFERS is off for a moment */
        bool said_end;     /* close_notify is among the records */
        bool peer_through; /* it had ended, and had everything, when our own end was passed on */
        enum stream_end found : 8; /* behind what receive() gave last: told with the next */
        uint16_t given;            /* octets given to the kernel in all, as far as TLS_DIRECT_FEW */
        uint32_t taken;            /* octets received in this turn of the loop */
        uint32_t key_updates;      /* since … */
        uint32_t key_updates_ms;
};

static inline struct tls_direct *tls_direct(struct stream *s)
{
        return CONTAINER(s, struct tls_direct, s);
}

/* Before each call into OpenSSL. */
void tls_direct_begin_call(struct tls_direct *d);

/* After each: passes on what OpenSSL has written. more: see stream_send(). */
void tls_direct_give(struct tls_direct *d, bool more);

/* Cuts: whatever waits to be sent is forgotten. */
void tls_direct_lost(struct tls_direct *d, enum stream_end how, const char *why);
void tls_direct_socket_failed(struct tls_direct *d, int error);
void tls_direct_forget_output(struct tls_direct *d);

/* The socket takes octets again. */
void tls_direct_flush(struct tls_direct *d);

/* The other half of a message may have come: send what waited for it. */
void tls_direct_go_on(struct tls_direct *d);

/* The operations of the stream that send. */
void tls_direct_send(struct stream *s, const void *octets, size_t n, bool more);
void tls_direct_push(struct stream *s);
void tls_direct_finish(struct stream *s);

#endif
