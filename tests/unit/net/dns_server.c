/* SPDX-License-Identifier: ISC */
#include "dns_server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include <event2/event.h>

#define MAX_QUESTIONS 256

struct question {
        char name[256];
        uint16_t type;
};

struct dns_server {
        int fd;
        struct event *readable;
        const struct dns_row *rows;
        size_t n_rows;
        struct question asked[MAX_QUESTIONS];
        size_t n_asked;
};

/* A message being written; 512 octets are plenty for these tables. */
struct out {
        uint8_t bytes[512];
        size_t len;
};

static void put16(struct out *o, unsigned v)
{
        o->bytes[o->len++] = (uint8_t)(v >> 8);
        o->bytes[o->len++] = (uint8_t)v;
}

static void put32(struct out *o, uint32_t v)
{
        put16(o, v >> 16);
        put16(o, v & 0xffff);
}

static void put_name(struct out *o, const char *name)
{
        while (*name != '\0') {
                size_t n = strcspn(name, ".");
                o->bytes[o->len++] = (uint8_t)n;
                memcpy(o->bytes + o->len, name, n);
                o->len += n;
                name += n + (name[n] == '.');
        }
        o->bytes[o->len++] = 0;
}

static void put_record(struct out *o, const char *name, enum dns_type type, uint32_t ttl)
{
        put_name(o, name);
        put16(o, type);
        put16(o, 1); /* IN */
        put32(o, ttl);
}

static unsigned put_addresses(struct out *o, const char *owner, const char *const list[4],
                              enum dns_type type, uint32_t ttl)
{
        unsigned n = 0;
        for (; n < 4 && list[n] != NULL; n++) {
                size_t len = type == DNS_A ? 4 : 16;
                put_record(o, owner, type, ttl);
                put16(o, (unsigned)len);
                if (inet_pton(type == DNS_A ? AF_INET : AF_INET6, list[n], o->bytes + o->len) != 1)
                        abort();
                o->len += len;
        }
        return n;
}

static unsigned put_cname(struct out *o, const struct dns_row *row, const char *owner)
{
        struct out target = { .len = 0 };
        put_name(&target, row->cname);
        put_record(o, owner, DNS_CNAME, row->cname_ttl);
        put16(o, (unsigned)target.len);
        memcpy(o->bytes + o->len, target.bytes, target.len);
        o->len += target.len;
        return 1;
}

static unsigned put_answers(struct out *o, const struct dns_row *row, const struct question *q)
{
        unsigned n = 0;
        const char *owner = q->name;
        if (row->cname != NULL) {
                n += put_cname(o, row, owner);
                owner = row->cname;
        }
        if (q->type == DNS_A)
                n += put_addresses(o, owner, row->a, DNS_A, row->a_ttl);
        if (q->type == DNS_AAAA)
                n += put_addresses(o, owner, row->aaaa, DNS_AAAA, row->aaaa_ttl);
        return n;
}

static const struct dns_row *find_row(const struct dns_server *s, const char *name)
{
        for (size_t i = 0; i < s->n_rows; i++) {
                if (strcasecmp(s->rows[i].name, name) == 0)
                        return &s->rows[i];
        }
        return NULL;
}

/* The question that follows the header. Returns where it ends, 0 when it is none. */
static size_t get_question(const uint8_t *p, size_t n, struct question *q)
{
        size_t at = 12, len = 0;
        while (at < n && p[at] != 0) {
                if (p[at] > 63 || at + 1 + p[at] >= n || len + p[at] + 1 >= sizeof q->name)
                        return 0;
                memcpy(q->name + len, p + at + 1, p[at]);
                len += p[at];
                q->name[len++] = '.';
                at += 1u + p[at];
        }
        if (len == 0 || at + 5 > n)
                return 0;
        q->name[len - 1] = '\0';
        q->type = (uint16_t)(p[at + 1] << 8 | p[at + 2]);
        return at + 5;
}

static struct out make_answer(const uint8_t *p, size_t question_end, const struct question *q,
                              const struct dns_row *row)
{
        struct out o = { .len = question_end };
        memcpy(o.bytes, p, question_end);
        enum dns_rcode rcode = row != NULL ? row->rcode : DNS_NXDOMAIN;
        unsigned n = rcode == DNS_OK ? put_answers(&o, row, q) : 0;
        const uint8_t rest[] = { 0x81, 0x80 | (uint8_t)rcode, 0, 1, 0, (uint8_t)n, 0, 0, 0, 0 };
        memcpy(o.bytes + 2, rest, sizeof rest);
        return o;
}

static void on_question(evutil_socket_t fd, short what, void *arg)
{
        (void)what;
        struct dns_server *s = arg;
        uint8_t p[512];
        struct sockaddr_in from;
        socklen_t from_len = sizeof from;
        ssize_t n = recvfrom(fd, p, sizeof p, 0, (struct sockaddr *)&from, &from_len);
        struct question *q = &s->asked[s->n_asked];
        size_t end = n < 12 ? 0 : get_question(p, (size_t)n, q);
        if (end == 0)
                return;
        if (++s->n_asked == MAX_QUESTIONS)
                abort();
        const struct dns_row *row = find_row(s, q->name);
        if (row != NULL && row->silent)
                return;
        struct out o = make_answer(p, end, q, row);
        sendto(fd, o.bytes, o.len, 0, (struct sockaddr *)&from, from_len);
}

struct dns_server *dns_server_new(struct event_base *base, const struct dns_row *rows, size_t n)
{
        struct dns_server *s = calloc(1, sizeof *s);
        struct sockaddr_in any = { .sin_family = AF_INET,
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
        if (s == NULL)
                abort();
        s->fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        if (s->fd < 0 || bind(s->fd, (struct sockaddr *)&any, sizeof any) != 0)
                abort();
        s->readable = event_new(base, s->fd, EV_READ | EV_PERSIST, on_question, s);
        if (s->readable == NULL || event_add(s->readable, NULL) != 0)
                abort();
        dns_server_set_rows(s, rows, n);
        return s;
}

void dns_server_set_rows(struct dns_server *s, const struct dns_row *rows, size_t n)
{
        s->rows = rows;
        s->n_rows = n;
}

void dns_server_free(struct dns_server *s)
{
        event_free(s->readable);
        close(s->fd);
        free(s);
}

uint16_t dns_server_port(const struct dns_server *s)
{
        struct sockaddr_in bound;
        socklen_t len = sizeof bound;
        if (getsockname(s->fd, (struct sockaddr *)&bound, &len) != 0)
                abort();
        return ntohs(bound.sin_port);
}

unsigned dns_server_asked(const struct dns_server *s, const char *name, enum dns_type type)
{
        unsigned n = 0;
        for (size_t i = 0; i < s->n_asked; i++) {
                const struct question *q = &s->asked[i];
                n += q->type == type && (name == NULL || strcasecmp(q->name, name) == 0);
        }
        return n;
}
