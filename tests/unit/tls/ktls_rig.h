/* SPDX-License-Identifier: ISC */
/* A connection one end of which leaves TLS to the kernel, while the other is nothing but OpenSSL;
 * and a table of promises for it, each tested under TLS 1.2 and 1.3, as the accepting and the
 * connecting side, with read and write and with splice. */
#ifndef TESTS_TLS_KTLS_RIG_H
#define TESTS_TLS_KTLS_RIG_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <openssl/evp.h>

#include "tls/ktls.h"

enum { OCTETS = 6 * 1024 * 1024 + 77 }; /* more than the kernel takes at once */

struct both {
        int version;
        bool accepts;
        int fd, peer_fd;
        SSL *ssl, *peer;
        struct ktls k;
        int pipe[2];
        unsigned char secret[64]; /* the peer's, of TLS 1.3 */
        size_t secret_len;
        EVP_MD_CTX *sent, *got;
};

/* Two sockets and no TLS. */
void both_connect(struct both *b);
/* … and a handshake. */
void both_open(struct both *b, int version, bool accepts);
void both_close(struct both *b);
/* What was sent and what was got are the same, by SHA-256. */
void both_same(struct both *b);

void wait_for(int fd, short events);
/* Octets whose value depends on where they stand. */
void pattern_at(unsigned char *buf, size_t n, size_t at);

void peer_says(struct both *b, const char *text);
void peer_writes(struct both *b, const void *octets, size_t n); /* past TLS */
void peer_resets(struct both *b);
/* A record made by hand (TLS 1.3, text of less than 100 octets): OpenSSL writes no empty ones. The
 * first has this number. */
unsigned first_number(const struct both *b);
void peer_writes_record(struct both *b, unsigned number, unsigned char type, const char *text);

enum needs { SENDS = KTLS_SENDS, RECEIVES = KTLS_RECEIVES, TLS13 = 4, CONNECTS = 8 };

struct promise {
        const char *text;
        void (*test)(struct both *b, bool splicing);
        int needs;
};
/* Runs them all where this kernel has it; returns the number of failures. */
int both_run(const char *name, const struct promise *promises, size_t n_promises);

#endif
