/* SPDX-License-Identifier: ISC */
#include "control/privileges.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/capability.h>

#include "base/own.h"

void privileges_raise_descriptors(void)
{
        struct rlimit limit;
        if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
                return;
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
}

/* Who is to be become; what is not configured stays as it is, the group that of the user. */
struct identity {
        uid_t uid;
        gid_t gid;
};

static bool find_user(const struct config *conf, struct diag *diag, struct identity *who)
{
        const struct passwd *user = conf->user != NULL ? getpwnam(conf->user) : NULL;
        if (user != NULL)
                *who = (struct identity){ .uid = user->pw_uid, .gid = user->pw_gid };
        else if (conf->user != NULL)
                diag_error(diag, &conf->user_at, "user: there is no user \"%s\"", conf->user);
        return user != NULL || conf->user == NULL;
}

static bool find_group(const struct config *conf, struct diag *diag, struct identity *who)
{
        const struct group *group = conf->group != NULL ? getgrnam(conf->group) : NULL;
        if (group != NULL)
                who->gid = group->gr_gid;
        else if (conf->group != NULL)
                diag_error(diag, &conf->group_at, "group: there is no group \"%s\"", conf->group);
        return group != NULL || conf->group == NULL;
}

static bool find(const struct config *conf, struct diag *diag, struct identity *who)
{
        *who = (struct identity){ .uid = geteuid(), .gid = getegid() };
        bool user = find_user(conf, diag, who);
        return find_group(conf, diag, who) && user;
}

bool privileges_check(const struct config *conf, struct diag *diag)
{
        struct identity who;
        return find(conf, diag, &who);
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
        struct identity who;
        if (conf->user == NULL && conf->group == NULL)
                return true;
        if (!find(conf, diag, &who))
                return false;
        /* Already there, as under systemd with User=: nothing to do, and no right to do it. */
        if (geteuid() != 0 && geteuid() == who.uid && getegid() == who.gid)
                return true;
        if (!become(conf->user, who.uid, who.gid)) {
                diag_error(diag, conf->user != NULL ? &conf->user_at : &conf->group_at,
                           "cannot become user %s, group %s: %s (only root can)",
                           conf->user != NULL ? conf->user : "-",
                           conf->group != NULL ? conf->group : "-", strerror(errno));
                return false;
        }
        prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
        return true;
}

/* What root needs here: to bind, to set what sockets have, to own files and sockets that it makes,
 * and large pipes. */
static const unsigned needed[] = {
        CAP_CHOWN,     CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH, CAP_FOWNER, CAP_NET_BIND_SERVICE,
        CAP_NET_ADMIN, CAP_NET_RAW,      CAP_SYS_RESOURCE,
};

void privileges_drop_capabilities(void)
{
        struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
        struct __user_cap_data_struct has[_LINUX_CAPABILITY_U32S_3];
        uint32_t keep[_LINUX_CAPABILITY_U32S_3] = { 0 };
        for (size_t i = 0; i < COUNTOF(needed); i++)
                keep[CAP_TO_INDEX(needed[i])] |= CAP_TO_MASK(needed[i]);
        if (syscall(SYS_capget, &head, has) < 0)
                return;
        for (size_t i = 0; i < COUNTOF(has); i++) {
                has[i].effective &= keep[i];
                has[i].permitted &= keep[i];
                has[i].inheritable &= keep[i];
        }
        syscall(SYS_capset, &head, has);
}
