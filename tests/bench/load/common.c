/* SPDX-License-Identifier: ISC */
/* What both sides of the load need. */
#include "load.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

/* A prime, so that no size of message or buffer hides a mistake. */
enum { PERIOD = 65521, WHOLE = 4096, EDGE = 64, LARGE = 1024 * 1024, LOOK_AT = 8 };

void fail(const char *what)
{
        printf("{\"failed\": \"%s: %s\"}\n", what, strerror(errno));
        fflush(stdout);
        _exit(1);
}

uint64_t now_ns(void)
{
        struct timespec t;
        clock_gettime(CLOCK_MONOTONIC, &t);
        return (uint64_t)t.tv_sec * 1000000000U + (uint64_t)t.tv_nsec;
}

const unsigned char *pattern_at(uint64_t offset)
{
        static unsigned char pattern[PERIOD + CHUNK];
        static bool made;
        if (!made) {
                uint32_t x = 2463534242U;
                for (size_t i = 0; i < PERIOD; i++) {
                        x ^= x << 13;
                        x ^= x >> 17;
                        x ^= x << 5;
                        pattern[i] = (unsigned char)x;
                }
                for (size_t i = PERIOD; i < sizeof pattern; i++)
                        pattern[i] = pattern[i - PERIOD];
                made = true;
        }
        return pattern + offset % PERIOD;
}

bool pattern_ok(uint64_t offset, const unsigned char *p, size_t n)
{
        const unsigned char *want = pattern_at(offset);
        if (n <= WHOLE)
                return memcmp(p, want, n) == 0;
        return memcmp(p, want, EDGE) == 0 && memcmp(p + n - EDGE, want + n - EDGE, EDGE) == 0;
}

void header_make(unsigned char header[HEADER], char command, uint64_t n)
{
        header[0] = (unsigned char)command;
        for (int i = 1; i < HEADER; i++)
                header[i] = (unsigned char)(n >> (8 * (HEADER - 1 - i)));
}

uint64_t header_count(const unsigned char header[HEADER])
{
        uint64_t n = 0;
        for (int i = 1; i < HEADER; i++)
                n = n << 8 | header[i];
        return n;
}

void socket_prepare(int fd)
{
        int yes = 1;
        if (setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes) < 0)
                fail("TCP_NODELAY");
        /* A kernel without cubic has reno. */
        if (setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, "cubic", 5) < 0 &&
            setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, "reno", 4) < 0)
                fail("TCP_CONGESTION");
}

unsigned char *scratch(void)
{
        static unsigned char buffer[CHUNK];
        return buffer;
}

ssize_t socket_take(int fd, size_t room, uint64_t n, unsigned *piece, bool *looked)
{
        *looked = n < LARGE || (*piece)++ % LOOK_AT == 0;
        return recv(fd, scratch(), room, MSG_DONTWAIT | (*looked ? 0 : MSG_TRUNC));
}
