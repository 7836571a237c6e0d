/* SPDX-License-Identifier: ISC */
/* The head of an HTTP request: octets in, verdict out (RFC 9112). Only what is needed to look. */
#ifndef CONTROL_ADMIN_REQUEST_H
#define CONTROL_ADMIN_REQUEST_H

#include <stdbool.h>
#include <stddef.h>

enum {
        ADMIN_HEAD_MAX = 8 * 1024, /* octets of a request's head; more is refused */
        ADMIN_PATH_MAX = 64,
        ADMIN_HOST_MAX = 256,
};

struct admin_request {
        bool head_only;            /* HEAD: the answer has no body */
        char path[ADMIN_PATH_MAX]; /* without what follows a "?"; too long to be ours: "" */
        char host[ADMIN_HOST_MAX]; /* as asked for, without the port; "": not said */
};

/* head is all up to the empty line, which may be missing. Returns 0 and fills *out; or what to
 * answer instead: 400, 405, 505. */
int admin_request_parse(const char *head, size_t n, struct admin_request *out);

/* Where the head ends in what has arrived: behind its empty line; 0: not yet. */
size_t admin_request_end(const char *s, size_t n);

#endif
