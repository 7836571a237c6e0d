/* SPDX-License-Identifier: ISC */
#include "net/lsock_gate.h"

#include <errno.h>
#include <linux/filter.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include "base/own.h"
#include "net/lsock_internal.h"

/* A socket of systemd's is shared with systemd, and shutdown(2) on a Unix socket is for ever. */
static bool can_refuse(const struct lsock *l)
{
        return !l->passed && l->address.sa.sa_family != AF_UNIX;
}

static void move(struct lsock *l, enum lsock_gate gate)
{
        atomic_store_explicit(&l->gate, (int)gate, memory_order_release);
}

static void attach(const struct lsock *l, const struct sock_fprog *filter)
{
        for (size_t i = 0; i < l->n_fds; i++)
                setsockopt(l->fds[i], SOL_SOCKET, SO_ATTACH_FILTER, filter, sizeof *filter);
}

/* The socket filter of a TCP socket sees the segment from its header on: flags are octet 13.
 * Accepted sockets inherit it, and never get such a segment. */
static void take_no_syn(const struct lsock *l)
{
        enum { FLAGS_AT = 13, SYN = 0x02, ACK = 0x10 };
        struct sock_filter code[] = {
                BPF_STMT(BPF_LD | BPF_B | BPF_ABS, FLAGS_AT),
                BPF_STMT(BPF_ALU | BPF_AND | BPF_K, SYN | ACK),
                BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYN, 0, 1),
                BPF_STMT(BPF_RET | BPF_K, 0),
                BPF_STMT(BPF_RET | BPF_K, UINT32_MAX),
        };
        attach(l, &(struct sock_fprog){ .len = COUNTOF(code), .filter = code });
}

void lsock_close_gate(struct lsock *l)
{
        if (!can_refuse(l)) {
                move(l, LSOCK_EMPTYING);
                return;
        }
        take_no_syn(l);
        move(l, LSOCK_CLOSING);
}

void lsock_begin_emptying(struct lsock *l)
{
        lsock_shut(l);
        move(l, LSOCK_EMPTYING);
}

/* Of a socket that listens, "unacked" is the length of the queue. */
static bool is_empty(const struct lsock *l)
{
        for (size_t i = 0; i < l->n_fds; i++) {
                struct tcp_info info = { 0 };
                socklen_t len = sizeof info;
                if (getsockopt(l->fds[i], IPPROTO_TCP, TCP_INFO, &info, &len) == 0 &&
                    info.tcpi_unacked > 0)
                        return false;
        }
        return true;
}

static bool listens(int fd)
{
        int is = 0;
        socklen_t len = sizeof is;
        return getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &is, &len) == 0 && is != 0;
}

/* It stays bound to its port, which was asked for by its number. To shut one that does not listen
 * would not be for nothing: the connections it accepts later could not be read from. */
static void stop_listening(const struct lsock *l)
{
        for (size_t i = 0; i < l->n_fds; i++)
                if (listens(l->fds[i]))
                        shutdown(l->fds[i], SHUT_RD);
}

bool lsock_end_emptying(struct lsock *l)
{
        if (!can_refuse(l)) {
                move(l, LSOCK_WAITING);
                return true;
        }
        if (!is_empty(l))
                return false;
        stop_listening(l);
        move(l, LSOCK_REFUSING);
        return true;
}

static int listen_again(const struct lsock *l, const struct lsock_settings *settings)
{
        int error = 0;
        for (size_t i = 0; i < l->n_fds && error == 0; i++)
                error = lsock_listen(l->fds[i], settings);
        if (error != 0)
                stop_listening(l);
        return error;
}

int lsock_open_gate(struct lsock *l, const struct lsock_settings *settings)
{
        const int ignored = 0;
        int error = lsock_gate(l) == LSOCK_REFUSING ? listen_again(l, settings) : 0;
        if (error != 0)
                return error;
        for (size_t i = 0; i < l->n_fds && can_refuse(l); i++)
                setsockopt(l->fds[i], SOL_SOCKET, SO_DETACH_FILTER, &ignored, sizeof ignored);
        move(l, LSOCK_OPEN);
        return 0;
}
