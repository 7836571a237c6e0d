/* SPDX-License-Identifier: ISC */
/* Each in a child: there is no way back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include <cmocka.h>

#include "../child.h"
#include "base/own.h"
#include "base/text.h"
#include "control/privileges.h"

/* settings are global ones, on the first line of the configuration "t". */
static struct config *config_with(const char *settings)
{
        struct text text = { 0 };
        text_addf(&text, "%s\nservices: { a: { listen = \"127.0.0.1:1\"; connect = \"echo\" } }",
                  settings);
        struct diag *diag = diag_new();
        struct config *conf = config_read_text(text_str(&text), "t", diag);
        assert_non_null(conf);
        diag_free(diag);
        text_fini(&text);
        return conf;
}

typedef bool privileges_fn(const struct config *conf, struct diag *diag);

/* What fn returns, having said exactly this. */
static bool result(privileges_fn *fn, const char *settings, const char *wanted)
{
        struct config *conf = config_with(settings);
        struct diag *diag = diag_new();
        bool fine = fn(conf, diag);
        char *said = NULL;
        size_t n;
        FILE *to = open_memstream(&said, &n);
        diag_print(diag, to);
        fclose(to);
        assert_string_equal(said, wanted);
        free(said);
        diag_free(diag);
        config_free(conf);
        return fine;
}

static void assert_ids(uid_t uid, gid_t gid)
{
        uid_t real, effective, saved;
        assert_int_equal(getresuid(&real, &effective, &saved), 0);
        assert_true(real == uid && effective == uid && saved == uid);
        gid_t real_group, effective_group, saved_group;
        assert_int_equal(getresgid(&real_group, &effective_group, &saved_group), 0);
        assert_true(real_group == gid && effective_group == gid && saved_group == gid);
}

static int by_value(const void *a, const void *b)
{
        gid_t x = *(const gid_t *)a, y = *(const gid_t *)b;
        return x < y ? -1 : x > y;
}

/* In these groups and in no other. */
static void assert_groups(gid_t *wanted, int n)
{
        gid_t got[256];
        assert_int_equal(getgroups(COUNTOF(got), got), n);
        qsort(got, (size_t)n, sizeof *got, by_value);
        qsort(wanted, (size_t)n, sizeof *wanted, by_value);
        assert_memory_equal(got, wanted, (size_t)n * sizeof *got);
}

/* A line of /proc/self/status. */
static void status(const char *name, char value[static 256])
{
        char line[256];
        size_t n = strlen(name);
        FILE *from = fopen("/proc/self/status", "r");
        assert_non_null(from);
        value[0] = '\0';
        while (fgets(line, sizeof line, from) != NULL)
                if (strncmp(line, name, n) == 0 && line[n] == ':')
                        strcpy(value, line + n + 1 + strspn(line + n + 1, " \t"));
        value[strcspn(value, "\n")] = '\0';
        fclose(from);
}

static void assert_for_good(void)
{
        char value[256];
        assert_int_equal(setuid(0), -1);
        assert_int_equal(errno, EPERM);
        assert_int_equal(seteuid(0), -1);
        assert_int_equal(setresuid(0, 0, 0), -1);
        assert_int_equal(setgid(0), -1);
        gid_t none = 0;
        assert_int_equal(setgroups(1, &none), -1);
        status("CapEff", value);
        assert_string_equal(value, "0000000000000000");
        status("CapPrm", value);
        assert_string_equal(value, "0000000000000000");
        assert_int_equal(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0), 1);
}

/* --- as root ---------------------------------------------------------------------------------- */

struct row {
        const char *user, *group; /* NULL: not configured */
};

static void become(const void *arg)
{
        const struct row *row = arg;
        struct passwd user = { .pw_uid = 0, .pw_gid = 0 };
        gid_t gid = 0, groups[256];
        int n = 1;
        gid_t mine[] = { 0, 12345 };
        assert_int_equal(setgroups(2, mine), 0); /* to be left behind */
        if (row->user != NULL)
                user = *getpwnam(row->user);
        gid = row->group != NULL ? getgrnam(row->group)->gr_gid : user.pw_gid;
        groups[0] = gid;
        if (row->user != NULL) {
                n = COUNTOF(groups);
                assert_true(getgrouplist(row->user, gid, groups, &n) > 0);
        }
        struct text settings = { 0 };
        if (row->user != NULL)
                text_addf(&settings, "user = \"%s\";", row->user);
        if (row->group != NULL)
                text_addf(&settings, "group = \"%s\";", row->group);
        assert_true(result(privileges_drop, text_str(&settings), ""));
        text_fini(&settings);
        assert_ids(user.pw_uid, gid);
        assert_groups(groups, n);
        if (row->user != NULL)
                assert_for_good();
}

static bool there_is(const struct row *row)
{
        return (row->user == NULL || getpwnam(row->user) != NULL) &&
               (row->group == NULL || getgrnam(row->group) != NULL);
}

static void root_becomes_who_is_configured(void **state)
{
        (void)state;
        static const struct row rows[] = {
                { "nobody", NULL },
                { "nobody", "daemon" },
                { "daemon", NULL },
                { NULL, "daemon" },
        };
        if (geteuid() != 0) {
                skip();
                return;
        }
        for (size_t i = 0; i < COUNTOF(rows); i++)
                if (there_is(&rows[i]))
                        assert_int_equal(in_child(become, &rows[i]), 0);
}

/* A user who is a member of other groups besides his own, if this machine has one. */
static const char *user_of_many_groups(void)
{
        static char name[256];
        const struct group *group;
        name[0] = '\0';
        setgrent();
        while (name[0] == '\0' && (group = getgrent()) != NULL)
                if (group->gr_mem[0] != NULL && strcmp(group->gr_mem[0], "root") != 0)
                        snprintf(name, sizeof name, "%s", group->gr_mem[0]);
        endgrent();
        return name[0] != '\0' && getpwnam(name) != NULL ? name : NULL;
}

static void the_users_other_groups_come_with_him(void **state)
{
        (void)state;
        struct row row = { .user = user_of_many_groups() };
        if (geteuid() != 0 || row.user == NULL)
                skip();
        else
                assert_int_equal(in_child(become, &row), 0);
}

static void without_either_nothing_changes(void **state)
{
        (void)state;
        uid_t uid = getuid();
        gid_t gid = getgid();
        assert_true(result(privileges_drop, "", ""));
        assert_ids(uid, gid);
        assert_int_equal(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0), 0);
}

/* --- as somebody else ------------------------------------------------------------------------- */

static void as_nobody(const void *arg)
{
        (void)arg;
        const struct passwd *nobody = getpwnam("nobody");
        uid_t uid = nobody->pw_uid;
        gid_t gid = nobody->pw_gid;
        assert_int_equal(setgroups(0, NULL), 0);
        assert_int_equal(setresgid(gid, gid, gid), 0);
        assert_int_equal(setresuid(uid, uid, uid), 0);
        assert_true(result(privileges_drop, "user = \"nobody\"", ""));
        assert_true(result(privileges_drop, "", ""));
        assert_false(result(privileges_drop, "user = \"root\"",
                            "t:1: cannot become user root, group -: Operation not permitted (only "
                            "root can)\n"));
        assert_false(result(privileges_drop, "\ngroup = \"root\"",
                            "t:2: cannot become user -, group root: Operation not permitted (only "
                            "root can)\n"));
        assert_ids(uid, gid);
}

static void only_root_can_become_another(void **state)
{
        (void)state;
        if (geteuid() != 0 || getpwnam("nobody") == NULL)
                skip();
        else
                assert_int_equal(in_child(as_nobody, NULL), 0);
}

/* --- mistakes --------------------------------------------------------------------------------- */

static void who_does_not_exist_is_a_mistake_and_nothing_changes(void **state)
{
        (void)state;
        static const struct {
                const char *settings, *said;
        } table[] = {
                { "user = \"no-such-user\"", "t:1: user: there is no user \"no-such-user\"\n" },
                { "\ngroup = \"no-such-group\"",
                  "t:2: group: there is no group \"no-such-group\"\n" },
                { "user = \"root\"; group = \"no-such-group\"",
                  "t:1: group: there is no group \"no-such-group\"\n" },
                { "group = \"no-such-group\"\nuser = \"no-such-user\"",
                  "t:2: user: there is no user \"no-such-user\"\n"
                  "t:1: group: there is no group \"no-such-group\"\n" },
        };
        uid_t uid = getuid();
        gid_t gid = getgid();
        for (size_t i = 0; i < COUNTOF(table); i++) {
                assert_false(result(privileges_check, table[i].settings, table[i].said));
                assert_false(result(privileges_drop, table[i].settings, table[i].said));
        }
        assert_ids(uid, gid);
}

static void checking_changes_nothing(void **state)
{
        (void)state;
        uid_t uid = getuid();
        gid_t gid = getgid();
        assert_true(result(privileges_check, "user = \"nobody\"", ""));
        assert_true(result(privileges_check, "", ""));
        assert_ids(uid, gid);
}

/* --- descriptors ------------------------------------------------------------------------------ */

static void raise_limit(const void *arg)
{
        (void)arg;
        struct rlimit limit;
        assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
        rlim_t hard = limit.rlim_max;
        limit.rlim_cur = 64;
        assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
        privileges_raise_descriptors();
        assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
        assert_int_equal(limit.rlim_cur, hard);
        assert_int_equal(limit.rlim_max, hard);
}

static void all_descriptors_that_may_be_had_are_had(void **state)
{
        (void)state;
        assert_int_equal(in_child(raise_limit, NULL), 0);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(root_becomes_who_is_configured),
                cmocka_unit_test(the_users_other_groups_come_with_him),
                cmocka_unit_test(without_either_nothing_changes),
                cmocka_unit_test(only_root_can_become_another),
                cmocka_unit_test(who_does_not_exist_is_a_mistake_and_nothing_changes),
                cmocka_unit_test(checking_changes_nothing),
                cmocka_unit_test(all_descriptors_that_may_be_had_are_had),
        };
        return cmocka_run_group_tests_name("control/privileges", tests, NULL, NULL);
}
