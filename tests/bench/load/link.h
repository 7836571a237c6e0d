/* SPDX-License-Identifier: ISC */
/* One connection of a client, plain or TLS, and what is exchanged over it. */
#ifndef BENCH_LINK_H
#define BENCH_LINK_H

#include "load.h"

#include <openssl/ssl.h>

struct link;

enum { TICKETS = 64 };

/** What the links of this process share. */
struct client {
        int ep;
        struct sockaddr_in target;
        unsigned spread;     /* links go to this many addresses from target on */
        struct in_addr from; /* their own addresses: eight from here on */
        unsigned opened;     /* how many there have ever been */
        SSL_CTX *tls;        /* NULL: plain */
        bool resume;
        SSL_SESSION *ticket[TICKETS]; /* for resuming, each used once as TLS 1.3 wants it */
        unsigned tickets;
        uint64_t full, resumed;           /* handshakes */
        void (*ready)(struct link *);     /* connected, with TLS shaken hands */
        void (*exchanged)(struct link *); /* the answer has arrived whole */
        void (*closed)(struct link *);    /* after link_close; the link is gone afterwards */
        void *work;
};

enum link_state { LINK_SHAKING_HANDS, LINK_IDLE, LINK_EXCHANGING, LINK_CLOSING };

/** Something sent and its answer: header and then send_n octets of the pattern go; reply, or
 * recv_n octets of the pattern where reply is 0, come. */
struct exchange {
        unsigned char header[HEADER];
        size_t header_n;
        uint64_t send_n, recv_n;
        char reply;
};

/** Ciphertext on its way: many records leave in one system call. */
struct outgoing {
        unsigned char *p;
        size_t n, sent, room;
};

struct link {
        struct client *client;
        int fd;
        SSL *ssl;
        struct outgoing out;
        enum link_state state;
        bool waits_to_send;
        unsigned piece;
        struct exchange x;
        uint64_t sent, got, began;
};

/** The context of all TLS links. */
void client_use_tls(struct client *c);

/** A new link; ready() follows, perhaps before this returns. */
struct link *link_open(struct client *c);
/** epoll named it. */
void link_step(struct link *l);
void link_exchange(struct link *l, const struct exchange *x);
/** End well: plain by closing; TLS by close_notify and FIN, closing when the proxy has closed. */
void link_close(struct link *l);

/* --- link_io.c --- */

/** As send(): -1 when it would block. Errors fail the run. */
ssize_t link_send(struct link *l, const void *p, size_t n);
/** As socket_take(): -1 when it would block, 0 is an end. Errors fail the run. */
ssize_t link_take(struct link *l, size_t room, bool *looked);
/** Goes on with the handshake; link_is_ready() follows. */
void link_shake_hands(struct link *l);
/** Sends the ciphertext there is; false when some is left. */
bool link_flush(struct link *l, int flags);
void link_wait_to_send(struct link *l, bool wait);

#endif
