/* SPDX-License-Identifier: ISC */
#include "control/privileges.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

void privileges_raise_descriptors(void)
{
        struct rlimit limit;
        if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
                return;
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
}

static bool find_user(const struct config *conf, struct diag *diag, struct passwd *found)
{
        const struct passwd *user = getpwnam(conf->user);
        if (user == NULL) {
                diag_error(diag, &conf->user_at, "user: there is no user \"%s\"", conf->user);
                return false;
        }
        *found = *user;
        return true;
}

static bool find_group(const struct config *conf, struct diag *diag, gid_t *found)
{
        const struct group *group = getgrnam(conf->group);
        if (group == NULL) {
                diag_error(diag, &conf->group_at, "group: there is no group \"%s\"", conf->group);
                return false;
        }
        *found = group->gr_gid;
        return true;
}

static bool become(const char *user, uid_t uid, gid_t gid)
{
        int groups = user != NULL ? initgroups(user, gid) : setgroups(1, &gid);
        if (groups < 0 || setresgid(gid, gid, gid) < 0)
                return false;
        return user == NULL || setresuid(uid, uid, uid) == 0;
}

bool privileges_drop(const struct config *conf, struct diag *diag)
{
        struct passwd user = { .pw_uid = geteuid(), .pw_gid = getegid() };
        if (conf->user == NULL && conf->group == NULL)
                return true;
        if (conf->user != NULL && !find_user(conf, diag, &user))
                return false;
        gid_t gid = user.pw_gid;
        if (conf->group != NULL && !find_group(conf, diag, &gid))
                return false;
        /* Already there, as under systemd with User=: nothing to do, and no right to do it. */
        if (geteuid() != 0 && geteuid() == user.pw_uid && getegid() == gid)
                return true;
        if (!become(conf->user, user.pw_uid, gid)) {
                diag_error(diag, conf->user != NULL ? &conf->user_at : &conf->group_at,
                           "cannot become user %s, group %s: %s (only root can)",
                           conf->user != NULL ? conf->user : "-",
                           conf->group != NULL ? conf->group : "-", strerror(errno));
                return false;
        }
        prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
        return true;
}
