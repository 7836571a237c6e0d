/* SPDX-License-Identifier: ISC */
/* The load: one process that plays all clients, and one that plays the server behind the proxy.
 *
 * What a client asks of the server comes first, so that one port serves every kind of work:
 *
 *   E                an octet; E comes back
 *   d + n            n octets of the pattern come back
 *   u + n, n octets  k comes back when all n have arrived
 *   p + n            k comes back; from then on every n octets are answered with n octets
 *
 * n is 8 octets, the highest first. Nothing is asked before the last answer has arrived whole. */
#ifndef BENCH_LOAD_H
#define BENCH_LOAD_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum { HEADER = 9, CHUNK = 256 * 1024, EVENTS = 512 };

/* --- common.c --- */

/** Say what failed and errno's reason, on one line of JSON, and exit with 1: a row of the table
 * built on this run must not be a number. */
_Noreturn void fail(const char *what);

uint64_t now_ns(void);

/** At least CHUNK octets that belong at this offset of everything that is sent. */
const unsigned char *pattern_at(uint64_t offset);

/** Whether n octets (at most CHUNK) belong at offset: all of a small message, both ends of a large
 * one, so that what was lost, doubled or swapped shows and looking costs little. */
bool pattern_ok(uint64_t offset, const unsigned char *p, size_t n);

void header_make(unsigned char header[HEADER], char command, uint64_t n);
uint64_t header_count(const unsigned char header[HEADER]);

/** No delay, and a congestion control that does not pace loopback: what is measured is the proxy,
 * so these sockets must not be what it waits for. */
void socket_prepare(int fd);

/** recv() into scratch(). Of a large transfer (n octets in all) only every eighth piece is: the
 * others the kernel drops, so that receiving costs less than forwarding. Sets *looked to what this
 * one is. */
ssize_t socket_take(int fd, size_t room, uint64_t n, unsigned *piece, bool *looked);

/** Where received octets are put before they are looked at; CHUNK long, one for the process. */
unsigned char *scratch(void);

/* --- server.c --- */

/** Prints "port N", serves on every address of the machine until standard input ends. */
int serve(void);

/* --- histogram.c: how long things took, within 1.6 % --- */

enum { HISTOGRAM_BUCKETS = 64 * 64 };

struct histogram {
        uint64_t total;
        uint32_t bucket[HISTOGRAM_BUCKETS];
};

void histogram_add(struct histogram *h, uint64_t ns);
/** In microseconds; 0 when there is nothing. */
double histogram_percentile(const struct histogram *h, double percent);

#endif
