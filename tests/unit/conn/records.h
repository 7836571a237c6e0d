/* SPDX-License-Identifier: ISC */
/* Records as they arrive in the log. */
#ifndef TESTS_CONN_RECORDS_H
#define TESTS_CONN_RECORDS_H

#include <stdbool.h>

#include <jansson.h>

/* Open the log, empty, in a temporary file; close it and remove the file. */
void records_open(void);
void records_close(void);
/* The same before and after a test, or a group of them. */
int records_set_up(void **state);
int records_tear_down(void **state);

/* What was logged since the last call, as it stands there. Owned by the caller. */
char *records_raw(void);

/* The one record that was logged since the last call: one line, one object. Released by
 * json_decref(). */
json_t *records_one(void);

/* A member of an object, which must be there; nested as in "tls.version". */
json_t *member(json_t *object, const char *path);
const char *string_member(json_t *object, const char *path);
json_int_t integer_member(json_t *object, const char *path);
bool is_null(json_t *object, const char *path);

#endif
