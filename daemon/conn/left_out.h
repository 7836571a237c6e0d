/* SPDX-License-Identifier: ISC */
/* Connections that have no record of their own, because too many ended alike: the log says how many
 * they were. Safe from every thread. */
#ifndef CONN_LEFT_OUT_H
#define CONN_LEFT_OUT_H

#include "conn/reason.h"

/* One more. service is copied. */
void left_out_add(const char *service, enum reason why);

/* A line for each service and reason since the last call. To be called now and then, and before the
 * log is closed. */
void left_out_tell(void);

#endif
