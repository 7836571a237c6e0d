/* SPDX-License-Identifier: ISC */
#include "jobs.h"

#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

static const char usage[] =
        "usage: load serve\n"
        "       load bulk|pingpong|connect|hold --to ADDRESS:PORT --from ADDRESS [options]\n"
        "  --links N     connections at once        --count N   octets of bulk, else operations\n"
        "  --size N      octets of a message        --up        bulk from client to server\n"
        "  --tls         TLS 1.3                    --resume    with the last ticket\n"
        "  --spread N    to N addresses in turn, the one given and those after it\n"
        "  --at-most S   seconds, then it has failed\n";

_Noreturn static void wrong_usage(void)
{
        fputs(usage, stderr);
        exit(2);
}

static void set_target(struct client *c, char *text)
{
        char *colon = strrchr(text, ':');
        if (colon == NULL)
                wrong_usage();
        *colon = '\0';
        c->target.sin_family = AF_INET;
        c->target.sin_port = htons((uint16_t)strtoul(colon + 1, NULL, 10));
        if (inet_pton(AF_INET, text, &c->target.sin_addr) != 1)
                wrong_usage();
}

static void set_option(struct job *j, int option, char *value, bool *tls)
{
        switch (option) {
        case 'a':
                j->at_most = strtod(value, NULL);
                break;
        case 'c':
                j->count = strtoull(value, NULL, 10);
                break;
        case 'f':
                if (inet_pton(AF_INET, value, &j->client.from) != 1)
                        wrong_usage();
                break;
        case 'l':
                j->links = (unsigned)strtoul(value, NULL, 10);
                break;
        case 'p':
                j->client.spread = (unsigned)strtoul(value, NULL, 10);
                break;
        case 'r':
                j->client.resume = true;
                break;
        case 's':
                j->size = strtoull(value, NULL, 10);
                break;
        case 't':
                set_target(&j->client, value);
                break;
        case 'T':
                *tls = true;
                break;
        case 'u':
                j->up = true;
                break;
        default:
                wrong_usage();
        }
}

static void set_options(struct job *j, int argc, char **argv)
{
        static const struct option options[] = {
                { "at-most", required_argument, NULL, 'a' },
                { "count", required_argument, NULL, 'c' },
                { "from", required_argument, NULL, 'f' },
                { "links", required_argument, NULL, 'l' },
                { "spread", required_argument, NULL, 'p' },
                { "resume", no_argument, NULL, 'r' },
                { "size", required_argument, NULL, 's' },
                { "to", required_argument, NULL, 't' },
                { "tls", no_argument, NULL, 'T' },
                { "up", no_argument, NULL, 'u' },
                { NULL, 0, NULL, 0 },
        };
        bool tls = false;
        int option;
        while ((option = getopt_long(argc, argv, "", options, NULL)) != -1)
                set_option(j, option, optarg, &tls);
        if (j->client.target.sin_port == 0 || j->links == 0 || j->client.spread == 0)
                wrong_usage();
        if (tls)
                client_use_tls(&j->client);
}

static void (*job_named(const char *name))(struct job *)
{
        static const struct {
                const char *name;
                void (*run)(struct job *);
        } jobs[] = {
                { "bulk", job_bulk },
                { "pingpong", job_pingpong },
                { "connect", job_connect },
                { "hold", job_hold },
        };
        for (size_t i = 0; i < sizeof jobs / sizeof jobs[0]; i++)
                if (strcmp(name, jobs[i].name) == 0)
                        return jobs[i].run;
        wrong_usage();
}

int main(int argc, char **argv)
{
        if (argc == 2 && strcmp(argv[1], "serve") == 0)
                return serve();
        if (argc < 2)
                wrong_usage();
        void (*run)(struct job *) = job_named(argv[1]);
        static struct job j = { .links = 1, .size = 64, .at_most = 60 };
        j.client.spread = 1;
        j.client.from.s_addr = htonl(INADDR_LOOPBACK);
        j.client.work = &j;
        set_options(&j, argc - 1, argv + 1);
        j.client.ep = epoll_create1(EPOLL_CLOEXEC);
        if (j.client.ep < 0)
                fail("client: epoll_create1");
        j.deadline = now_ns() + (uint64_t)(j.at_most * 1e9);
        run(&j);
        return 0;
}
