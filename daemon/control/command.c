/* SPDX-License-Identifier: ISC */
#include "control/command.h"

#include <stdio.h>
#include <string.h>

#include "base/own.h"
#include "base/text.h"
#include "control/command_internal.h"

static const struct command {
        const char *name, *operand;
        void (*run)(struct call *c);
} commands[] = {
#define C(id, name, operand, help) { name, operand, command_##id },
#define O(command, name, value, help)
#include "control/commands.def"
#undef O
#undef C
};

static const struct option {
        const char *command, *name, *value;
} options[] = {
#define C(id, name, operand, help)
#define O(command, name, value, help) { command, name, value },
#include "control/commands.def"
#undef O
#undef C
};

static const struct command *find(const char *name)
{
        for (size_t i = 0; i < COUNTOF(commands); i++)
                if (strcmp(commands[i].name, name) == 0)
                        return &commands[i];
        return NULL;
}

static const struct option *find_option(const struct command *command, const char *name)
{
        for (size_t i = 0; i < COUNTOF(options); i++)
                if (strcmp(options[i].command, command->name) == 0 &&
                    strcmp(options[i].name, name) == 0)
                        return &options[i];
        return NULL;
}

const char *call_option(const struct call *c, const char *name)
{
        for (size_t i = 0; i < c->n_options; i++)
                if (strcmp(c->options[i].name, name) == 0)
                        return c->options[i].value;
        return NULL;
}

/* --- the words of a request ------------------------------------------------------------------- */

static void add_usage(struct text *t, const struct command *command)
{
        text_addf(t, "usage: %s%s%s", command->name, command->operand[0] != '\0' ? " " : "",
                  command->operand);
        for (size_t i = 0; i < COUNTOF(options); i++) {
                const struct option *o = &options[i];
                if (strcmp(o->command, command->name) == 0)
                        text_addf(t, " [%s%s%s]", o->name, o->value[0] != '\0' ? " " : "",
                                  o->value);
        }
}

/* Takes the option, and its value, off the words. Returns false after saying in *wrong why not. */
static bool take_option(struct call *c, const struct command *command, const char *const **word,
                        const char *const *end, struct text *wrong)
{
        const char *name = *(*word)++;
        const struct option *option = find_option(command, name);
        if (option == NULL) {
                text_addf(wrong, "there is no option \"%.*s\"; ", WORD_SHOWN, name);
                add_usage(wrong, command);
                return false;
        }
        if (call_option(c, option->name) != NULL || c->n_options == CALL_OPTIONS_MAX) {
                text_addf(wrong, "%s is given twice", option->name);
                return false;
        }
        const char *value = "";
        if (option->value[0] != '\0') {
                if (*word == end) {
                        text_addf(wrong, "%s needs a value: %s %s", option->name, option->name,
                                  option->value);
                        return false;
                }
                value = *(*word)++;
        }
        c->options[c->n_options].name = option->name;
        c->options[c->n_options++].value = value;
        return true;
}

static bool take_words(struct call *c, const struct command *command, const char *const *word,
                       const char *const *end, struct text *wrong)
{
        bool may_have = command->operand[0] != '\0';
        bool must_have = may_have && command->operand[0] != '[';
        while (word < end) {
                if (strncmp(*word, "--", 2) == 0) {
                        if (!take_option(c, command, &word, end, wrong))
                                return false;
                } else if (may_have && c->operand == NULL) {
                        c->operand = *word++;
                } else {
                        add_usage(wrong, command);
                        return false;
                }
        }
        if (must_have && c->operand == NULL)
                add_usage(wrong, command);
        return wrong->len == 0;
}

void command_run(const struct asker *who, const char *const *words, size_t n, struct reply *reply,
                 void *env)
{
        OWN(text_fini) struct text wrong = { 0 };
        const struct command *command = find(words[0]);
        struct call call = { .who = who, .reply = reply, .env = env };
        if (command == NULL)
                text_addf(&wrong, "there is no command \"%.*s\"", WORD_SHOWN, words[0]);
        else if (take_words(&call, command, words + 1, words + n, &wrong)) {
                command->run(&call);
                return;
        }
        reply_end(reply, text_str(&wrong));
}
