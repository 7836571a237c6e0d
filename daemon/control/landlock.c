/* SPDX-License-Identifier: ISC */
/* The C library has no functions for it, and older headers not all names. Constants as in the
 * kernel's include/uapi/linux/landlock.h. */
#include "control/landlock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/own.h"

/* The same on every architecture. */
enum { CALL_CREATE_RULESET = 444, CALL_ADD_RULE = 445, CALL_RESTRICT_SELF = 446 };
enum { CREATE_RULESET_VERSION = 1 << 0, RULE_PATH_BENEATH = 1, RULE_NET_PORT = 2 };

enum right {
        EXECUTE = 1 << 0,
        WRITE_FILE = 1 << 1,
        READ_FILE = 1 << 2,
        READ_DIR = 1 << 3,
        REMOVE_FILE = 1 << 5,
        MAKE_REG = 1 << 8,
        MAKE_SOCK = 1 << 9,
};

enum net_right { BIND_TCP = 1 << 0, CONNECT_TCP = 1 << 1 };

enum { SCOPE_SIGNAL = 1 << 1 };

struct ruleset {
        uint64_t files; /* rights that only rules give */
        uint64_t net;
        uint64_t scoped;
};

struct rule {
        uint64_t rights;
        int32_t fd;
} __attribute__((packed));

struct port_rule {
        uint64_t rights;
        uint64_t port; /* in the host's order */
};

int landlock_version(void)
{
        long version = syscall(CALL_CREATE_RULESET, NULL, (size_t)0, CREATE_RULESET_VERSION);
        return version > 0 ? (int)version : 0;
}

/* All rights that a version knows: their number has only grown. */
static uint64_t known(int version)
{
        static const unsigned rights[] = { 13, 13, 14, 15, 15, 16 };
        size_t last = COUNTOF(rights) - 1;
        return (UINT64_C(1) << rights[(size_t)version < last ? (size_t)version : last]) - 1;
}

static uint64_t rights_for(unsigned uses, bool directory)
{
        uint64_t rights = 0;
        if (uses & SANDBOX_READ)
                rights |= READ_FILE | READ_DIR;
        if (uses & SANDBOX_LOG)
                rights |= WRITE_FILE | MAKE_REG;
        if (uses & SANDBOX_SOCKETS)
                rights |= MAKE_SOCK | REMOVE_FILE;
        return directory ? rights : rights & (READ_FILE | WRITE_FILE);
}

/* A path that has gone since is no error: there is nothing to allow. */
static int allow(int ruleset, const struct sandbox_path *p)
{
        struct stat st;
        OWN_FD int fd = open(p->path, O_PATH | O_CLOEXEC);
        if (fd < 0 || fstat(fd, &st) < 0)
                return errno == ENOENT || errno == EACCES || errno == ENOTDIR ? 0 : errno;
        struct rule rule = { rights_for(p->uses, S_ISDIR(st.st_mode)), fd };
        if (rule.rights == 0)
                return 0;
        long r = syscall(CALL_ADD_RULE, ruleset, RULE_PATH_BENEATH, &rule, 0);
        return r == 0 ? 0 : errno;
}

/* A port that the kernel is to choose is then asked for by its number (see net/lsock_host), which
 * no rule can know: with port 0 among them, all are bound. */
static uint64_t net_rights(int version, const struct sandbox_ports *ports)
{
        if (ports == NULL || version < LANDLOCK_WITH_PORTS)
                return 0;
        return sandbox_ports_cover(ports, SANDBOX_BIND, 0) ? CONNECT_TCP : BIND_TCP | CONNECT_TCP;
}

/* rights: those that rules give. */
static int allow_port(int ruleset, uint64_t rights, const struct sandbox_ports *ports,
                      unsigned port)
{
        struct port_rule rule = { 0, port };
        if (sandbox_ports_cover(ports, SANDBOX_BIND, (uint16_t)port))
                rule.rights |= rights & BIND_TCP;
        if (sandbox_ports_cover(ports, SANDBOX_CONNECT, (uint16_t)port))
                rule.rights |= rights & CONNECT_TCP;
        if (rule.rights == 0)
                return 0;
        return syscall(CALL_ADD_RULE, ruleset, RULE_NET_PORT, &rule, 0) == 0 ? 0 : errno;
}

static int allow_all(int ruleset, uint64_t rights, const struct sandbox_paths *paths,
                     const struct sandbox_ports *ports)
{
        int error = 0;
        for (size_t i = 0; error == 0 && i < paths->n; i++)
                error = allow(ruleset, &paths->items[i]);
        for (unsigned port = 0; error == 0 && rights != 0 && port <= UINT16_MAX; port++)
                error = allow_port(ruleset, rights, ports, port);
        return error;
}

int landlock_enter(const struct sandbox_paths *paths, const struct sandbox_ports *ports)
{
        int version = landlock_version();
        const struct ruleset all = { known(version), net_rights(version, ports),
                                     version >= 6 ? SCOPE_SIGNAL : 0 };
        /* What an older kernel does not know is zero, which it takes. */
        OWN_FD int ruleset =
                version > 0 ? (int)syscall(CALL_CREATE_RULESET, &all, sizeof all, 0) : -1;
        if (ruleset < 0)
                return version > 0 ? errno : ENOSYS;
        int error = allow_all(ruleset, all.net, paths, ports);
        if (error != 0)
                return error;
        return syscall(CALL_RESTRICT_SELF, ruleset, 0) == 0 ? 0 : errno;
}
