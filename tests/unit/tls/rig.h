/* SPDX-License-Identifier: ISC */
/* A TLS stream under test, and a peer that is nothing but OpenSSL on the other end of a loopback
 * TCP connection: it sees every record, end and alert as they come. */
#ifndef TESTS_TLS_RIG_H
#define TESTS_TLS_RIG_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <event2/buffer.h>
#include <event2/event.h>
#include <openssl/ssl.h>

#include "base/clock.h"
#include "net/hangup.h"
#include "net/io.h"
#include "tls/stream_tls.h"

/* What becomes of the stream after the handshake. */
enum rig_kind {
        RIG_BUFFERED,
        RIG_DIRECT,
        RIG_KTLS,   /* direct; the kernel does the TLS */
        RIG_NO_KTLS /* that was wished for, and cannot be; direct */
};

enum peer_end { PEER_OPEN, PEER_CLOSE_NOTIFY, PEER_FIN, PEER_RESET, PEER_ERROR };

struct rig {
        struct event_base *base;
        struct hangup *hangup;
        int version; /* TLS1_2_VERSION, TLS1_3_VERSION */
        enum stream_tls_role role;
        enum rig_kind kind;
        struct io *io;

        /* The stream under test. */
        struct stream *s;
        int stream_fd; /* borrowed from s */
        bool done;     /* the handshake is over … */
        char *error;   /* … and failed */
        bool refused;  /* and the stream must not become a direct one */
        bool taking;   /* what arrives is moved to taken */
        struct evbuffer *taken;
        unsigned reads, writes; /* how often it said "look again" */
        bool free_on_read, free_on_write, free_on_done;
        void (*before_turn)(struct rig *r); /* NULL: nothing is to be done */

        /* The peer. */
        int fd;
        SSL *peer;
        bool handshaken, reading;
        struct evbuffer *to_send, *got;
        enum peer_end end;
        int fatal_in, fatal_out; /* fatal alerts the peer saw and sent; -1: none */
        unsigned records_in;     /* records with octets that the peer saw */
        int warnings_in;         /* close_notify not counted */
        int last_warning;
        unsigned long peer_error;
};

/* The certificate a rig's server shows, for the lifetime of the program. */
SSL_CTX *rig_server_ctx(int version);
SSL_CTX *rig_client_ctx(int version);

/* Two connected sockets; no handshake yet. ssl NULL: one is made from the contexts above. */
void rig_open(struct rig *r, int version, enum stream_tls_role role, enum rig_kind kind, SSL *ssl,
              SSL *peer);
/* … and the handshake done on both sides. */
void rig_shake(struct rig *r);
void rig_close(struct rig *r);
void rig_free_stream(struct rig *r, enum stream_close_how how);
/* r->s is another one than before: the rig listens to it. */
void rig_listen(struct rig *r);

/* One turn of the event loop and of the peer. */
void rig_turn(struct rig *r);
void rig_turns(struct rig *r, unsigned n);

#define UNTIL(r, condition)                                                     \
        do {                                                                    \
                int64_t give_up_ = clock_ms() + 20000;                          \
                while (!(condition)) {                                          \
                        if (clock_ms() > give_up_)                              \
                                fail_msg("waited in vain for: %s", #condition); \
                        rig_turn(r);                                            \
                }                                                               \
        } while (0)

/* The stream's: everything that arrives is moved to taken; octets; MANY octets of the pattern. */
enum { MANY = 3 * 1024 * 1024 + 77 };
void rig_start_reading(struct rig *r);
void rig_stop_reading(struct rig *r);
void rig_send(struct rig *r, const void *octets, size_t n);
void rig_send_text(struct rig *r, const char *text);
void rig_send_pattern(struct rig *r, size_t n);
void rig_send_many(struct rig *r);
/* The direction to the peer still works to its very end: octets, close_notify, FIN. */
void rig_still_sends(struct rig *r);

/* The peer's doings. peer_send() is queued and goes out as the socket takes it. */
void peer_send(struct rig *r, const void *data, size_t n);
void peer_send_pattern(struct rig *r, size_t n);
void peer_close_notify(struct rig *r);
void peer_fin(struct rig *r); /* without close_notify, if that was not sent before */
void peer_reset(struct rig *r);
void peer_raw(struct rig *r, const void *octets, size_t n); /* into the socket, past TLS */
void peer_fatal_alert(struct rig *r);

/* Octets whose value depends on where they stand. */
void pattern_add(struct evbuffer *to, size_t n);
/* The first n octets of buf are the pattern; they are removed. */
void pattern_check(struct evbuffer *buf, size_t n);
/* buf holds exactly text; it is emptied. */
void check_text(struct evbuffer *buf, const char *text);

#endif
