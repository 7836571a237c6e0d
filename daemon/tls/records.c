/* SPDX-License-Identifier: ISC */
#include "tls/records.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

struct batch *batch_of(struct io *io)
{
        if (io->tls == NULL) {
                struct batch *b = malloc(sizeof *b);
                if (b != NULL)
                        b->n = b->marked = b->n_marks = 0;
                io->tls = b;
        }
        return io->tls;
}

bool batch_add(struct batch *b, const void *octets, size_t n)
{
        if (n > sizeof b->octets - b->n)
                return false;
        memcpy(b->octets + b->n, octets, n);
        b->n += n;
        return true;
}

void batch_mark(struct batch *b, size_t plain)
{
        assert(b->n_marks < sizeof b->marks / sizeof *b->marks);
        b->marks[b->n_marks++] = (struct record_mark){ .cipher = (uint32_t)(b->n - b->marked),
                                                       .plain = (uint32_t)plain };
        b->marked = b->n;
}

static void batch_empty(struct batch *b)
{
        b->n = b->marked = b->n_marks = 0;
}

/* --- marks ------------------------------------------------------------------------------------ */

static bool make_room_for_mark(struct records *r)
{
        if (r->n_marks < r->room)
                return true;
        if (r->first > 0) {
                r->n_marks -= r->first;
                memmove(r->marks, r->marks + r->first, r->n_marks * sizeof *r->marks);
                r->first = 0;
                return true;
        }
        uint32_t room = r->room + BATCH_RECORDS + 1;
        struct record_mark *marks = reallocarray(r->marks, room, sizeof *marks);
        if (marks == NULL)
                return false;
        r->marks = marks;
        r->room = room;
        return true;
}

static bool add_mark(struct records *r, struct record_mark mark)
{
        if (!make_room_for_mark(r))
                return false;
        r->marks[r->n_marks++] = mark;
        r->plain += mark.plain;
        if (mark.plain == 0)
                r->control += mark.cipher;
        return true;
}

static void drop_marks(struct records *r)
{
        free(r->marks);
        r->marks = NULL;
        r->first = r->n_marks = r->room = 0;
        r->plain = r->control = 0;
}

/* n octets of ciphertext are gone. */
static void pass_marks(struct records *r, size_t n)
{
        while (n > 0) {
                struct record_mark *m = &r->marks[r->first];
                uint32_t part = n < m->cipher ? (uint32_t)n : m->cipher;
                m->cipher -= part;
                n -= part;
                if (m->plain == 0)
                        r->control -= part;
                if (m->cipher > 0)
                        return;
                r->plain -= m->plain;
                r->first++;
        }
}

/* --- octets ----------------------------------------------------------------------------------- */

/* All of the batch but its first `given` octets. */
static bool keep(struct records *r, struct io *io, const struct batch *b, size_t given)
{
        size_t end = 0;
        for (size_t i = 0; i < b->n_marks; i++) {
                struct record_mark left = b->marks[i];
                end += left.cipher;
                if (end <= given)
                        continue;
                if (end - left.cipher < given)
                        left.cipher = (uint32_t)(end - given);
                if (!add_mark(r, left))
                        return false;
        }
        return queue_add(&r->cipher, io, b->octets + given, b->n - given);
}

int records_give(struct records *r, struct io *io, int fd, bool try, bool more)
{
        struct batch *b = io->tls;
        ssize_t k = 0;
        int error = 0;
        if (b->n == 0)
                return 0;
        if (b->n > b->marked)
                batch_mark(b, 0);
        if (try && records_length(r) == 0) {
                k = send(fd, b->octets, b->n, MSG_NOSIGNAL | (more ? MSG_MORE : 0));
                if (k < 0 && errno != EAGAIN && errno != EINTR)
                        error = errno;
        }
        size_t given = k > 0 ? (size_t)k : 0;
        if (error == 0 && given < b->n && !keep(r, io, b, given))
                error = ENOMEM;
        batch_empty(b);
        return error;
}

int records_flush(struct records *r, struct io *io, int fd)
{
        size_t before = records_length(r);
        int error = queue_flush(&r->cipher, io, fd);
        pass_marks(r, before - records_length(r));
        if (records_length(r) == 0)
                drop_marks(r);
        return error;
}

void records_drop(struct records *r, struct io *io)
{
        queue_drop(&r->cipher, io);
        drop_marks(r);
}
