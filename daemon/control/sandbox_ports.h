/* SPDX-License-Identifier: ISC */
/* The TCP ports that a configuration has a daemon bind and connect to. */
#ifndef CONTROL_SANDBOX_PORTS_H
#define CONTROL_SANDBOX_PORTS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/diag.h"
#include "config/config.h"

enum sandbox_port_use { SANDBOX_BIND, SANDBOX_CONNECT, SANDBOX_PORT_USES };

/* Start with {0}. */
struct sandbox_ports {
        uint64_t named[SANDBOX_PORT_USES][(UINT16_MAX + 1) / 64]; /* a bit each */
};

/* Those of the addresses listened on (of pages and metrics, too) and of the upstreams; with a name
 * among these, that of name servers, which are asked by TCP when an answer is long. Sockets that
 * are passed, Unix sockets and built-ins have none. */
void sandbox_ports_of_config(struct sandbox_ports *p, const struct config *conf);

/* Whether that port may be used so. Port 0 is for binding: any; with it each is covered. */
bool sandbox_ports_cover(const struct sandbox_ports *p, enum sandbox_port_use use, uint16_t port);

/* Whether another configuration does with these; each address that does not is an error, which ends
 * in advice. */
bool sandbox_ports_check(const struct sandbox_ports *p, const struct config *conf,
                         const char *advice, struct diag *diag);

#endif
