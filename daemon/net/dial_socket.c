/* SPDX-License-Identifier: ISC */
#include "net/dial_socket.h"

#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/socket.h>

#include "base/own.h"

bool dial_out_of_resources(int error)
{
        return error == EMFILE || error == ENFILE || error == ENOMEM || error == ENOBUFS;
}

static int open_one(const struct sockaddress *address)
{
        return socket(address->sa.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
}

static int open_with_relief(const struct sockaddress *address, dial_relief_fn *relief,
                            void *relief_arg)
{
        int fd = open_one(address);
        if (fd >= 0 || !dial_out_of_resources(errno) || relief == NULL)
                return fd;
        int error = errno;
        if (relief(relief_arg) == 0)
                return open_one(address);
        errno = error;
        return -1;
}

int dial_socket_open(const struct sockaddress *address, const struct sockopts *options,
                     dial_relief_fn *relief, void *relief_arg)
{
        OWN_FD int fd = open_with_relief(address, relief, relief_arg);
        if (fd < 0)
                return -1;
        int error = sockopt_begin(fd, options);
        if (error == 0)
                return TAKE_FD(fd);
        own_close(&fd);
        errno = error;
        return -1;
}

/* --- meeting oneself ------------------------------------------------------------------------- */

struct range {
        unsigned first, last;
};

static struct range own_ports;

/* Where the kernel does not tell: every port. */
static void read_own_ports(void)
{
        own_ports = (struct range){ 1, UINT16_MAX };
        struct range r;
        FILE *f = fopen("/proc/sys/net/ipv4/ip_local_port_range", "re");
        if (f == NULL)
                return;
        if (fscanf(f, "%u %u", &r.first, &r.last) == 2)
                own_ports = r;
        fclose(f);
}

/* Whether the kernel gives that port to sockets that connect. */
static bool is_given_out(uint16_t port)
{
        static pthread_once_t once = PTHREAD_ONCE_INIT;
        pthread_once(&once, read_own_ports);
        return port >= own_ports.first && port <= own_ports.last;
}

/* The port alone tells, nearly always: most ports for nothing, the others by one call. */
bool dial_socket_met_itself(int fd, const struct sockaddress *address)
{
        struct sockaddress local = { .len = sizeof local.storage };
        struct sockaddress peer = { .len = sizeof peer.storage };
        uint16_t port = sockaddress_port(address);
        return port != 0 && is_given_out(port) && getsockname(fd, &local.sa, &local.len) == 0 &&
               sockaddress_port(&local) == port && getpeername(fd, &peer.sa, &peer.len) == 0 &&
               sockaddress_equal(&local, &peer);
}
