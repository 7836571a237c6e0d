/* SPDX-License-Identifier: ISC */
#include "net/fdpass.h"

#include <assert.h>
#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>

#include "base/own.h"

union room {
        char octets[CMSG_SPACE(FDPASS_MOST * sizeof(int))];
        struct cmsghdr align;
};

int fdpass_send(int to, const void *octets, size_t n, const int *fds, size_t n_fds)
{
        union room room = { .octets = { 0 } };
        struct iovec data = { .iov_base = (void *)(uintptr_t)octets, .iov_len = n };
        struct msghdr m = { .msg_iov = &data, .msg_iovlen = 1 };
        assert(n_fds <= FDPASS_MOST);
        if (n_fds > 0) {
                m.msg_control = room.octets;
                m.msg_controllen = CMSG_SPACE(n_fds * sizeof *fds);
                struct cmsghdr *c = CMSG_FIRSTHDR(&m);
                c->cmsg_len = CMSG_LEN(n_fds * sizeof *fds);
                c->cmsg_level = SOL_SOCKET;
                c->cmsg_type = SCM_RIGHTS;
                memcpy(CMSG_DATA(c), fds, n_fds * sizeof *fds);
        }
        ssize_t sent;
        while ((sent = sendmsg(to, &m, MSG_NOSIGNAL)) < 0 && errno == EINTR)
                continue;
        return sent < 0 ? errno : 0;
}

ssize_t fdpass_receive(int from, void *octets, size_t size, int *fds, size_t *n_fds)
{
        union room room;
        struct iovec data = { .iov_base = octets, .iov_len = size };
        struct msghdr m = { .msg_iov = &data,
                            .msg_iovlen = 1,
                            .msg_control = room.octets,
                            .msg_controllen = sizeof room.octets };
        ssize_t n;
        *n_fds = 0;
        while ((n = recvmsg(from, &m, MSG_CMSG_CLOEXEC)) < 0 && errno == EINTR)
                continue;
        struct cmsghdr *c = n > 0 ? CMSG_FIRSTHDR(&m) : NULL;
        if (c != NULL && c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS) {
                *n_fds = (c->cmsg_len - CMSG_LEN(0)) / sizeof *fds;
                memcpy(fds, CMSG_DATA(c), *n_fds * sizeof *fds);
        }
        if (n <= 0 || !(m.msg_flags & (MSG_CTRUNC | MSG_TRUNC)))
                return n;
        while (*n_fds > 0)
                own_close(&fds[--*n_fds]);
        errno = EMSGSIZE;
        return -1;
}
