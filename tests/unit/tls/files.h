/* SPDX-License-Identifier: ISC */
/* Certificates in files, for tests of listen-tls: NAME.pem holds certificate and key, NAME.crt and
 * NAME.key one each. */
#ifndef TESTS_TLS_FILES_H
#define TESTS_TLS_FILES_H

#include "cert.h"

enum { EC_A, RSA_A, EC_WILD, RSA_WWW, PLAIN, OLD, EARLY, FILES_N };
extern struct cert files_certs[FILES_N];

const char *files_path(const char *name, const char *ending);

/* For the set-up and tear-down of a group of tests. */
int files_make(void **state);
int files_free(void **state);

#endif
