/* SPDX-License-Identifier: ISC */
#include "control/manager.h"

#include "config.h"

#ifdef HAVE_SYSTEMD
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <systemd/sd-bus.h>

#include "base/log.h"
#include "base/own.h"

#define SERVICE      "org.freedesktop.systemd1"
#define MANAGER_PATH "/org/freedesktop/systemd1"

enum {
        PATIENCE_US = 1000 * 1000,
        DESCRIPTORS = 2, /* that are left: see control/store.c */
};

/* The manager's object for this process's unit; owned, or NULL. */
static char *unit_path(sd_bus *bus)
{
        sd_bus_message *answer = NULL;
        const char *path = NULL;
        char *copy = NULL;
        if (sd_bus_call_method(bus, SERVICE, MANAGER_PATH, SERVICE ".Manager", "GetUnitByPID", NULL,
                               &answer, "u", (uint32_t)0) >= 0 &&
            sd_bus_message_read(answer, "o", &path) > 0)
                copy = strdup(path);
        sd_bus_message_unref(answer);
        return copy;
}

/* The unit's job; owned, or NULL: there is none. */
static char *job_path(sd_bus *bus, const char *unit)
{
        sd_bus_message *answer = NULL;
        uint32_t id = 0;
        const char *path = NULL;
        char *copy = NULL;
        if (sd_bus_get_property(bus, SERVICE, unit, SERVICE ".Unit", "Job", NULL, &answer,
                                "(uo)") >= 0 &&
            sd_bus_message_read(answer, "(uo)", &id, &path) > 0 && id > 0)
                copy = strdup(path);
        sd_bus_message_unref(answer);
        return copy;
}

static bool is_restart(sd_bus *bus, const char *job)
{
        OWN_FREE char *type = NULL;
        return sd_bus_get_property_string(bus, SERVICE, job, SERVICE ".Job", "JobType", NULL,
                                          &type) >= 0 &&
               strcmp(type, "restart") == 0;
}

static bool keeps_descriptors(sd_bus *bus, const char *unit)
{
        uint32_t most = 0;
        if (sd_bus_get_property_trivial(bus, SERVICE, unit, SERVICE ".Service",
                                        "FileDescriptorStoreMax", NULL, 'u', &most) >= 0 &&
            most >= DESCRIPTORS)
                return true;
        log_warning("connections do not survive this restart: FileDescriptorStoreMax= is %u, and "
                    "%d are needed",
                    (unsigned)most, DESCRIPTORS);
        return false;
}

static bool ask(sd_bus *bus)
{
        sd_bus_set_method_call_timeout(bus, PATIENCE_US);
        OWN_FREE char *unit = unit_path(bus);
        OWN_FREE char *job = unit != NULL ? job_path(bus, unit) : NULL;
        return job != NULL && is_restart(bus, job) && keeps_descriptors(bus, unit);
}

bool manager_restarts(void)
{
        sd_bus *bus = NULL;
        if (getenv("NOTIFY_SOCKET") == NULL || sd_bus_open_system(&bus) < 0)
                return false;
        bool restarts = ask(bus);
        sd_bus_flush_close_unref(bus);
        return restarts;
}
#else
bool manager_restarts(void)
{
        return false;
}
#endif
