/* SPDX-License-Identifier: ISC */
/* What is received through the kernel's TLS. On a kernel without it all is skipped. */
#include "ktls_rig.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>
#include <sys/socket.h>

#include "base/own.h"

/* --- what our side receives ------------------------------------------------------------------- */

/* The next that is not "nothing yet" or a record without data. By splice(2) first, if so wished. */
static enum ktls_got next(struct both *b, bool splicing, void *buf, size_t size,
                          struct ktls_news *news)
{
        for (;;) {
                ssize_t n = splicing
                                    ? splice(b->fd, NULL, b->pipe[1], NULL, size, SPLICE_F_NONBLOCK)
                                    : 0;
                if (n > 0) {
                        news->n = (size_t)n;
                        assert_int_equal(read(b->pipe[0], buf, size), n);
                        return KTLS_DATA;
                }
                enum ktls_got got = KTLS_AGAIN;
                if (!splicing || ktls_splice_ended(&b->k, n, errno))
                        got = ktls_receive(&b->k, b->fd, buf, size, news);
                if (got == KTLS_DATA || got == KTLS_OVER)
                        return got;
                if (got == KTLS_AGAIN)
                        wait_for(b->fd, POLLIN);
        }
}

static void expect_data(struct both *b, bool splicing, const char *text)
{
        struct ktls_news news;
        char buf[100];
        for (size_t len = strlen(text); len > 0; len -= news.n, text += news.n) {
                assert_int_equal(next(b, splicing, buf, sizeof buf, &news), KTLS_DATA);
                assert_true(news.n <= len);
                assert_memory_equal(buf, text, news.n);
        }
}

static void expect_over(struct both *b, bool splicing, enum stream_end end, const char *why)
{
        struct ktls_news news = { .why = "" };
        char buf[100];
        assert_int_equal(next(b, splicing, buf, sizeof buf, &news), KTLS_OVER);
        assert_int_equal(news.end, end);
        assert_string_equal(news.why, why);
}

/* --- promises of the receiving direction; each by receive and by splice ----------------------- */

static void gets_all(struct both *b, bool splicing)
{
        static unsigned char out[60001], in[70001];
        struct ktls_news news;
        enum ktls_got got = KTLS_DATA;
        bool ended = false;
        for (size_t sent = 0, taken = 0; got == KTLS_DATA;) {
                size_t n = OCTETS - sent < sizeof out ? OCTETS - sent : sizeof out;
                pattern_at(out, n, sent);
                int k = n > 0 ? SSL_write(b->peer, out, (int)n) : 0;
                if (k > 0) {
                        EVP_DigestUpdate(b->sent, out, (size_t)k);
                        sent += (size_t)k;
                }
                if (sent == OCTETS && !ended) {
                        assert_int_equal(SSL_shutdown(b->peer), 0);
                        ended = true;
                }
                got = next(b, splicing, in, sizeof in, &news);
                if (got == KTLS_DATA)
                        EVP_DigestUpdate(b->got, in, news.n);
                taken += news.n;
                assert_true(got == KTLS_DATA || taken == OCTETS);
        }
        assert_int_equal(news.end, STREAM_END);
        both_same(b);
}

static void end_leaves_sending(struct both *b, bool splicing)
{
        char buf[10];
        peer_says(b, "abc");
        assert_int_equal(SSL_shutdown(b->peer), 0);
        shutdown(b->peer_fd, SHUT_WR);
        expect_data(b, splicing, "abc");
        expect_over(b, splicing, STREAM_END, "");
        assert_int_equal(write(b->fd, "xyz", 3), 3);
        wait_for(b->peer_fd, POLLIN);
        assert_int_equal(SSL_read(b->peer, buf, sizeof buf), 3);
}

static void fin_is_no_end(struct both *b, bool splicing)
{
        peer_says(b, "abc");
        shutdown(b->peer_fd, SHUT_WR);
        expect_data(b, splicing, "abc");
        expect_over(b, splicing, STREAM_TRUNCATED, "connection closed without close_notify");
}

static void half_a_record_is_none(struct both *b, bool splicing)
{
        peer_writes(b, "\x17\3\3\0\x40zzzz", 9);
        shutdown(b->peer_fd, SHUT_WR);
        expect_over(b, splicing, STREAM_TRUNCATED, "connection closed without close_notify");
}

static void reset_comes_after_data(struct both *b, bool splicing)
{
        peer_says(b, "abc");
        peer_resets(b);
        expect_data(b, splicing, "abc");
        expect_over(b, splicing, STREAM_RESET, "Connection reset by peer");
}

static void bad_record_breaks(struct both *b, bool splicing)
{
        peer_says(b, "abc");
        peer_writes(b, "\x17\3\3\0\x20zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz", 37);
        expect_data(b, splicing, "abc");
        expect_over(b, splicing, STREAM_BROKEN, "decryption failed or bad record mac");
}

static void no_tls_breaks(struct both *b, bool splicing)
{
        peer_writes(b, "GET / HTTP/1.0\r\n\r\n", 18);
        expect_over(b, splicing, STREAM_BROKEN, "wrong version number");
}

static void long_record_breaks(struct both *b, bool splicing)
{
        peer_writes(b, "\x17\3\3\x7f\xffzzzzzzzzzzzzzzzz", 21);
        expect_over(b, splicing, STREAM_BROKEN, "record too long");
}

/* There is no call that sends an alert. But to read without anything to read from is an error that
 * OpenSSL tells us about. */
static void alert_is_told(struct both *b, bool splicing)
{
        char buf[1000];
        while (SSL_read(b->peer, buf, sizeof buf) > 0)
                continue;
        SSL_set0_rbio(b->peer, NULL);
        SSL_read(b->peer, buf, sizeof buf);
        expect_over(b, splicing, STREAM_BROKEN, "peer sent alert: internal error");
}

static void key_update_breaks(struct both *b, bool splicing)
{
        peer_says(b, "abc");
        assert_int_equal(SSL_key_update(b->peer, SSL_KEY_UPDATE_REQUESTED), 1);
        peer_says(b, "def");
        expect_data(b, splicing, "abc");
        expect_over(b, splicing, STREAM_BROKEN,
                    "the peer changed its keys, which kernel TLS cannot follow");
}

static void tickets_are_passed_over(struct both *b, bool splicing)
{
        for (int i = 0; i < 5; i++) {
                assert_int_equal(SSL_new_session_ticket(b->peer), 1);
                assert_int_equal(SSL_do_handshake(b->peer), 1);
        }
        peer_says(b, "abc");
        expect_data(b, splicing, "abc");
}

static void tickets_without_end_break(struct both *b, bool splicing)
{
        for (unsigned i = 0; i <= KTLS_IDLE_RECORDS; i++) {
                assert_int_equal(SSL_new_session_ticket(b->peer), 1);
                assert_int_equal(SSL_do_handshake(b->peer), 1);
        }
        expect_over(b, splicing, STREAM_BROKEN, "too many records without data");
}

static void empty_record_is_no_end(struct both *b, bool splicing)
{
        unsigned number = first_number(b);
        peer_writes_record(b, number++, 23, "abc");
        for (int i = 0; i < 5; i++)
                peer_writes_record(b, number++, 23, "");
        peer_writes_record(b, number++, 23, "def");
        peer_writes_record(b, number++, 23, "");
        expect_data(b, splicing, "abcdef");
        peer_writes_record(b, number++, 23, "ghi");
        shutdown(b->peer_fd, SHUT_WR);
        expect_data(b, splicing, "ghi");
        expect_over(b, splicing, STREAM_TRUNCATED, "connection closed without close_notify");
}

static void empty_alert_breaks(struct both *b, bool splicing)
{
        peer_writes_record(b, first_number(b), 21, "");
        expect_over(b, splicing, STREAM_BROKEN, "bad alert");
}

/* --- the table -------------------------------------------------------------------------------- */

static const struct promise promises[] = {
        { "what the peer sends arrives", gets_all, RECEIVES },
        { "after its end the other direction goes on", end_leaves_sending, RECEIVES | SENDS },
        { "a FIN alone is a truncation", fin_is_no_end, RECEIVES },
        { "so is one in the middle of a record", half_a_record_is_none, RECEIVES },
        { "a reset comes after what came before it", reset_comes_after_data, RECEIVES },
        { "a record that does not verify breaks", bad_record_breaks, RECEIVES },
        { "octets that are no TLS break", no_tls_breaks, RECEIVES },
        { "a record that is too long breaks", long_record_breaks, RECEIVES },
        { "a fatal alert has a name", alert_is_told, RECEIVES },
        { "new keys break", key_update_breaks, RECEIVES | TLS13 },
        { "tickets are passed over", tickets_are_passed_over, RECEIVES | TLS13 | CONNECTS },
        { "but not for ever", tickets_without_end_break, RECEIVES | TLS13 | CONNECTS },
        { "an empty record is not an end", empty_record_is_no_end, RECEIVES | TLS13 },
        { "an empty alert breaks", empty_alert_breaks, RECEIVES | TLS13 },
};

int main(void)
{
        signal(SIGPIPE, SIG_IGN);
        return both_run("tls/ktls: receiving", promises, COUNTOF(promises));
}
