/* SPDX-License-Identifier: ISC */
#include "ctl/client.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "base/own.h"

static bool wrong(const char *path, const char *what)
{
        fprintf(stderr, "splicectl: %s: %s\n", path, what);
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

static bool open_socket(const char *path, int *fd)
{
        struct sockaddr_un a = { .sun_family = AF_UNIX };
        if (strlen(path) >= sizeof a.sun_path)
                return wrong(path, "the path is too long");
        memcpy(a.sun_path, path, strlen(path));
        *fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (*fd < 0 || connect(*fd, (const struct sockaddr *)&a, sizeof a) < 0)
                return wrong(path, explain(errno));
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
static bool is_last(const char *path, const json_t *line, bool *fine)
{
        const json_t *ok = json_object_get(line, "ok");
        if (ok == NULL)
                return false;
        const char *error = json_string_value(json_object_get(line, "error"));
        *fine = json_is_true(ok);
        if (!*fine)
                wrong(path, error != NULL ? error : "it did not work");
        return true;
}

static bool read_answer(const char *path, FILE *from, client_line_fn *fn, void *arg)
{
        OWN_FREE char *text = NULL;
        size_t room = 0;
        ssize_t n;
        while ((n = getline(&text, &room, from)) > 0) {
                bool fine, last;
                text[strcspn(text, "\n")] = '\0';
                json_t *line = json_loads(text, 0, NULL);
                last = line == NULL || is_last(path, line, &fine);
                if (line == NULL)
                        fine = wrong(path, "the answer is not JSON");
                else if (!last)
                        fn(text, line, arg);
                json_decref(line);
                if (last)
                        return fine;
        }
        return wrong(path, "the daemon ended the connection before its answer was complete");
}

bool client_ask(const char *path, const char *const *words, size_t n, client_line_fn *fn, void *arg)
{
        OWN_FD int fd = -1;
        if (!open_socket(path, &fd))
                return false;
        if (!send_request(fd, words, n))
                return wrong(path, strerror(errno));
        FILE *from = fdopen(fd, "r");
        if (from == NULL)
                return wrong(path, strerror(errno));
        fd = -1;
        bool fine = read_answer(path, from, fn, arg);
        fclose(from);
        return fine;
}
