/* SPDX-License-Identifier: ISC */
#include "options.h"

#include <getopt.h>
#include <stdio.h>

static const char usage[] = "usage: spliced [-c FILE | -e TEXT] [-t | -T] [-v] [-V] [-h]\n";

static const char help[] =
        "  -c FILE  read the configuration from FILE (" DEFAULT_CONFIG ")\n"
        "  -e TEXT  the configuration itself, from the command line\n"
        "  -t       check the configuration with its certificates and keys, and exit\n"
        "  -T       check it, print what is in effect and where each value comes from, and exit\n"
        "  -v       log everything (log.level = \"debug\")\n"
        "  -V       print the version and exit\n"
        "  -h       print this help and exit\n"
        "Signals: TERM, INT stop after the connections have ended (again: now); HUP reloads the "
        "configuration; "
        "USR1 reopens the log; USR2 puts the program as it is now in this one's place.\n"
        "Manual: spliced(8), spliced.conf(5)\n";

static bool mistake(const char *message)
{
        fprintf(stderr, "spliced: %s\n%s", message, usage);
        return false;
}

static bool check(const struct options *o, int operands)
{
        if (o->given.file != NULL && o->given.text != NULL)
                return mistake("-c and -e exclude each other");
        if (operands > 0)
                return mistake("there are no operands: the configuration is named with -c");
        return true;
}

bool options_parse(int argc, char **argv, struct options *out)
{
        int option;
        *out = (struct options){ .what = OPTIONS_RUN };
        while ((option = getopt(argc, argv, "c:e:tTvVh")) != -1) {
                switch (option) {
                case 'c':
                        out->given.file = optarg;
                        break;
                case 'e':
                        out->given.text = optarg;
                        break;
                case 't':
                        out->what = OPTIONS_CHECK;
                        break;
                case 'T':
                        out->what = OPTIONS_DUMP;
                        break;
                case 'v':
                        out->given.verbose = true;
                        break;
                case 'V':
                        out->what = OPTIONS_VERSION;
                        return true;
                case 'h':
                        out->what = OPTIONS_HELP;
                        return true;
                default:
                        fputs(usage, stderr);
                        return false;
                }
        }
        if (!check(out, argc - optind))
                return false;
        if (out->given.file == NULL && out->given.text == NULL)
                out->given.file = DEFAULT_CONFIG;
        return true;
}

void options_help(void)
{
        fputs(usage, stdout);
        fputs(help, stdout);
}
