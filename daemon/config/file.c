/* SPDX-License-Identifier: ISC */
#include "config/file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/own.h"
#include "base/text.h"

/* The whole of fd. Returns what went wrong, or NULL. */
static const char *read_all(int fd, struct text *out)
{
        char buf[16384];
        ssize_t n;
        while ((n = read(fd, buf, sizeof buf)) != 0) {
                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return strerror(errno);
                text_addn(out, buf, (size_t)n);
                if (out->failed)
                        return strerror(ENOMEM);
                if (out->len > CONFIG_FILE_MAX)
                        return "larger than 16 MB, that is no configuration";
        }
        return NULL;
}

static unsigned line_at(const char *s, size_t n)
{
        unsigned line = 1;
        for (size_t i = 0; i < n; i++)
                line += s[i] == '\n';
        return line;
}

/* A file that was cut short rarely ends with a line. */
static bool check_text(const char *path, const struct text *t, struct diag *diag)
{
        struct origin at = { .file = path };
        const char *nul = t->len > 0 ? memchr(t->s, '\0', t->len) : NULL;
        if (nul != NULL) {
                at.line = line_at(t->s, (size_t)(nul - t->s));
                diag_error(diag, &at, "a NUL octet: this is not a text file");
        } else if (t->len == 0) {
                diag_error(diag, &at, "the file is empty");
        } else if (t->s[t->len - 1] != '\n') {
                at.line = line_at(t->s, t->len);
                diag_error(diag, &at, "the last line has no line end: is the file complete?");
        } else {
                return true;
        }
        return false;
}

char *config_file_read(const char *path, const struct origin *from, struct stat *st,
                       struct diag *diag)
{
        OWN(text_fini) struct text t = { 0 };
        OWN_FD int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
        const char *error = NULL;
        if (fd < 0 || fstat(fd, st) != 0)
                error = strerror(errno);
        else if (S_ISDIR(st->st_mode))
                error = strerror(EISDIR);
        else
                error = read_all(fd, &t);
        if (error != NULL) {
                diag_error(diag, from, "cannot read %s: %s", path, error);
                return NULL;
        }
        return check_text(path, &t, diag) ? text_take(&t) : NULL;
}
