/* SPDX-License-Identifier: ISC */
#include "snapshot/admin_sockets.h"

#include <grp.h>
#include <netinet/in.h>
#include <stdlib.h>

/* A name that no service can have. */
#define NOBODYS_SERVICE "(admin)"

static gid_t group_of(const struct config *conf, struct diag *diag)
{
        if (conf->admin_group == NULL)
                return (gid_t)-1;
        const struct group *group = getgrnam(conf->admin_group);
        if (group != NULL)
                return group->gr_gid;
        diag_error(diag, &conf->admin_group_at, "admin-group: there is no group \"%s\"",
                   conf->admin_group);
        return (gid_t)-1;
}

bool admin_is_local(const struct sockaddress *a)
{
        if (a->sa.sa_family == AF_INET)
                return ntohl(a->in.sin_addr.s_addr) >> 24 == IN_LOOPBACKNET;
        if (a->sa.sa_family == AF_INET6)
                return IN6_IS_ADDR_LOOPBACK(&a->in6.sin6_addr);
        return true;
}

static void warn_of_strangers(const struct config *conf, const struct snapshot *s, size_t from,
                              size_t i, struct diag *diag)
{
        for (; from < s->n_admin; from++) {
                if (admin_is_local(&s->admin[from]->address))
                        continue;
                diag_warning(diag, &conf->admin.at[i],
                             "admin: whoever reaches %s sees who is connected to whom: a loopback "
                             "address or a Unix socket is safer",
                             conf->admin.items[i].text);
                return;
        }
}

void admin_sockets_open(struct snapshot *s, struct lsock_set *running, struct diag *diag)
{
        const struct config *conf = s->conf;
        const struct lsock_settings settings = {
                .service = NOBODYS_SERVICE,
                .running = running,
                .mode = (mode_t)conf->admin_mode,
                .uid = (uid_t)-1,
                .gid = group_of(conf, diag),
        };
        for (size_t i = 0; i < conf->admin.n; i++) {
                size_t before = s->n_admin;
                lsock_open(&conf->admin.items[i], &settings, diag, &conf->admin.at[i], &s->admin,
                           &s->n_admin);
                warn_of_strangers(conf, s, before, i, diag);
        }
}

void admin_sockets_free(struct snapshot *s)
{
        for (size_t i = 0; i < s->n_admin; i++)
                lsock_unref(s->admin[i]);
        free(s->admin);
}
