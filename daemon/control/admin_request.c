/* SPDX-License-Identifier: ISC */
#include "control/admin_request.h"

#include <string.h>
#include <strings.h>

/* A piece of the head. */
struct piece {
        const char *s;
        size_t n;
};

static bool is(struct piece p, const char *word)
{
        return p.n == strlen(word) && memcmp(p.s, word, p.n) == 0;
}

static bool begins(struct piece p, const char *with)
{
        size_t n = strlen(with);
        return p.n >= n && strncasecmp(p.s, with, n) == 0;
}

/* What comes before the separator; the rest is behind it. Without one: all, and nothing. */
static struct piece cut(struct piece *rest, char separator)
{
        const char *at = memchr(rest->s, separator, rest->n);
        struct piece p = { rest->s, at != NULL ? (size_t)(at - rest->s) : rest->n };
        size_t skip = at != NULL ? p.n + 1 : p.n;
        *rest = (struct piece){ rest->s + skip, rest->n - skip };
        return p;
}

static struct piece next_line(struct piece *rest)
{
        struct piece line = cut(rest, '\n');
        if (line.n > 0 && line.s[line.n - 1] == '\r')
                line.n--;
        return line;
}

static struct piece trim(struct piece p)
{
        while (p.n > 0 && (*p.s == ' ' || *p.s == '\t'))
                p = (struct piece){ p.s + 1, p.n - 1 };
        while (p.n > 0 && (p.s[p.n - 1] == ' ' || p.s[p.n - 1] == '\t'))
                p.n--;
        return p;
}

/* Copies what fits, else nothing. */
static void keep(char *to, size_t size, struct piece p)
{
        size_t n = p.n < size ? p.n : 0;
        memcpy(to, p.s, n);
        to[n] = '\0';
}

static bool is_token(struct piece p)
{
        static const char others[] = "!#$%&'*+-.^_`|~";
        for (size_t i = 0; i < p.n; i++) {
                char c = p.s[i];
                bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
                if (!letter && !(c >= '0' && c <= '9') &&
                    memchr(others, c, sizeof others - 1) == NULL)
                        return false;
        }
        return p.n > 0;
}

/* "/metrics", or "http://127.0.0.1:9000/metrics" as for a proxy. */
static bool parse_target(struct piece target, struct admin_request *out)
{
        if (begins(target, "http://")) {
                struct piece rest = { target.s + 7, target.n - 7 };
                struct piece authority = cut(&rest, '/');
                target = rest.n > 0 || authority.s[authority.n] == '/'
                                 ? (struct piece){ rest.s - 1, rest.n + 1 }
                                 : (struct piece){ "/", 1 };
        }
        if (target.n == 0 || target.s[0] != '/')
                return false;
        keep(out->path, sizeof out->path, cut(&target, '?'));
        return true;
}

/* Returns 0 or a status. */
static int parse_request_line(struct piece line, struct admin_request *out)
{
        struct piece method = cut(&line, ' '), target = cut(&line, ' '), version = line;
        if (!is_token(method) || version.n != 8 || !begins(version, "HTTP/"))
                return 400;
        if (!begins(version, "HTTP/1."))
                return 505;
        if (!parse_target(target, out))
                return 400;
        out->head_only = is(method, "HEAD");
        return out->head_only || is(method, "GET") ? 0 : 405;
}

/* Without the port, which follows the last colon unless that is inside brackets. */
static void parse_host(struct piece value, struct admin_request *out)
{
        const char *colon = memrchr(value.s, ':', value.n);
        const char *bracket = memrchr(value.s, ']', value.n);
        if (colon != NULL && (bracket == NULL || bracket < colon))
                value.n = (size_t)(colon - value.s);
        keep(out->host, sizeof out->host, value);
}

int admin_request_parse(const char *head, size_t n, struct admin_request *out)
{
        struct piece rest = { head, n }, line;
        bool has_host = false;
        *out = (struct admin_request){ 0 };
        if (memchr(head, '\0', n) != NULL)
                return 400;
        int status = parse_request_line(next_line(&rest), out);
        while (status == 0 && rest.n > 0 && (line = next_line(&rest)).n > 0) {
                struct piece value = line, name = cut(&value, ':');
                if (name.n == line.n || !is_token(name))
                        return 400;
                if (!begins(name, "host") || name.n != 4)
                        continue;
                if (has_host)
                        return 400;
                has_host = true;
                parse_host(trim(value), out);
        }
        return status;
}

size_t admin_request_end(const char *s, size_t n)
{
        for (const char *at = s; (at = memchr(at, '\n', n - (size_t)(at - s))) != NULL;) {
                size_t next = (size_t)(++at - s);
                if (next < n && s[next] == '\r')
                        next++;
                if (next < n && s[next] == '\n')
                        return next + 1;
        }
        return 0;
}
