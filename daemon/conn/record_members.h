/* SPDX-License-Identifier: ISC */
/* The members of a record, and the two forms that have all of them: a JSON object, and fields of
 * the journal. One table makes both. */
#ifndef CONN_RECORD_MEMBERS_H
#define CONN_RECORD_MEMBERS_H

#include "base/log.h"
#include "base/text.h"
#include "conn/record.h"

/* Add the record to t as one object, without spaces. */
void record_add_json(struct text *t, const struct record *r);

/* The members as fields: SPLICED_TLS_VERSION is tls.version. What did not happen has none. */
enum { RECORD_FIELDS_MAX = 48 };

struct record_fields {
        struct text octets; /* the names and values, each with its NUL */
        struct log_field items[RECORD_FIELDS_MAX];
        size_t n; /* 0 when memory ran short */
};
void record_fields_init(struct record_fields *f, const struct record *r);
void record_fields_fini(struct record_fields *f);

#endif
