/* SPDX-License-Identifier: ISC */
/* Directories are watched, not files: most tools put a new file in the place of the old one, or
 * change a symbolic link. Which files are others now is found out by looking at them. */
#include "control/renewal.h"

#include <errno.h>
#include <libgen.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include <event2/event.h>
#include <event2/event_struct.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/own.h"
#include "config/files.h"

enum {
        REST_MS = 500, /* for so long nothing changes: a certificate and its key belong together */
        RESTLESS = 20, /* times REST_MS: then they are told all the same */
        EARLIER_US = 20 * 1000, /* by which a file's time may be too early */
};

/* All that tells a file from another, or from itself before. */
struct mark {
        dev_t dev;
        ino_t ino;
        off_t size;
        struct timespec written, changed;
};

struct marks {
        char **paths; /* owned, in order, each once */
        struct mark *marks;
        size_t n;
};

struct renewal {
        struct event_base *base;
        int fd;
        bool is_watching;
        struct event event, timer;
        struct marks files; /* as they were read */
        struct mark *seen;  /* as they were last looked at, after a change */
        unsigned looks;
        renewal_fn *changed;
        void *arg;
};

/* --- how files are ---------------------------------------------------------------------------- */

static struct mark mark_of(const char *path)
{
        struct stat st;
        struct mark mark;
        memset(&mark, 0, sizeof mark); /* padding too: marks are compared as memory */
        if (stat(path, &st) < 0)
                return mark;
        mark.dev = st.st_dev;
        mark.ino = st.st_ino;
        mark.size = st.st_size;
        mark.written = st.st_mtim;
        mark.changed = st.st_ctim;
        return mark;
}

static struct mark *look(const struct marks *files)
{
        struct mark *marks = calloc(files->n + 1, sizeof *marks);
        for (size_t i = 0; marks != NULL && i < files->n; i++)
                marks[i] = mark_of(files->paths[i]);
        return marks;
}

static bool same(const struct marks *files, const struct mark *a, const struct mark *b)
{
        return files->n == 0 || memcmp(a, b, files->n * sizeof *a) == 0;
}

static bool changed_since(const struct marks *files, int64_t us)
{
        int64_t now = clock_wall_us();
        for (size_t i = 0; i < files->n; i++) {
                const struct timespec *t = &files->marks[i].changed;
                int64_t at = (int64_t)t->tv_sec * 1000000 + t->tv_nsec / 1000;
                if (at >= us - EARLIER_US && at <= now)
                        return true;
        }
        return false;
}

static void marks_fini(struct marks *m)
{
        for (size_t i = 0; i < m->n; i++)
                free(m->paths[i]);
        free(m->paths);
        free(m->marks);
        *m = (struct marks){ 0 };
}

/* --- noticing --------------------------------------------------------------------------------- */

static void look_again_soon(struct renewal *w)
{
        struct timeval in = clock_timeval(REST_MS);
        if (!evtimer_pending(&w->timer, NULL))
                evtimer_add(&w->timer, &in);
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
        (void)fd;
        (void)what;
        struct renewal *w = arg;
        OWN_FREE struct mark *now = look(&w->files);
        if (now == NULL || same(&w->files, now, w->files.marks)) {
                w->looks = 0;
                free(TAKE(w->seen));
                return;
        }
        bool rests = w->seen != NULL && same(&w->files, now, w->seen);
        free(w->seen);
        w->seen = TAKE(now);
        if (!rests && ++w->looks < RESTLESS) {
                look_again_soon(w);
                return;
        }
        w->looks = 0;
        free(w->files.marks);
        w->files.marks = TAKE(w->seen);
        w->changed(w->arg);
}

/* What the events say does not matter. */
static void on_event(evutil_socket_t fd, short what, void *arg)
{
        (void)what;
        struct renewal *w = arg;
        char events[4096] __attribute__((aligned(__alignof__(struct inotify_event))));
        while (read(fd, events, sizeof events) > 0)
                ;
        look_again_soon(w);
}

/* --- which files ------------------------------------------------------------------------------ */

static void add_file(const char *path, void *arg)
{
        struct marks *files = arg;
        char **grown = reallocarray(files->paths, files->n + 1, sizeof *grown);
        if (grown == NULL)
                return;
        files->paths = grown;
        files->paths[files->n] = strdup(path);
        if (files->paths[files->n] != NULL)
                files->n++;
}

static int compare_paths(const void *a, const void *b)
{
        return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Each path once. */
static void collect(struct marks *files, const struct config *conf)
{
        size_t n = 0;
        config_each_file(conf, add_file, files);
        if (files->n > 1)
                qsort(files->paths, files->n, sizeof(char *), compare_paths);
        for (size_t i = 0; i < files->n; i++) {
                if (n > 0 && strcmp(files->paths[n - 1], files->paths[i]) == 0)
                        free(files->paths[i]);
                else
                        files->paths[n++] = files->paths[i];
        }
        files->n = n;
}

static int watch_directory(int fd, const char *path)
{
        const uint32_t mask = IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_CREATE | IN_DELETE |
                              IN_ATTRIB | IN_ONLYDIR;
        return inotify_add_watch(fd, path, mask) >= 0 ? 0 : errno;
}

static int watch_directory_of(int fd, const char *path)
{
        OWN_FREE char *copy = strdup(path); /* dirname(3) writes into it */
        return copy != NULL ? watch_directory(fd, dirname(copy)) : ENOMEM;
}

/* Where its name is, where it is in truth if that is elsewhere, and itself if it is a directory. */
static int watch_path(int fd, const char *path)
{
        char real[PATH_MAX];
        int error = watch_directory_of(fd, path);
        if (error != 0)
                return error;
        if (realpath(path, real) != NULL && strcmp(real, path) != 0)
                error = watch_directory_of(fd, real);
        int itself = watch_directory(fd, path);
        return itself != 0 && itself != ENOTDIR && itself != ENOENT ? itself : error;
}

static void stop(struct renewal *w)
{
        if (w->is_watching)
                event_del(&w->event);
        evtimer_del(&w->timer);
        w->is_watching = false;
        own_close(&w->fd);
        marks_fini(&w->files);
        free(TAKE(w->seen));
        w->looks = 0;
}

static void warn(const char *path, int error)
{
        log_warning("%s: changes are not noticed, reload after them: %s", path, strerror(error));
}

static void begin(struct renewal *w)
{
        w->fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
        if (w->fd < 0) {
                warn("certificates and keys", errno);
                return;
        }
        bool warned = false; /* one is an example of others */
        for (size_t i = 0; i < w->files.n; i++) {
                int error = watch_path(w->fd, w->files.paths[i]);
                if (error != 0 && !warned)
                        warn(w->files.paths[i], error);
                warned = warned || error != 0;
        }
        event_assign(&w->event, w->base, w->fd, EV_READ | EV_PERSIST, on_event, w);
        w->is_watching = event_add(&w->event, NULL) == 0;
}

void renewal_watch(struct renewal *w, const struct config *conf, int64_t read_us)
{
        stop(w);
        collect(&w->files, conf);
        if (w->files.n == 0)
                return;
        begin(w);
        w->files.marks = look(&w->files);
        if (w->files.marks == NULL) {
                stop(w);
                warn("certificates and keys", ENOMEM);
        } else if (changed_since(&w->files, read_us)) {
                memset(w->files.marks, 0, w->files.n * sizeof *w->files.marks);
                look_again_soon(w);
        }
}

/* --- its life --------------------------------------------------------------------------------- */

struct renewal *renewal_new(struct event_base *base, renewal_fn *changed, void *arg)
{
        struct renewal *w = calloc(1, sizeof *w);
        if (w == NULL)
                return NULL;
        *w = (struct renewal){ .base = base, .fd = -1, .changed = changed, .arg = arg };
        evtimer_assign(&w->timer, base, on_timer, w);
        return w;
}

void renewal_free(struct renewal *w)
{
        if (w == NULL)
                return;
        stop(w);
        free(w);
}
