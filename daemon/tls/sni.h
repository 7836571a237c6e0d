/* SPDX-License-Identifier: ISC */
/* The name in a ClientHello's server_name extension. */
#ifndef TLS_SNI_H
#define TLS_SNI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SNI_MAX 255

/* p, n: the extension's body (RFC 6066, section 3). Fills name and returns true when it holds one
 * host name of 1 to SNI_MAX octets without NUL, and nothing else. */
bool sni_parse(const uint8_t *p, size_t n, char name[static SNI_MAX + 1]);

#endif
