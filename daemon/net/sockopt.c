/* SPDX-License-Identifier: ISC */
#include "net/sockopt.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "base/own.h"
#include "base/text.h"

#define OFFERED   "/proc/sys/net/ipv4/tcp_available_congestion_control"
#define FOR_ALL   "/proc/sys/net/ipv4/tcp_allowed_congestion_control"
#define NO_PACING "reno"

/* bbr, where it is the system's, paces even what never leaves this machine; reno is in every
 * kernel. Setting it costs a call for each connection, and short ones gain nothing by it. */
struct sockopt_sets sockopt_sets(const char *congestion)
{
        struct sockopt_sets sets = { .loopback.keepalive_later = true };
        if (strcmp(congestion, "auto") == 0)
                sets.loopback.bulk_congestion = NO_PACING;
        else if (strcmp(congestion, "system") != 0)
                sets.loopback.congestion = sets.elsewhere.congestion = congestion;
        return sets;
}

static bool is_loopback(const struct sockaddress *a)
{
        if (a->sa.sa_family == AF_INET)
                return ntohl(a->in.sin_addr.s_addr) >> 24 == IN_LOOPBACKNET;
        const struct in6_addr *v6 = &a->in6.sin6_addr;
        return IN6_IS_ADDR_LOOPBACK(v6) ||
               (IN6_IS_ADDR_V4MAPPED(v6) && v6->s6_addr[12] == IN_LOOPBACKNET);
}

const struct sockopts *sockopts_for(const struct sockopt_sets *sets,
                                    const struct sockaddress *address)
{
        static const struct sockopts none = { 0 };
        if (address->sa.sa_family != AF_INET && address->sa.sa_family != AF_INET6)
                return NULL;
        if (sets == NULL)
                return &none;
        return is_loopback(address) ? &sets->loopback : &sets->elsewhere;
}

static int set_on(int fd, int level, int option)
{
        const int on = 1;
        return setsockopt(fd, level, option, &on, sizeof on) == 0 ? 0 : errno;
}

static int set_congestion(int fd, const char *name)
{
        if (name == NULL)
                return 0;
        return setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, name, (socklen_t)strlen(name)) == 0
                       ? 0
                       : errno;
}

int sockopt_begin(int fd, const struct sockopts *set)
{
        if (set == NULL)
                return 0;
        if (!set->keepalive_later) /* who waits for ever may never send a second time */
                set_on(fd, SOL_SOCKET, SO_KEEPALIVE);
        return set_congestion(fd, set->congestion);
}

void sockopt_tune(int fd, const struct sockopts *set)
{
        if (set == NULL)
                return;
        set_on(fd, IPPROTO_TCP, TCP_NODELAY);
        if (set->keepalive_later)
                set_on(fd, SOL_SOCKET, SO_KEEPALIVE);
        set_congestion(fd, set->bulk_congestion);
}

int sockopt_listen(int fd, const struct sockopts *set)
{
        if (set == NULL)
                return 0;
        int error = set_on(fd, IPPROTO_TCP, TCP_NODELAY);
        if (error == 0)
                error = set_on(fd, SOL_SOCKET, SO_KEEPALIVE);
        if (error == 0)
                error = set_congestion(fd, set->congestion);
        if (error == 0)
                set_congestion(fd, set->bulk_congestion);
        return error;
}

/* --- what there is --------------------------------------------------------------------------- */

int sockopt_congestion_try(const char *name)
{
        OWN_FD int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (fd < 0)
                return errno;
        return set_congestion(fd, name);
}

static void read_names(const char *path, char *names, size_t size)
{
        names[0] = '\0';
        FILE *f = fopen(path, "re");
        if (f == NULL)
                return;
        if (fgets(names, (int)size, f) == NULL)
                names[0] = '\0';
        fclose(f);
}

void sockopt_congestion_offered(struct text *out)
{
        char names[1024];
        read_names(OFFERED, names, sizeof names);
        char *rest = NULL;
        const char *separator = "";
        for (char *n = strtok_r(names, " \n", &rest); n != NULL; n = strtok_r(NULL, " \n", &rest)) {
                text_addf(out, "%s%s", separator, n);
                separator = ", ";
        }
}

bool sockopt_congestion_for_all(const char *name)
{
        char names[1024];
        read_names(FOR_ALL, names, sizeof names);
        char *rest = NULL;
        for (char *n = strtok_r(names, " \n", &rest); n != NULL; n = strtok_r(NULL, " \n", &rest)) {
                if (strcmp(n, name) == 0)
                        return true;
        }
        return false;
}
