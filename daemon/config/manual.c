/* SPDX-License-Identifier: ISC */
/* Makes spliced.conf(5): copies its text from standard input to standard output, with the
 * paragraphs of a table of directives for each line `@directives TABLE@`. Runs while building. */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/own.h"
#include "base/text.h"
#include "config/rows.h"

static void print_word(const char *s, size_t n)
{
        if (n > 0 && (*s == '.' || *s == '\''))
                fputs("\\&", stdout);
        for (; n > 0; s++, n--) {
                if (*s == '\\')
                        fputs("\\e", stdout);
                else if (*s == '"')
                        fputs("\\(dq", stdout);
                else
                        putchar(*s);
        }
}

/* Words for mdoc: no line begins like a request or is too long, each sentence begins one. */
static void print_prose(const char *s)
{
        enum { WIDTH = 60 };
        size_t column = 0;
        for (size_t n; *s != '\0'; s += n + strspn(s + n, " ")) {
                n = strcspn(s, " ");
                if (column > 0 && column + n < WIDTH)
                        putchar(' ');
                else if (column > 0)
                        column = 0, putchar('\n');
                print_word(s, n);
                column = n > 0 && s[n - 1] == '.' ? WIDTH : column + n + 1;
        }
        putchar('\n');
}

static const char *quote(const struct row *r, const char *value)
{
        bool bare = r->kind->takes & (NODE_NUMBER | NODE_TRUTH);
        return bare && value[strspn(value, "0123456789")] == '\0' ? "" : "\"";
}

/* What is not in the help because the row says it. */
static void print_limits(const struct row *r)
{
        OWN(text_fini) struct text t = { 0 };
        if (r->kind->words != NULL) {
                text_add(&t, "One of ");
                kind_expects(r->kind, &t);
                text_add(&t, ". ");
        }
        if (r->lo != NULL && strcmp(r->lo, "off") == 0)
                text_addf(&t, "At most \"%s\", or \"off\". ", r->hi);
        else if (r->lo != NULL)
                text_addf(&t, "From %s%s%s to %s%s%s. ", quote(r, r->lo), r->lo, quote(r, r->lo),
                          quote(r, r->hi), r->hi, quote(r, r->hi));
        if (r->required)
                text_add(&t, "Must be given.");
        else if (r->preset != NULL && r->kind->takes == NODE_TRUTH)
                text_addf(&t, "The default is %s.", r->preset);
        else if (r->preset != NULL)
                text_addf(&t, "The default is %s%s%s.", quote(r, r->preset), r->preset,
                          quote(r, r->preset));
        if (t.failed)
                exit(EXIT_FAILURE);
        if (t.len > 0)
                print_prose(text_str(&t));
}

static void print_row(const struct row *r)
{
        char name[ROW_NAME_MAX];
        printf(".It Ic %s No = Ar %s\n", row_name(r, name), r->kind->name);
        print_prose(r->help);
        print_limits(r);
}

static bool print_table(const char *name)
{
        for (size_t i = 0; i < config_n_tables; i++) {
                const struct table *t = config_tables[i];
                if (strcmp(t->name, name) != 0)
                        continue;
                puts(".Bl -tag -width Ds");
                for (size_t j = 0; j < t->n_rows; j++)
                        print_row(&t->rows[j]);
                puts(".El");
                return true;
        }
        fprintf(stderr, "no table of directives is called %s\n", name);
        return false;
}

int main(void)
{
        char line[4096], name[64];
        while (fgets(line, sizeof line, stdin) != NULL) {
                if (sscanf(line, "@directives %63[a-z-]@", name) != 1)
                        fputs(line, stdout);
                else if (!print_table(name))
                        return EXIT_FAILURE;
        }
        return ferror(stdin) || fflush(stdout) != 0 || ferror(stdout) ? EXIT_FAILURE : EXIT_SUCCESS;
}
