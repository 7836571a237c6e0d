/* SPDX-License-Identifier: ISC */
/* Messages with descriptors over a Unix socket that keeps messages apart (SOCK_SEQPACKET, unix(7)).
 */
#ifndef NET_FDPASS_H
#define NET_FDPASS_H

#include <sys/types.h>

enum { FDPASS_MOST = 250 }; /* descriptors a message; the kernel's most is 253 */

/* Sends n octets, 1 at least, with copies of the descriptors. Returns 0 or errno. */
int fdpass_send(int to, const void *octets, size_t n, const int *fds, size_t n_fds);

/* Receives one message; fds has room for FDPASS_MOST, of which *n_fds come, close-on-exec and owned
 * by the caller. Returns its length, 0 at the end, -1 with errno set: EMSGSIZE where something was
 * cut off. */
ssize_t fdpass_receive(int from, void *octets, size_t size, int *fds, size_t *n_fds);

#endif
