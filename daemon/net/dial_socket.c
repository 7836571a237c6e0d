/* SPDX-License-Identifier: ISC */
#include "net/dial_socket.h"

#include <errno.h>
#include <netinet/tcp.h>

bool dial_out_of_resources(int error)
{
        return error == EMFILE || error == ENFILE || error == ENOMEM || error == ENOBUFS;
}

static bool is_tcp(const struct sockaddress *a)
{
        return a->sa.sa_family == AF_INET || a->sa.sa_family == AF_INET6;
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

/* A connection works without them, too. */
static void set_options(int fd)
{
        static const int on = 1;
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
}

int dial_socket_open(const struct sockaddress *address, dial_relief_fn *relief, void *relief_arg)
{
        int fd = open_with_relief(address, relief, relief_arg);
        if (fd >= 0 && is_tcp(address))
                set_options(fd);
        return fd;
}

static in_port_t port_of(const struct sockaddress *a)
{
        return a->sa.sa_family == AF_INET6 ? a->in6.sin6_port : a->in.sin_port;
}

/* The port alone tells, nearly always, and costs one call. */
bool dial_socket_met_itself(int fd, const struct sockaddress *address)
{
        struct sockaddress local = { .len = sizeof local.storage };
        struct sockaddress peer = { .len = sizeof peer.storage };
        return is_tcp(address) && getsockname(fd, &local.sa, &local.len) == 0 &&
               port_of(&local) == port_of(address) && getpeername(fd, &peer.sa, &peer.len) == 0 &&
               sockaddress_equal(&local, &peer);
}
