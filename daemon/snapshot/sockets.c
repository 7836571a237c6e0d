/* SPDX-License-Identifier: ISC */
#include "snapshot/sockets.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <string.h>

#include "base/own.h"
#include "base/text.h"

static uid_t socket_owner(const struct config_listen_socket *conf, struct diag *diag)
{
        if (conf->owner == NULL)
                return (uid_t)-1;
        const struct passwd *user = getpwnam(conf->owner);
        if (user == NULL)
                diag_error(diag, &conf->owner_at, "owner: there is no user \"%s\"", conf->owner);
        return user != NULL ? user->pw_uid : (uid_t)-1;
}

static gid_t socket_group(const struct config_listen_socket *conf, struct diag *diag)
{
        if (conf->group == NULL)
                return (gid_t)-1;
        const struct group *group = getgrnam(conf->group);
        if (group == NULL)
                diag_error(diag, &conf->group_at, "group: there is no group \"%s\"", conf->group);
        return group != NULL ? group->gr_gid : (gid_t)-1;
}

struct lsock_settings lsock_settings_of(const struct config_listen_socket *conf,
                                        const struct sockopt_sets *options, struct diag *diag)
{
        return (struct lsock_settings){
                .backlog = (int)conf->backlog,
                .options = options,
                .mode = (mode_t)conf->mode,
                .uid = socket_owner(conf, diag),
                .gid = socket_group(conf, diag),
        };
}

static bool is_algorithm(const char *congestion)
{
        return strcmp(congestion, "auto") != 0 && strcmp(congestion, "system") != 0;
}

/* Returns whether it can be used now. */
static bool check_congestion(const char *name, const struct origin *at, struct diag *diag)
{
        OWN(text_fini) struct text offered = { 0 };
        int error = is_algorithm(name) ? sockopt_congestion_try(name) : 0;
        if (error == 0)
                return true;
        sockopt_congestion_offered(&offered);
        if (error == ENOENT)
                diag_error(diag, at,
                           "congestion: this kernel does not offer \"%s\"; it offers %s, and there "
                           "are \"auto\" and \"system\"",
                           name, text_str(&offered));
        else if (error == EPERM)
                diag_error(diag, at,
                           "congestion: \"%s\" needs CAP_NET_ADMIN, for it is not in "
                           "net.ipv4.tcp_allowed_congestion_control",
                           name);
        else
                diag_error(diag, at, "congestion: \"%s\": %s", name, strerror(error));
        return false;
}

struct sockopt_sets listen_options_of(const struct config_listen_socket *conf, struct diag *diag)
{
        if (!check_congestion(conf->congestion, &conf->congestion_at, diag))
                return sockopt_sets("system"); /* said once is enough */
        return sockopt_sets(conf->congestion);
}

/* Sockets that listen are set up before privileges are given up, those that connect after. */
struct sockopt_sets connect_options_of(const struct config_connect_socket *conf,
                                       bool keeps_privileges, struct diag *diag)
{
        const char *name = conf->congestion;
        if (check_congestion(name, &conf->congestion_at, diag) && is_algorithm(name) &&
            !keeps_privileges && !sockopt_congestion_for_all(name))
                diag_error(diag, &conf->congestion_at,
                           "congestion: \"%s\" needs CAP_NET_ADMIN, which is given up with the "
                           "change of user, for it is not in "
                           "net.ipv4.tcp_allowed_congestion_control",
                           name);
        return sockopt_sets(name);
}
