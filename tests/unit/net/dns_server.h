/* SPDX-License-Identifier: ISC */
/* A name server for tests: UDP on loopback, in the loop of the test, answering from a table. */
#ifndef TESTS_DNS_SERVER_H
#define TESTS_DNS_SERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct event_base;
struct dns_server;

enum dns_rcode { DNS_OK = 0, DNS_SERVFAIL = 2, DNS_NXDOMAIN = 3, DNS_REFUSED = 5 };

/* One name. cname: it is an alias for that, which has the addresses. Names not in the table do not
 * exist. */
struct dns_row {
        const char *name;
        const char *a[4], *aaaa[4];
        uint32_t a_ttl, aaaa_ttl;
        const char *cname;
        uint32_t cname_ttl;
        enum dns_rcode rcode;
        bool silent;
};

/* rows is borrowed. */
struct dns_server *dns_server_new(struct event_base *base, const struct dns_row *rows, size_t n);
void dns_server_free(struct dns_server *s);
void dns_server_set_rows(struct dns_server *s, const struct dns_row *rows, size_t n);
uint16_t dns_server_port(const struct dns_server *s);

/* How many questions for name's IPv4 (type 1) or IPv6 (type 28) addresses came; NULL: for all. */
enum dns_type { DNS_A = 1, DNS_CNAME = 5, DNS_AAAA = 28 };
unsigned dns_server_asked(const struct dns_server *s, const char *name, enum dns_type type);

#endif
