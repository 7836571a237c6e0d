/* SPDX-License-Identifier: ISC */
#include "control/control.h"

#include <grp.h>
#include <libgen.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/own.h"
#include "base/text.h"
#include "net/lsock.h"

struct control {
        struct lsock **socks;
        size_t n_socks;
        struct command_env env;
        struct server *server;
};

static bool is_there(const char *path)
{
        OWN_FREE char *copy = strdup(path);
        return copy != NULL && access(dirname(copy), W_OK) == 0;
}

static bool is_wanted(const struct config *conf)
{
        if (conf->control == NULL || strcmp(conf->control, "off") == 0)
                return false;
        return conf->control_at.file != NULL || is_there(conf->control);
}

static bool open_socket(struct control *c, const struct config *conf, struct lsock_set *left,
                        struct diag *diag)
{
        struct addr address = { 0 };
        OWN(text_fini) struct text text = { 0 };
        struct lsock_settings settings = { .running = left,
                                           .mode = (mode_t)conf->control_mode,
                                           .uid = (uid_t)-1,
                                           .gid = (gid_t)-1 };
        const struct group *group =
                conf->control_group != NULL ? getgrnam(conf->control_group) : NULL;
        if (group != NULL)
                settings.gid = group->gr_gid;
        else if (conf->control_group != NULL)
                diag_error(diag, &conf->control_group_at, "control-group: there is no group \"%s\"",
                           conf->control_group);
        text_addf(&text, "unix:%s", conf->control);
        const char *wrong = addr_parse(text_str(&text), ADDR_FOR_LISTEN, &address);
        if (wrong != NULL)
                diag_error(diag, &conf->control_at, "control: \"%s\" %s", conf->control, wrong);
        else
                lsock_open(&address, &settings, diag, &conf->control_at, &c->socks, &c->n_socks);
        addr_fini(&address);
        return c->n_socks > 0 && diag_errors(diag) == 0;
}

bool control_open(struct control **control, struct event_base *base, const struct config *conf,
                  const struct command_env *env, struct lsock_set *left, struct diag *diag)
{
        *control = NULL;
        if (!is_wanted(conf))
                return true;
        struct control *c = calloc(1, sizeof *c);
        if (c == NULL) {
                diag_error(diag, NULL, "out of memory");
                return false;
        }
        c->env = *env;
        if (open_socket(c, conf, left, diag)) {
                c->server = server_new(base, c->socks[0]->fds[0], command_run, &c->env);
                if (c->server == NULL)
                        diag_error(diag, NULL, "control: out of memory");
        }
        if (c->server == NULL) {
                control_close(c);
                return false;
        }
        log_info("control: listening on unix:%s", conf->control);
        *control = c;
        return true;
}

void control_each_socket(const struct control *c, void fn(struct lsock *l, void *to), void *to)
{
        for (size_t i = 0; c != NULL && i < c->n_socks; i++)
                fn(c->socks[i], to);
}

void control_leave(struct control *c)
{
        if (c == NULL)
                return;
        server_shut(c->server);
        for (size_t i = 0; i < c->n_socks; i++)
                lsock_leave(c->socks[i]);
}

bool control_is_busy(const struct control *c)
{
        return c != NULL && server_is_busy(c->server);
}

void control_close(struct control *c)
{
        if (c == NULL)
                return;
        server_free(c->server);
        for (size_t i = 0; i < c->n_socks; i++)
                lsock_unref(c->socks[i]);
        free(c->socks);
        free(c);
}
