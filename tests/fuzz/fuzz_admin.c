/* SPDX-License-Identifier: ISC */
/* Heads of HTTP requests: read or refused, and what is read is there to be used as a string. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "control/admin_request.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool condition)
{
        if (!condition)
                abort();
}

/* No sooner than its empty line has come, and the same whatever follows. */
static void check_end(const char *s, size_t n)
{
        size_t end = admin_request_end(s, n);
        must(end <= n);
        if (end == 0)
                return;
        must(s[end - 1] == '\n');
        must(admin_request_end(s, end) == end);
        must(admin_request_end(s, end - 1) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        struct admin_request r;
        char *s = malloc(size > 0 ? size : 1); /* exact: reading too far is noticed */
        if (s == NULL)
                return 0;
        if (size > 0)
                memcpy(s, data, size);
        check_end(s, size);
        int status = admin_request_parse(s, size, &r);
        must(status == 0 || status == 400 || status == 405 || status == 505);
        must(memchr(r.path, '\0', sizeof r.path) != NULL);
        must(memchr(r.host, '\0', sizeof r.host) != NULL);
        must(status != 0 || r.path[0] == '/' || r.path[0] == '\0');
        free(s);
        return 0;
}
