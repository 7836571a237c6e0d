/* SPDX-License-Identifier: ISC */
#include "ctl/client.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>

#include "base/own.h"

static bool wrong(struct text *error, const char *what)
{
        text_add(error, what);
        return false;
}

static const char *explain(int error)
{
        switch (error) {
        case ENOENT:
                return "there is no such socket: does the daemon run, and is this what its "
                       "directive control says?";
        case ECONNREFUSED:
                return "nobody listens there: the daemon does not run";
        case EACCES:
                return "this user may not ask (see control-mode and control-group)";
        default:
                return strerror(error);
        }
}

static void be_patient(int fd, unsigned seconds)
{
        const struct timeval limit = { .tv_sec = (time_t)seconds };
        setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
        setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
}

static bool open_socket(const char *path, unsigned patience_s, int *fd, struct text *error)
{
        struct sockaddr_un a = { .sun_family = AF_UNIX };
        if (strlen(path) >= sizeof a.sun_path)
                return wrong(error, "the path is too long");
        memcpy(a.sun_path, path, strlen(path));
        *fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (*fd >= 0 && patience_s > 0)
                be_patient(*fd, patience_s);
        if (*fd < 0 || connect(*fd, (const struct sockaddr *)&a, sizeof a) < 0)
                return wrong(error, explain(errno));
        return true;
}

static bool send_request(int fd, const char *const *words, size_t n)
{
        json_t *request = json_array();
        for (size_t i = 0; i < n; i++)
                json_array_append_new(request, json_string(words[i]));
        OWN_FREE char *text = json_dumps(request, JSON_COMPACT);
        json_decref(request);
        return text != NULL && dprintf(fd, "%s\n", text) > 0;
}

/* The last line says how it went. Returns whether this is it. */
static bool is_last(const json_t *line, bool *fine, struct text *wrong_is)
{
        const json_t *ok = json_object_get(line, "ok");
        if (ok == NULL)
                return false;
        const char *error = json_string_value(json_object_get(line, "error"));
        *fine = json_is_true(ok);
        if (!*fine)
                wrong(wrong_is, error != NULL ? error : "it did not work");
        return true;
}

static bool read_answer(FILE *from, client_line_fn *fn, void *arg, struct text *error)
{
        OWN_FREE char *text = NULL;
        size_t room = 0;
        ssize_t n;
        while ((n = getline(&text, &room, from)) > 0) {
                bool fine, last;
                text[strcspn(text, "\n")] = '\0';
                json_t *line = json_loads(text, 0, NULL);
                last = line == NULL || is_last(line, &fine, error);
                if (line == NULL)
                        fine = wrong(error, "the answer is not JSON");
                else if (!last)
                        fn(text, line, arg);
                json_decref(line);
                if (last)
                        return fine;
        }
        if (ferror(from) && errno == EAGAIN)
                return wrong(error, "the daemon does not answer in time");
        return wrong(error, "the daemon ended the connection before its answer was complete");
}

bool client_try(const struct client_request *r, client_line_fn *fn, void *arg, struct text *error)
{
        OWN_FD int fd = -1;
        if (!open_socket(r->path, r->patience_s, &fd, error))
                return false;
        if (!send_request(fd, r->words, r->n))
                return wrong(error, strerror(errno));
        FILE *from = fdopen(fd, "r");
        if (from == NULL)
                return wrong(error, strerror(errno));
        fd = -1;
        bool fine = read_answer(from, fn, arg, error);
        fclose(from);
        return fine;
}

bool client_ask(const struct client_request *r, client_line_fn *fn, void *arg)
{
        OWN(text_fini) struct text error = { 0 };
        bool fine = client_try(r, fn, arg, &error);
        if (!fine)
                fprintf(stderr, "splicectl: %s: %s\n", r->path, text_str(&error));
        return fine;
}
