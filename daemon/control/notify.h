/* SPDX-License-Identifier: ISC */
/* Telling the service manager (sd_notify(3)); nothing where there is none. */
#ifndef CONTROL_NOTIFY_H
#define CONTROL_NOTIFY_H

void notify_ready(const char *status);
void notify_stopping(const char *status);

#endif
