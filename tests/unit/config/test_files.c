/* SPDX-License-Identifier: ISC */
/* Configurations in files: reading them, including others, files cut short. */
#include "attempt.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/own.h"

#define ECHO_SERVICE "services: { a: { listen = \"*:1\"; connect = \"echo\" } }\n"

static char dir[] = "/tmp/spliced-config-XXXXXX";

static int make_dir(void **state)
{
        (void)state;
        return mkdtemp(dir) == NULL || chdir(dir) != 0 || mkdir("conf.d", 0755) != 0 ||
               mkdir("a*b", 0755) != 0;
}

static int remove_dir(void **state)
{
        (void)state;
        char command[sizeof dir + 20];
        snprintf(command, sizeof command, "rm -rf %s", dir);
        return system(command);
}

static void put(const char *path, const char *text, size_t n)
{
        FILE *to = fopen(path, "w");
        assert_non_null(to);
        assert_int_equal(fwrite(text, 1, n, to), n);
        assert_int_equal(fclose(to), 0);
}

static void put_text(const char *path, const char *text)
{
        put(path, text, strlen(text));
}

static void assert_path_refused(const char *path, const char *messages)
{
        struct attempt a = attempt_path(path);
        if (a.config != NULL || strcmp(a.messages, messages) != 0)
                fail_msg("%s says:\n%snot:\n%s", path, a.messages, messages);
        attempt_end(&a);
}

static struct config *must_read_path(const char *path)
{
        struct attempt a = attempt_path(path);
        if (a.config == NULL)
                fail_msg("%s is refused:\n%s", path, a.messages);
        free(a.messages);
        return a.config;
}

static void what_is_no_readable_text_file_is_refused(void **state)
{
        (void)state;
        static const char nul[] = "workers = 1\nuser = \"a\0b\"\n";
        assert_path_refused("missing.conf",
                            "cannot read missing.conf: No such file or directory\n");
        assert_path_refused("conf.d", "cannot read conf.d: Is a directory\n");
        assert_path_refused("/dev/null", "/dev/null: the file is empty\n");
        put("nul.conf", nul, sizeof nul - 1);
        assert_path_refused("nul.conf", "nul.conf:2: a NUL octet: this is not a text file\n");
        put_text("cut.conf", "workers = 1\n" ECHO_SERVICE "user = \"x\"");
        assert_path_refused("cut.conf",
                            "cut.conf:3: the last line has no line end: is the file complete?\n");
        assert_path_refused("/dev/zero", "cannot read /dev/zero: larger than 16 MB, that is no "
                                         "configuration\n");
        put_text("secret.conf", ECHO_SERVICE);
        assert_int_equal(chmod("secret.conf", 0), 0);
        if (geteuid() != 0) /* nothing is secret to root */
                assert_path_refused("secret.conf", "cannot read secret.conf: Permission denied\n");
}

static void a_pipe_can_be_read_too(void **state)
{
        (void)state;
        int fds[2];
        char path[40];
        assert_int_equal(pipe(fds), 0);
        assert_int_equal(write(fds[1], ECHO_SERVICE, strlen(ECHO_SERVICE)), strlen(ECHO_SERVICE));
        close(fds[1]);
        snprintf(path, sizeof path, "/dev/fd/%d", fds[0]);
        config_free(must_read_path(path));
        close(fds[0]);
}

static void files_are_included_by_pattern_in_their_order(void **state)
{
        (void)state;
        put_text("conf.d/20-b.conf",
                 "services: { b: { listen = \"*:2\"; connect = \"h:2\"; connect-tls: {\n"
                 "ca = \"ca.pem\" } } }\n");
        put_text("conf.d/10-a.conf", "services: { a: { listen = \"*:1\"; connect = \"echo\" } }\n"
                                     "log: { level = \"debug\" }\n");
        put_text("conf.d/README", "not a configuration");
        put_text("more.conf", "services: { c: { listen = \"*:3\"; connect = \"echo\" } }\n");
        put_text("main.conf", "services: { m: { listen = \"*:9\"; connect = \"echo\" } }\n"
                              "include = [\"conf.d/*.conf\",\n"
                              "  \"more.conf\"]\n"
                              "log: { access = \"text\" }\n");
        struct config *c = must_read_path("main.conf");
        assert_int_equal(c->n_services, 4);
        assert_string_equal(c->services[0]->name, "m");
        assert_string_equal(c->services[1]->name, "a");
        assert_string_equal(c->services[2]->name, "b");
        assert_string_equal(c->services[3]->name, "c");
        assert_string_equal(c->services[2]->at.file, "conf.d/20-b.conf");
        assert_int_equal(c->services[2]->at.line, 1);
        assert_int_equal(c->log.level, CONFIG_LOG_LEVEL_DEBUG);
        assert_int_equal(c->log.access, CONFIG_LOG_ACCESS_TEXT);
        assert_string_equal(c->log.level_at.file, "conf.d/10-a.conf");
        assert_int_equal(c->files.n, 4);
        assert_int_equal(c->files.at[3].line, 3);
        /* paths are relative to the file that names them, wherever the daemon was started */
        OWN(text_fini) struct text ca = { 0 };
        OWN_FREE char *real = realpath(dir, NULL);
        text_addf(&ca, "%s/conf.d/ca.pem", real);
        assert_string_equal(c->services[2]->connect_tls.ca.items[0], text_str(&ca));
        config_free(c);
}

static void patterns_are_relative_to_the_file_that_names_them(void **state)
{
        (void)state;
        put_text("a*b/main.conf", "include = \"x-*.conf\"\n");
        put_text("a*b/x-1.conf", "include = \"./[y].conf\"\n" ECHO_SERVICE);
        put_text("a*b/y.conf", "workers = 3\n");
        put_text("x-2.conf", "workers = 4\n");
        OWN(text_fini) struct text path = { 0 };
        text_addf(&path, "%s/a*b/main.conf", dir);
        struct config *c = must_read_path(text_str(&path));
        assert_int_equal(c->workers, 3);
        config_free(c);
        c = must_read_path("a*b/main.conf");
        assert_int_equal(c->workers, 3);
        config_free(c);
        c = must_read("include = \"a\\\\*b/main.conf\"");
        assert_string_equal(c->services[0]->at.file, "a*b/x-1.conf");
        config_free(c);
}

static void an_include_that_brings_nothing_is_refused(void **state)
{
        (void)state;
        put_text("none.conf", "include = [\"no-such.conf\",\n\"conf.d/*.nothing\"]\n" ECHO_SERVICE);
        assert_path_refused("none.conf",
                            "none.conf:1: include \"no-such.conf\" matches no file (no-such.conf)\n"
                            "none.conf:2: include \"conf.d/*.nothing\" matches no file "
                            "(conf.d/*.nothing)\n");
        put_text("dir.conf", "include = \"conf.d\"\n" ECHO_SERVICE);
        assert_path_refused("dir.conf", "dir.conf:1: cannot read conf.d: Is a directory\n");
        put_text("type.conf", "include = 5\n" ECHO_SERVICE);
        assert_path_refused("type.conf",
                            "type.conf:1: include expects the name of a file or a pattern "
                            "such as \"conf.d/*.conf\", or several in [ ]\n");
        put_text("empty.conf", "include = [ ]\n" ECHO_SERVICE);
        assert_path_refused("empty.conf",
                            "empty.conf:1: include expects the name of a file or a pattern "
                            "such as \"conf.d/*.conf\", or several in [ ]\n");
        assert_refused("services: { a: { include = \"x\"; listen = \"*:1\"; connect = \"echo\" } }",
                       "t:1: \"include\" does not belong in service \"a\" but at the top level\n");
}

static void mistakes_in_included_files_have_their_own_places(void **state)
{
        (void)state;
        put_text("bad-1.conf", "services: {\n a: { lisen = \"*:1\"; connect = \"echo\" } }\n");
        put_text("bad-2.conf", "services: {\n b: { listen = \"*:1\"\n");
        put_text("bad.conf", "include = \"bad-*.conf\"\nworkers = \"x\"\n");
        assert_path_refused(
                "bad.conf",
                "bad-2.conf:1: never closed: { of line 1, { of line 2 "
                "(is the file complete?)\n"
                "bad.conf:2: workers: \"x\" is not a number above 0, such as 4, or "
                "\"auto\"\n"
                "bad-1.conf:2: unknown directive \"lisen\" in service \"a\": did you mean "
                "\"listen\"?\n");
}

static void what_stands_in_two_files_is_told_with_both_places(void **state)
{
        (void)state;
        put_text("twice-1.conf", ECHO_SERVICE "workers = 2\n");
        put_text("twice-2.conf", "\n" ECHO_SERVICE "log: { level = \"info\" }\n");
        put_text("twice.conf", "include = \"twice-*.conf\"\nworkers = 1\n"
                               "log: { level = \"debug\" }\n");
        assert_path_refused(
                "twice.conf",
                "twice-1.conf:2: workers is given twice: it stands at twice.conf:2 already\n"
                "twice-2.conf:2: service \"a\" is given twice: it stands at twice-1.conf:1 "
                "already\n"
                "twice-2.conf:3: level is given twice in log: it stands at twice.conf:3 "
                "already\n");
}

static void no_file_is_read_twice(void **state)
{
        (void)state;
        put_text("self.conf", "\ninclude = \"self.conf\"\n" ECHO_SERVICE);
        assert_path_refused("self.conf", "self.conf:2: self.conf includes itself this way: the "
                                         "configuration begins with it\n");
        put_text("ring-1.conf", "include = \"ring-2.conf\"\n");
        put_text("ring-2.conf", "include = \"ring-3.conf\"\n");
        put_text("ring-3.conf", "\ninclude = \"./ring-2.conf\"\n" ECHO_SERVICE);
        assert_path_refused("ring-1.conf",
                            "ring-3.conf:2: ./ring-2.conf includes itself this way: it "
                            "was named at ring-1.conf:1 already\n");
        put_text("one.conf", ECHO_SERVICE);
        assert_int_equal(symlink("one.conf", "two.conf"), 0);
        put_text("again.conf", "include = [\"one.conf\",\n\"two.conf\"]\n");
        assert_path_refused("again.conf",
                            "again.conf:2: two.conf is included twice: it was named at "
                            "again.conf:1 already\n");
}

/* Every strict prefix of a configuration that ends with its services is one cut short. */
static void assert_no_prefix_is_taken(const char *text)
{
        size_t n = strlen(text);
        put_text("prefix.conf", text);
        config_free(must_read_path("prefix.conf"));
        for (size_t i = n; i-- > 0;) {
                assert_int_equal(truncate("prefix.conf", (off_t)i), 0);
                struct attempt a = attempt_path("prefix.conf");
                if (a.config != NULL || strstr(a.messages, "prefix.conf:") != a.messages)
                        fail_msg("cut after %zu of %zu octets:\n%s", i, n, a.messages);
                attempt_end(&a);
        }
}

static void assert_no_prefix_of_text_is_taken(const char *text)
{
        OWN_FREE char *prefix = strdup(text);
        for (size_t i = strlen(text) - 2;
             i-- > 0;) { /* the last } and its line end may be missing */
                prefix[i] = '\0';
                struct attempt a = attempt_text(prefix);
                if (a.config != NULL)
                        fail_msg("taken:\n%s", prefix);
                attempt_end(&a);
        }
}

static void a_file_cut_at_any_octet_is_never_taken(void **state)
{
        (void)state;
        OWN_FREE char *sample = slurp(SAMPLE("spliced.conf")), *whole = whole_sample();
        assert_no_prefix_is_taken(sample);
        assert_no_prefix_is_taken(whole);
        assert_no_prefix_of_text_is_taken(whole);
}

static void every_example_is_valid(void **state)
{
        (void)state;
        static const char *const names[] = {
                SAMPLE("spliced.conf"),
                SAMPLE("examples/echo.conf"),
                SAMPLE("examples/https-termination.conf"),
                SAMPLE("examples/ssh-forward.conf"),
                SAMPLE("examples/tls-to-database.conf"),
                SAMPLE("examples/unix-socket.conf"),
        };
        for (size_t i = 0; i < COUNTOF(names); i++)
                config_free(must_read_path(names[i]));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(what_is_no_readable_text_file_is_refused),
                cmocka_unit_test(a_pipe_can_be_read_too),
                cmocka_unit_test(files_are_included_by_pattern_in_their_order),
                cmocka_unit_test(patterns_are_relative_to_the_file_that_names_them),
                cmocka_unit_test(an_include_that_brings_nothing_is_refused),
                cmocka_unit_test(mistakes_in_included_files_have_their_own_places),
                cmocka_unit_test(what_stands_in_two_files_is_told_with_both_places),
                cmocka_unit_test(no_file_is_read_twice),
                cmocka_unit_test(a_file_cut_at_any_octet_is_never_taken),
                cmocka_unit_test(every_example_is_valid),
        };
        return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
