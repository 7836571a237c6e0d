/* SPDX-License-Identifier: ISC */
/* Telling the service manager (sd_notify(3)); nothing where there is none. */
#ifndef CONTROL_NOTIFY_H
#define CONTROL_NOTIFY_H

#include <stdint.h>

void notify_ready(const char *status);
/* How long the manager waits for notify_alive() before it ends us, in microseconds; 0: it does not
 * (sd_watchdog_enabled(3)). */
int64_t notify_watchdog_us(void);
void notify_alive(const char *status);
/* Until the next notify_ready(). */
void notify_reloading(void);
/* Another process is this service now. Returns once the manager knows, or does not answer. */
void notify_main_pid(long pid);
/* patience_us  how long stopping may take: the manager waits for that, whatever its own limit. */
void notify_stopping(const char *status, int64_t patience_us);

#endif
