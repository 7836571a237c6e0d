/* SPDX-License-Identifier: ISC */
#include "control/command.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/own.h"
#include "base/text.h"
#include "config.h"
#include "config/kind.h"
#include "control/inquiry.h"
#include "control/upgrade.h"

enum { WORD_SHOWN = 40 }; /* octets of a word that is quoted */

struct call {
        const struct asker *who;
        const char *word; /* after the command; NULL: none */
        struct reply *reply;
        const struct command_env *env;
};

static const struct snapshot *running(const struct call *c)
{
        return reload_running(c->env->reload);
}

/* --- how it is -------------------------------------------------------------------------------- */

static void command_status(struct call *c)
{
        const struct snapshot *s = running(c);
        int64_t up_ms = (clock_wall_us() - c->env->started_wall_us) / 1000;
        reply_json(c->reply,
                   json_pack("{s:s,s:i,s:I,s:I,s:I,s:I,s:i}", "version", PACKAGE_VERSION, "pid",
                             (int)getpid(), "uptime_ms", (json_int_t)up_ms, "connections",
                             (json_int_t)tally_live(&s->counts->tally), "max_connections",
                             (json_int_t)s->conf->max_connections, "services",
                             (json_int_t)s->n_services, "workers", (int)c->env->n_workers));
        reply_end(c->reply, NULL);
}

static json_t *addresses_of(const struct service *s)
{
        char text[SOCKADDRESS_TEXT_MAX];
        json_t *list = json_array();
        for (size_t i = 0; i < s->n_socks; i++)
                json_array_append_new(list,
                                      json_string(sockaddress_text(&s->socks[i]->address, text)));
        return list;
}

static json_t *targets_of(const struct service *s)
{
        json_t *list = json_array();
        for (size_t i = 0; i < s->upstream.targets->n; i++)
                json_array_append_new(list, json_string(s->upstream.targets->items[i].text));
        return list;
}

static void command_services(struct call *c)
{
        const struct snapshot *all = running(c);
        for (size_t i = 0; i < all->n_services; i++) {
                const struct service *s = all->services[i];
                reply_json(c->reply,
                           json_pack("{s:s,s:o,s:o,s:I,s:I,s:b,s:b}", "name", s->conf->name,
                                     "listen", addresses_of(s), "connect", targets_of(s),
                                     "connections", (json_int_t)tally_live(&s->counts->tally),
                                     "max_connections", (json_int_t)s->conf->max_connections,
                                     "listen_tls", s->listen_tls != NULL, "connect_tls",
                                     s->connect_tls != NULL));
        }
        reply_end(c->reply, NULL);
}

/* --- connections ------------------------------------------------------------------------------ */

static void command_sessions(struct call *c)
{
        const struct inquiry_request all = { .what = INQUIRY_SESSIONS, .service = c->word };
        if (c->word != NULL && snapshot_service(running(c), c->word) == NULL)
                reply_end(c->reply, "there is no service of that name");
        else
                inquiry_begin(c->env->workers, c->env->n_workers, &all, c->reply);
}

static void about_one(struct call *c, enum inquiry_what what)
{
        int64_t id;
        if (text_to_count(c->word, &id) != NULL) {
                reply_end(c->reply, "a connection is named by its number: \"sessions\" shows them");
                return;
        }
        const struct inquiry_request one = { .what = what, .id = (uint64_t)id };
        inquiry_begin(c->env->workers, c->env->n_workers, &one, c->reply);
}

static void command_session(struct call *c)
{
        about_one(c, INQUIRY_SESSION);
}

static void command_kill(struct call *c)
{
        log_notice("connection %s is ended on behalf of uid %u (pid %d)", c->word,
                   (unsigned)c->who->uid, (int)c->who->pid);
        about_one(c, INQUIRY_KILL);
}

/* --- reload ----------------------------------------------------------------------------------- */

struct waiting {
        struct reload_asker asker;
        struct reply *reply;
};

static void on_line(enum reload_line kind, const char *line, void *arg)
{
        static const char *const kinds[] = {
                [RELOAD_ERROR] = "error",
                [RELOAD_WARNING] = "warning",
                [RELOAD_CHANGE] = "change",
        };
        struct waiting *w = arg;
        reply_json(w->reply, json_pack("{s:s}", kinds[kind], line));
}

static void on_done(bool changed, void *arg)
{
        struct waiting *w = arg;
        reply_end(w->reply, changed ? NULL : "nothing is reloaded; what was running goes on");
        free(w);
}

static void command_reload(struct call *c)
{
        struct waiting *w = malloc(sizeof *w);
        if (w == NULL) {
                reply_end(c->reply, "the daemon is short of memory");
                return;
        }
        *w = (struct waiting){ .asker = { .line = on_line, .done = on_done, .arg = w },
                               .reply = c->reply };
        log_notice("a reload is asked for by uid %u (pid %d)", (unsigned)c->who->uid,
                   (int)c->who->pid);
        reload_config(c->env->reload, &w->asker);
}

/* --- another process -------------------------------------------------------------------------- */

static void on_upgraded(const char *error, void *arg)
{
        reply_end(arg, error);
}

static void command_upgrade(struct call *c)
{
        const struct upgrade_asker asker = { .done = on_upgraded, .arg = c->reply };
        log_notice("an upgrade is asked for by uid %u (pid %d)", (unsigned)c->who->uid,
                   (int)c->who->pid);
        const char *error = upgrade_begin(c->env->upgrade, &asker);
        if (error != NULL)
                reply_end(c->reply, error);
}

/* --- the log ---------------------------------------------------------------------------------- */

static void command_log_level(struct call *c)
{
        for (const struct word *w = kind_LOG_LEVEL.words; w->word != NULL; w++) {
                if (strcmp(w->word, c->word) != 0)
                        continue;
                log_set_level((enum log_level)w->value);
                log_notice("log level %s, on behalf of uid %u (pid %d)", c->word,
                           (unsigned)c->who->uid, (int)c->who->pid);
                reply_end(c->reply, NULL);
                return;
        }
        reply_end(c->reply, "a level is one of error, warning, notice, info, debug");
}

/* --- which ------------------------------------------------------------------------------------ */

static const struct command {
        const char *name, *operands;
        void (*run)(struct call *c);
} commands[] = {
#define C(id, name, operands, help) { name, operands, command_##id },
#include "control/commands.def"
#undef C
};

static const struct command *find(const char *name)
{
        for (size_t i = 0; i < COUNTOF(commands); i++)
                if (strcmp(commands[i].name, name) == 0)
                        return &commands[i];
        return NULL;
}

static bool fits(const struct command *command, size_t operands)
{
        size_t most = command->operands[0] != '\0' ? 1 : 0;
        size_t least = most == 1 && command->operands[0] != '[' ? 1 : 0;
        return operands >= least && operands <= most;
}

void command_run(const struct asker *who, const char *const *words, size_t n, struct reply *reply,
                 void *env)
{
        char error[128];
        const struct command *command = find(words[0]);
        struct call call = { who, n > 1 ? words[1] : NULL, reply, env };
        if (command != NULL && fits(command, n - 1)) {
                command->run(&call);
                return;
        }
        if (command == NULL)
                snprintf(error, sizeof error, "there is no command \"%.*s\"", WORD_SHOWN, words[0]);
        else
                snprintf(error, sizeof error, "usage: %s %s", command->name, command->operands);
        reply_end(reply, error);
}
