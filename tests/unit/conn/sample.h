/* SPDX-License-Identifier: ISC */
/* Records to be written. */
#ifndef TESTS_CONN_SAMPLE_H
#define TESTS_CONN_SAMPLE_H

#include "conn/record.h"

/* Everything happened: two attempts, TLS on both legs. Borrows what is static. */
struct record full_record(void);

/* Nothing did: refused as soon as it was accepted. */
struct record bare_record(void);

/* `HOST:PORT`, `[V6]:PORT` or `unix:PATH` as the kernel takes it. */
struct sockaddress address(const char *text);

#endif
