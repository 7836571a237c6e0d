/* SPDX-License-Identifier: ISC */
/* A table of promises, each tested under TLS 1.2 and 1.3, as the accepting and the connecting side,
 * over a buffered and a direct stream, and with the kernel's TLS where it has some. */
#ifndef TESTS_TLS_MATRIX_H
#define TESTS_TLS_MATRIX_H

#include "rig.h"

enum matrix_needs {
        BEFORE_HANDSHAKE = 1,
        ONLY_TLS12 = 2,
        ONLY_TLS13 = 4,
        ONLY_ACCEPT = 8,
        ONLY_CONNECT = 16,
        ONLY_BUFFERED = 32,
        ONLY_DIRECT = 64,
        NOT_KTLS = 128, /* of what only OpenSSL does */
        ONLY_KTLS = 256
};

struct promise {
        const char *text;
        void (*test)(struct rig *r); /* after the handshake, unless BEFORE_HANDSHAKE */
        int needs;
};

/* Runs them all; returns the number of failures. */
int matrix_run(const char *name, const struct promise *promises, size_t n);

#endif
