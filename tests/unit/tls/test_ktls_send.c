/* SPDX-License-Identifier: ISC */
/* What is sent through the kernel's TLS. On a kernel without it all is skipped. */
#include "ktls_rig.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>
#include <sys/socket.h>

#include <openssl/err.h>

#include "base/own.h"

/* --- promises of the sending direction; by write and by splice -------------------------------- */

/* Octets from where `at` stands; -1: the socket is full. */
static ssize_t give(struct both *b, bool splicing, size_t at, bool more)
{
        static unsigned char out[60001];
        size_t n = OCTETS - at < sizeof out ? OCTETS - at : sizeof out;
        pattern_at(out, n, at);
        ssize_t k = 0;
        if (splicing) {
                static size_t in_pipe; /* what did not go last time */
                if (in_pipe == 0)
                        in_pipe = (size_t)write(b->pipe[1], out, n);
                k = splice(b->pipe[0], NULL, b->fd, NULL, in_pipe, SPLICE_F_NONBLOCK);
                in_pipe -= k > 0 ? (size_t)k : 0;
        } else {
                k = send(b->fd, out, n, MSG_NOSIGNAL | (more ? MSG_MORE : 0));
        }
        if (k < 0)
                assert_int_equal(errno, EAGAIN);
        else
                EVP_DigestUpdate(b->sent, out, (size_t)k);
        return k;
}

/* Returns false at the end. */
static bool peer_takes(struct both *b)
{
        static char in[16384];
        int n = SSL_read(b->peer, in, sizeof in);
        if (n > 0)
                EVP_DigestUpdate(b->got, in, (size_t)n);
        else if (SSL_get_error(b->peer, n) == SSL_ERROR_WANT_READ)
                wait_for(b->peer_fd, POLLIN);
        return n > 0 || SSL_get_error(b->peer, n) == SSL_ERROR_WANT_READ;
}

/* Whenever the socket is full the peer takes a little; so it is still full, or nearly, when the end
 * comes. */
static void sends_all(struct both *b, bool splicing, bool more)
{
        int error, waited = 0;
        for (size_t at = 0; at < OCTETS;) {
                ssize_t k = give(b, splicing, at, more);
                at += k > 0 ? (size_t)k : 0;
                if (k < 0) {
                        peer_takes(b);
                        waited++;
                }
        }
        while ((error = ktls_close_notify(b->fd)) == EAGAIN)
                peer_takes(b);
        assert_int_equal(error, 0);
        assert_int_equal(shutdown(b->fd, SHUT_WR), 0);
        while (peer_takes(b))
                continue;
        assert_true(waited > 0);
        assert_int_equal(SSL_get_shutdown(b->peer), SSL_RECEIVED_SHUTDOWN);
        both_same(b);
}

static void gives_all(struct both *b, bool splicing)
{
        sends_all(b, splicing, false);
}

static void gives_all_corked(struct both *b, bool splicing)
{
        sends_all(b, splicing, true);
}

static void alert_is_sent(struct both *b, bool splicing)
{
        (void)splicing;
        char buf[10], why[TLS_ERROR_MAX];
        assert_int_equal(ktls_fatal_alert(b->fd, SSL_AD_INTERNAL_ERROR), 0);
        ERR_clear_error();
        int n;
        while ((n = SSL_read(b->peer, buf, sizeof buf)) < 0 &&
               SSL_get_error(b->peer, n) == SSL_ERROR_WANT_READ)
                wait_for(b->peer_fd, POLLIN);
        assert_string_equal(tls_error_text(why), "peer sent alert: internal error");
}

static void reset_is_told(struct both *b, bool splicing)
{
        (void)splicing;
        char why[TLS_ERROR_MAX];
        peer_resets(b);
        wait_for(b->fd, POLLHUP);
        int error = ktls_close_notify(b->fd);
        assert_int_equal(error, ECONNRESET);
        assert_int_equal(ktls_cause(error, why), STREAM_RESET);
}

/* --- the table -------------------------------------------------------------------------------- */

static const struct promise promises[] = {
        { "what is sent arrives, and then the end", gives_all, SENDS },
        { "also what was sent with MSG_MORE", gives_all_corked, SENDS },
        { "an alert arrives", alert_is_sent, SENDS },
        { "who is gone is told", reset_is_told, SENDS },
};

int main(void)
{
        signal(SIGPIPE, SIG_IGN);
        return both_run("tls/ktls: sending", promises, COUNTOF(promises));
}
