/* SPDX-License-Identifier: ISC */
/* Addresses: as people write them, and as the kernel takes them. No names are looked up here. */
#ifndef BASE_ADDR_H
#define BASE_ADDR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <netinet/in.h>

/* An address as the kernel takes it. len 0: none. */
struct sockaddress {
        socklen_t len;
        union {
                struct sockaddr sa;
                struct sockaddr_in in;
                struct sockaddr_in6 in6;
                struct sockaddr_un un;
                struct sockaddr_storage storage;
        };
};

/* `10.0.0.5:22`, `[2001:db8::1]:22`, `unix:/path`, `unix:@abstract`, `unix:` (unnamed); an IPv4
 * address mapped into IPv6 is written as IPv4. */
#define SOCKADDRESS_TEXT_MAX 128
const char *sockaddress_text(const struct sockaddress *a, char buf[static SOCKADDRESS_TEXT_MAX]);
bool sockaddress_equal(const struct sockaddress *a, const struct sockaddress *b);
/* The port of IPv4 and IPv6, in the host's order; 0 where there is none. */
uint16_t sockaddress_port(const struct sockaddress *a);
void sockaddress_set_port(struct sockaddress *a, uint16_t port);

/* The same in as few octets as it takes, for what is kept for long: 9 for IPv4, where struct
 * sockaddress has 136. to has room for sockaddress_packed_size(). */
size_t sockaddress_packed_size(const struct sockaddress *a);
void sockaddress_pack(const struct sockaddress *a, uint8_t *to);
/* Returns what comes after it. */
const uint8_t *sockaddress_unpack(const uint8_t *from, struct sockaddress *a);

/* An address as people write it. */
enum addr_kind {
        ADDR_HOST,    /* HOST:PORT, [V6]:PORT, and *:PORT (any = true) */
        ADDR_UNIX,    /* unix:/path, unix:@abstract */
        ADDR_SYSTEMD, /* systemd:NAME, a socket passed by systemd, by FileDescriptorName */
        ADDR_BUILTIN, /* echo, discard, chargen, daytime: host holds the name */
};

struct addr {
        enum addr_kind kind;
        bool any;      /* *:PORT: every IPv4 and IPv6 address of this machine */
        uint16_t port; /* ADDR_HOST, host order */
        char *text;    /* as written; owned */
        char *host; /* owned: host name or literal without brackets; path or @name; NAME; built-in
                     */
};

enum addr_use { ADDR_FOR_LISTEN, ADDR_FOR_CONNECT };

/* Read an address. Returns NULL and fills *out (addr_fini() frees what it holds), or says what is
 * wrong, to be quoted after the value. Ports may be service names (getservbyname, tcp). */
const char *addr_parse(const char *s, enum addr_use use, struct addr *out);
void addr_fini(struct addr *a);

/* If a is a literal address or a Unix path: fill *out and return true. */
bool addr_literal(const struct addr *a, struct sockaddress *out);

#endif
