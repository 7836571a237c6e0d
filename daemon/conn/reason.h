/* SPDX-License-Identifier: ISC */
/* The reasons a connection can end for; the rows are in reasons.def. */
#ifndef CONN_REASON_H
#define CONN_REASON_H

#include <stddef.h>

enum reason {
#define R(id, name, by, help) REASON_##id,
#include "conn/reasons.def"
#undef R
        REASONS,
        REASON_NONE = REASONS, /* it goes on */
};

enum ended_by { BY_CLIENT, BY_UPSTREAM, BY_SPLICED, BY_SIDE, BY_NOBODY };

/* As in the record: "client-reset"; the row's help sentence; who ended it ("client", …). */
const char *reason_name(enum reason r);
const char *reason_help(enum reason r);
enum ended_by reason_by(enum reason r);
const char *ended_by_name(enum ended_by by);

#endif
