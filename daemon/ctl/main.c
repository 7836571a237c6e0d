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

/* Commands, each followed by its options, whose command is not NULL. */
static const struct {
        const char *command, *name, *operand, *help;
} rows[] = {
#define C(id, name, operand, help)      { NULL, name, operand, help },
#define O(command, option, value, help) { command, option, value, help },
#include "control/commands.def"
#undef O
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
        fputs("usage: splicectl [-s SOCKET] [--json] COMMAND [OPERAND] [OPTION ...]\n"
              "       splicectl -V | -h\n",
              to);
}

static void help(void)
{
        usage(stdout);
        for (size_t i = 0; i < COUNTOF(rows); i++) {
                int indent = rows[i].command != NULL ? 4 : 2;
                int width = (int)strlen(rows[i].name) + 1;
                printf("%*s%s %-*s %s\n", indent, "", rows[i].name, 27 - indent - width,
                       rows[i].operand, rows[i].help);
        }
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

/* Only what takes a value is told from it: the daemon knows what is wrong with the others. */
static char *value_in(char *word)
{
        size_t n = strcspn(word, "=");
        for (size_t i = 0; i < COUNTOF(rows) && word[n] == '='; i++)
                if (rows[i].command != NULL && rows[i].operand[0] != '\0' &&
                    strlen(rows[i].name) == n && strncmp(rows[i].name, word, n) == 0)
                        return word + n;
        return NULL;
}

/* The words of the request, which has room for twice as many: --option=value is two, and --json may
 * come last, too. Returns how many. */
static size_t make_request(char **word, const char **request, bool *json)
{
        size_t n = 0;
        for (; *word != NULL; word++) {
                char *value = value_in(*word);
                if (strcmp(*word, "--json") == 0) {
                        *json = true;
                        continue;
                }
                request[n++] = *word;
                if (value != NULL) {
                        *value = '\0';
                        request[n++] = value + 1;
                }
        }
        return n;
}

int main(int argc, char **argv)
{
        const char *path = DEFAULT_CONTROL;
        bool json = false;
        int status = options(argc, argv, &path, &json);
        if (status >= 0)
                return status;
        OWN_FREE const char **request = calloc(2 * (size_t)argc, sizeof *request);
        if (request == NULL)
                return EXIT_FAILURE;
        size_t n = make_request(argv + optind, request, &json);
        struct asked asked = { .command = request[0], .json = json };
        bool fine = n > 0 && client_ask(path, request, n, on_line, &asked);
        return fine && fflush(stdout) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
