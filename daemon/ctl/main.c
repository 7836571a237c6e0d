/* SPDX-License-Identifier: ISC */
/* splicectl(8): asks a running daemon. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/own.h"
#include "config.h"
#include "ctl/client.h"
#include "ctl/show.h"

enum { EXIT_USAGE = 2 };

static const struct {
        const char *name, *operands, *help;
} commands[] = {
#define C(id, name, operands, help) { name, operands, help },
#include "control/commands.def"
#undef C
};

struct asked {
        const char *command;
        bool json;
        size_t lines;
};

static void on_line(const char *text, json_t *line, void *arg)
{
        struct asked *a = arg;
        if (a->json)
                puts(text);
        else
                show_line(a->command, line, a->lines);
        a->lines++;
}

static void usage(FILE *to)
{
        fputs("usage: splicectl [-s SOCKET] [--json] COMMAND [OPERAND]\n"
              "       splicectl -V | -h\n",
              to);
}

static void help(void)
{
        usage(stdout);
        for (size_t i = 0; i < COUNTOF(commands); i++)
                printf("  %-10s %-10s %s\n", commands[i].name, commands[i].operands,
                       commands[i].help);
        puts("Manual: splicectl(8)");
}

/* Exit status, or -1: go on. */
static int options(int argc, char **argv, const char **path, bool *json)
{
        static const struct option longs[] = { { "json", no_argument, NULL, 'j' },
                                               { "help", no_argument, NULL, 'h' },
                                               { NULL, 0, NULL, 0 } };
        int option;
        while ((option = getopt_long(argc, argv, "+s:jVh", longs, NULL)) != -1) {
                switch (option) {
                case 's':
                        *path = optarg;
                        break;
                case 'j':
                        *json = true;
                        break;
                case 'V':
                        puts("splicectl " PACKAGE_VERSION);
                        return EXIT_SUCCESS;
                case 'h':
                        help();
                        return EXIT_SUCCESS;
                default:
                        usage(stderr);
                        return EXIT_USAGE;
                }
        }
        if (optind < argc)
                return -1;
        usage(stderr);
        return EXIT_USAGE;
}

int main(int argc, char **argv)
{
        const char *path = DEFAULT_CONTROL;
        bool json = false;
        int status = options(argc, argv, &path, &json);
        if (status >= 0)
                return status;
        struct asked asked = { .command = argv[optind], .json = json };
        bool fine = client_ask(path, (const char *const *)argv + optind, (size_t)(argc - optind),
                               on_line, &asked);
        return fine && fflush(stdout) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
