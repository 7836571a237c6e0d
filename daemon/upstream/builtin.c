/* SPDX-License-Identifier: ISC */
#include "upstream/builtin.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <event2/event.h>

#include "base/clock.h"
#include "base/own.h"
#include "base/text.h"

enum {
        INPUT_MAX = 64 * 1024, /* octets kept in `in` */
        INPUT_LOW = 16 * 1024, /* chargen goes on below this */
};

struct builtin;

struct kind {
        const char *name;
        /* What it does: bring `in`, `out`, end and finished up to date, and note the news. */
        void (*step)(struct builtin *b);
        bool endless; /* always has more to say */
};

struct builtin {
        struct stream s;
        const struct kind *kind;
        /* News is told by this event, never from inside a call: the two sides of an echo would
         * otherwise call each other without end. */
        struct event *soon;
        bool telling;
        bool reading;
        bool news_in, news_out; /* for the reader, for the writer */
        unsigned line;          /* chargen: which one is next */
};

static struct builtin *self(struct stream *s)
{
        return CONTAINER(s, struct builtin, s);
}

static void end_with(struct builtin *b, enum stream_end end, const char *detail)
{
        if (b->s.end != STREAM_OPEN)
                return;
        stream_set_end(&b->s, end, detail);
        b->news_in = true;
}

static void end_without_memory(struct builtin *b)
{
        end_with(b, STREAM_RESET, strerror(ENOMEM));
}

static void pass_end_on(struct builtin *b)
{
        if (b->s.finished != STREAM_FINISHING || stream_queued(&b->s) > 0)
                return;
        b->s.finished = STREAM_FINISHED;
        b->news_out = true;
}

static void throw_away_output(struct builtin *b)
{
        size_t n = stream_queued(&b->s);
        if (n > 0) {
                evbuffer_drain(b->s.out, n);
                b->news_out = true;
        }
        pass_end_on(b);
}

static void step_echo(struct builtin *b)
{
        size_t kept = evbuffer_get_length(b->s.in);
        if (stream_queued(&b->s) > 0 && kept < INPUT_MAX && b->s.end == STREAM_OPEN) {
                if (evbuffer_remove_buffer(b->s.out, b->s.in, INPUT_MAX - kept) > 0)
                        b->news_in = b->news_out = true;
                else
                        end_without_memory(b);
        }
        pass_end_on(b);
        if (b->s.finished == STREAM_FINISHED)
                end_with(b, STREAM_END, NULL);
}

static void step_discard(struct builtin *b)
{
        throw_away_output(b);
        if (b->s.finished == STREAM_FINISHED)
                end_with(b, STREAM_END, NULL);
}

/* Line n of the pattern: 72 of the 95 printable characters of ASCII, each line beginning with the
 * one after the line before it (RFC 864). */
static void chargen_line(unsigned n, char line[static 74])
{
        for (unsigned i = 0; i < 72; i++)
                line[i] = (char)(' ' + (n + i) % 95);
        line[72] = '\r';
        line[73] = '\n';
}

static void step_chargen(struct builtin *b)
{
        throw_away_output(b);
        if (b->s.finished == STREAM_FINISHED)
                end_with(b, STREAM_END, NULL);
        if (!b->reading || b->s.end != STREAM_OPEN || evbuffer_get_length(b->s.in) >= INPUT_LOW)
                return;
        char line[74];
        while (evbuffer_get_length(b->s.in) + sizeof line <= INPUT_MAX) {
                chargen_line(b->line, line);
                if (evbuffer_add(b->s.in, line, sizeof line) < 0) {
                        end_without_memory(b);
                        return;
                }
                b->line = (b->line + 1) % 95;
        }
        b->news_in = true;
}

static void step_daytime(struct builtin *b)
{
        throw_away_output(b);
        if (!b->reading || b->s.end != STREAM_OPEN)
                return;
        char line[80];
        struct tm tm;
        time_t now = (time_t)(clock_wall_us() / 1000000);
        size_t n =
                strftime(line, sizeof line, "%A, %B %d, %Y %H:%M:%S-UTC\r\n", gmtime_r(&now, &tm));
        if (evbuffer_add(b->s.in, line, n) < 0)
                end_without_memory(b);
        end_with(b, STREAM_END, NULL);
}

/* What comes of the news itself waits for the next turn of the loop: sockets first. */
static void tell_soon(struct builtin *b)
{
        static const struct timeval next_turn = { 0, 0 };
        if (b->telling)
                evtimer_add(b->soon, &next_turn);
        else
                event_active(b->soon, EV_TIMEOUT, 0);
}

static void update(struct builtin *b)
{
        b->kind->step(b);
        if (b->news_in || b->news_out)
                tell_soon(b);
}

static void on_soon(evutil_socket_t fd, short what, void *arg)
{
        struct builtin *b = arg;
        (void)fd;
        (void)what;
        b->kind->step(b);
        bool in = b->news_in, out = b->news_out;
        b->news_in = b->news_out = false;
        b->telling = true;
        if (out)
                stream_notify_writer(&b->s);
        if (in)
                stream_notify_reader(&b->s);
        b->telling = false;
}

/* The reader took some: there may be room for more. Not here, in the middle of its taking. */
static void on_taken(struct evbuffer *in, const struct evbuffer_cb_info *info, void *arg)
{
        struct builtin *b = arg;
        (void)in;
        if (info->n_deleted > 0 && (b->kind->endless || stream_queued(&b->s) > 0))
                tell_soon(b);
}

static void builtin_want_read(struct stream *s, bool want)
{
        self(s)->reading = want;
        if (want)
                update(self(s));
}

static void builtin_wrote(struct stream *s)
{
        update(self(s));
}

static void builtin_finish(struct stream *s)
{
        s->finished = STREAM_FINISHING;
        update(self(s));
}

/* What was written and will be echoed is as good as on its way. */
static size_t builtin_unread(struct stream *s)
{
        return self(s)->kind->step == step_echo ? stream_queued(s) : 0;
}

/* There is no kernel below. */
static size_t builtin_nothing(struct stream *s)
{
        (void)s;
        return 0;
}

static void builtin_free(struct stream *s, enum stream_close_how how)
{
        struct builtin *b = self(s);
        (void)how;
        if (b->soon != NULL)
                event_free(b->soon);
        if (s->in != NULL)
                evbuffer_free(s->in);
        if (s->out != NULL)
                evbuffer_free(s->out);
        free(s->detail);
        free(b);
}

static const struct stream_ops builtin_ops = {
        .path = "buffer",
        .want_read = builtin_want_read,
        .wrote = builtin_wrote,
        .finish = builtin_finish,
        .unread = builtin_unread,
        .unsent = builtin_nothing,
        .unacked = builtin_nothing,
        .free = builtin_free,
};

static const struct kind kinds[] = {
        { "echo", step_echo, false },
        { "discard", step_discard, false },
        { "chargen", step_chargen, true },
        { "daytime", step_daytime, false },
};

const char *builtin_names(void)
{
        return "echo, discard, chargen, daytime";
}

static const struct kind *find_kind(const char *name)
{
        for (size_t i = 0; i < COUNTOF(kinds); i++)
                if (strcmp(kinds[i].name, name) == 0)
                        return &kinds[i];
        return NULL;
}

bool builtin_can_begin_anew(const struct stream *s)
{
        return s->ops == &builtin_ops && !CONTAINER(s, const struct builtin, s)->kind->endless;
}

static void move_all(struct evbuffer *from, struct text *to)
{
        size_t n = evbuffer_get_length(from);
        const unsigned char *octets = n > 0 ? evbuffer_pullup(from, -1) : NULL;
        if (octets != NULL)
                text_addn(to, (const char *)octets, n);
        else if (n > 0)
                to->failed = true;
}

void builtin_leave(struct stream *s, struct text *unsaid)
{
        move_all(s->in, unsaid);
        if (self(s)->kind->step == step_echo)
                move_all(s->out, unsaid);
        builtin_free(s, STREAM_CLOSE);
}

struct stream *builtin_new(struct event_base *base, const char *name)
{
        const struct kind *kind = find_kind(name);
        struct builtin *b = kind != NULL ? calloc(1, sizeof *b) : NULL;
        if (b == NULL) {
                errno = kind == NULL ? ENOENT : ENOMEM;
                return NULL;
        }
        *b = (struct builtin){ .s.ops = &builtin_ops, .kind = kind };
        b->soon = evtimer_new(base, on_soon, b);
        b->s.in = evbuffer_new();
        b->s.out = evbuffer_new();
        if (b->soon == NULL || b->s.in == NULL || b->s.out == NULL ||
            evbuffer_add_cb(b->s.in, on_taken, b) == NULL) {
                builtin_free(&b->s, STREAM_CLOSE);
                errno = ENOMEM;
                return NULL;
        }
        return &b->s;
}
