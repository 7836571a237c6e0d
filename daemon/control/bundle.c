/* SPDX-License-Identifier: ISC */
#include "control/bundle.h"

#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/own.h"
#include "net/fdpass.h"
#include "net/stream.h"

enum {
        PATIENCE_MS = 10 * 1000,
        QUEUE = 64 * 1024 * 1024, /* octets; the kernel cuts it to net.core.wmem_max */
};

/* --- giving ----------------------------------------------------------------------------------- */

static bool open_queue(struct bundle *b)
{
        const int size = QUEUE;
        const struct timeval patience = { .tv_sec = PATIENCE_MS / 1000 };
        int ends[2];
        if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
                return false;
        b->give = ends[0];
        b->take = ends[1];
        setsockopt(b->give, SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
        return setsockopt(b->give, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience) == 0;
}

static bool open_file(struct bundle *b)
{
        b->lines = memfd_create("spliced", MFD_CLOEXEC);
        OWN_FD int copy = b->lines >= 0 ? dup(b->lines) : -1;
        b->file = copy >= 0 ? fdopen(copy, "w") : NULL;
        if (b->file != NULL)
                (void)TAKE_FD(copy);
        return b->file != NULL;
}

bool bundle_open(struct bundle *b)
{
        *b = (struct bundle){ .lines = -1, .take = -1, .give = -1 };
        if (open_queue(b) && open_file(b))
                return true;
        bundle_fini(b);
        return false;
}

/* The other side has them then, or nobody. */
static void send_batch(struct bundle *b)
{
        if (b->n_batch > 0 && fdpass_send(b->give, "f", 1, b->batch, b->n_batch) != 0)
                b->failed = true;
        while (b->n_batch > 0)
                own_close(&b->batch[--b->n_batch]);
}

static void add_fds(struct bundle *b, int *fds, size_t n)
{
        for (size_t i = 0; i < n; i++) {
                if (b->n_batch == FDPASS_MOST)
                        send_batch(b);
                b->batch[b->n_batch++] = TAKE_FD(fds[i]);
        }
        b->n_fds += n;
}

void bundle_add(struct bundle *b, json_t *about, int *fds, size_t n_fds, const struct text *octets,
                size_t n_octets)
{
        json_t *lengths = json_array();
        for (size_t i = 0; i < n_octets; i++)
                json_array_append_new(lengths, json_integer((json_int_t)octets[i].len));
        bool fine = json_object_set_new(about, "fds", json_integer((json_int_t)n_fds)) == 0 &&
                    json_object_set_new(about, "octets", lengths) == 0 &&
                    json_dumpf(about, b->file, JSON_COMPACT) == 0 && putc('\n', b->file) != EOF;
        for (size_t i = 0; i < n_octets && fine; i++)
                fine = octets[i].len == 0 || fwrite(octets[i].s, octets[i].len, 1, b->file) == 1;
        b->failed = b->failed || !fine;
        add_fds(b, fds, n_fds);
}

bool bundle_close(struct bundle *b)
{
        send_batch(b);
        if (b->file != NULL && fclose(TAKE(b->file)) != 0)
                b->failed = true;
        own_close(&b->give);
        return !b->failed;
}

void bundle_fini(struct bundle *b)
{
        while (b->n_batch > 0)
                own_close(&b->batch[--b->n_batch]);
        if (b->file != NULL)
                fclose(TAKE(b->file));
        own_close(&b->lines);
        own_close(&b->take);
        own_close(&b->give);
}

/* --- taking ----------------------------------------------------------------------------------- */

struct descriptors {
        int *items;
        size_t n, used;
};

static void descriptors_fini(struct descriptors *d)
{
        for (size_t i = 0; i < d->n; i++)
                stream_close_fd(&d->items[i], STREAM_CLOSE_RESET);
        free(d->items);
}

/* Returns 1, 0 at the end, or -1. */
static int take_batch(int take, struct descriptors *d)
{
        char octet;
        size_t n;
        struct pollfd ready = { .fd = take, .events = POLLIN };
        int *grown = reallocarray(d->items, d->n + FDPASS_MOST, sizeof *grown);
        if (grown == NULL)
                return -1;
        d->items = grown;
        if (poll(&ready, 1, PATIENCE_MS) <= 0)
                return errno == EINTR ? 1 : -1;
        ssize_t got = fdpass_receive(take, &octet, 1, d->items + d->n, &n);
        d->n += n;
        return got > 0 ? 1 : (int)got;
}

/* Both are SIZE_MAX where it says nonsense. */
static void how_much(const json_t *about, size_t *n_fds, size_t *octets)
{
        size_t i;
        json_t *length;
        json_int_t fds = json_integer_value(json_object_get(about, "fds"));
        *n_fds = fds >= 0 ? (size_t)fds : SIZE_MAX;
        *octets = 0;
        json_array_foreach(json_object_get(about, "octets"), i, length)
        {
                json_int_t n = json_integer_value(length);
                if (n < 0 || __builtin_add_overflow(*octets, (size_t)n, octets)) {
                        *octets = SIZE_MAX;
                        return;
                }
        }
}

/* Takes one thing out of the lines. */
static const char *take_one(const char **at, const char *end, struct descriptors *d, bundle_fn *fn,
                            void *arg)
{
        const char *newline = memchr(*at, '\n', (size_t)(end - *at));
        json_t *about = newline != NULL ? json_loadb(*at, (size_t)(newline - *at), 0, NULL) : NULL;
        const char *wrong = NULL;
        size_t n_fds, octets;
        how_much(about, &n_fds, &octets);
        if (about == NULL || octets > (size_t)(end - newline - 1))
                wrong = "what was left cannot be read";
        else if (n_fds > d->n - d->used)
                wrong = "descriptors are missing";
        if (wrong == NULL) {
                fn(about, n_fds > 0 ? d->items + d->used : NULL, n_fds, newline + 1, arg);
                d->used += n_fds;
                *at = newline + 1 + octets;
        }
        json_decref(about);
        return wrong;
}

const char *bundle_read(int lines, int take, bundle_fn *fn, void *arg)
{
        OWN(descriptors_fini) struct descriptors d = { 0 };
        struct stat st;
        int more;
        while ((more = take_batch(take, &d)) > 0)
                continue;
        if (more < 0)
                return "the descriptors did not come";
        if (fstat(lines, &st) < 0)
                return "what was left is no file";
        size_t size = (size_t)st.st_size;
        if (size == 0)
                return NULL;
        char *all = mmap(NULL, size, PROT_READ, MAP_PRIVATE, lines, 0);
        if (all == MAP_FAILED)
                return "what was left cannot be mapped";
        const char *at = all, *wrong = NULL;
        while (at < all + size && wrong == NULL)
                wrong = take_one(&at, all + size, &d, fn, arg);
        munmap(all, size);
        return wrong;
}
