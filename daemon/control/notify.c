/* SPDX-License-Identifier: ISC */
#include "control/notify.h"

#include "base/clock.h"
#include "config.h"

#ifdef HAVE_SYSTEMD
#include <inttypes.h>

#include <systemd/sd-daemon.h>

void notify_ready(const char *status)
{
        sd_notifyf(0, "READY=1\nSTATUS=%s", status);
}

int64_t notify_watchdog_us(void)
{
        uint64_t us = 0;
        return sd_watchdog_enabled(0, &us) > 0 && us <= INT64_MAX ? (int64_t)us : 0;
}

void notify_alive(const char *status)
{
        sd_notifyf(0, "WATCHDOG=1\nSTATUS=%s", status);
}

/* sd_notify(3): the manager orders what it is told by this clock. */
void notify_reloading(void)
{
        sd_notifyf(0, "RELOADING=1\nMONOTONIC_USEC=%" PRId64, clock_us());
}

void notify_main_pid(long pid)
{
        enum { PATIENCE_US = 1000 * 1000 };
        if (sd_notifyf(0, "MAINPID=%ld", pid) > 0)
                sd_notify_barrier(0, PATIENCE_US);
}

void notify_stopping(const char *status, int64_t patience_us)
{
        sd_notifyf(0, "STOPPING=1\nSTATUS=%s\nEXTEND_TIMEOUT_USEC=%" PRId64, status, patience_us);
}
#else
void notify_ready(const char *status)
{
        (void)status;
}

int64_t notify_watchdog_us(void)
{
        return 0;
}

void notify_alive(const char *status)
{
        (void)status;
}

void notify_reloading(void)
{
}

void notify_main_pid(long pid)
{
        (void)pid;
}

void notify_stopping(const char *status, int64_t patience_us)
{
        (void)status, (void)patience_us;
}
#endif
