/* SPDX-License-Identifier: ISC */
/* From inside, each in a child: there is no way out. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>

#include <cmocka.h>
#include <event2/event.h>

#include "../child.h"
#include "base/log.h"
#include "base/own.h"
#include "base/text.h"
#include "control/landlock.h"
#include "control/sandbox.h"
#include "control/sandbox_paths.h"
#include "control/seccomp.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
enum { SANITIZED = true };
#else
enum { SANITIZED = false };
#endif

/* A directory with
 *   conf/spliced.conf conf/other.conf   log/   run/   beside/file
 * of which the configuration names all but the last. */
static char top[] = "/tmp/spliced-sandbox-XXXXXX";

static const char *in(const char *name)
{
        static char paths[4][128];
        static unsigned next;
        char *path = paths[next++ % COUNTOF(paths)];
        snprintf(path, sizeof paths[0], "%s/%s", top, name);
        return path;
}

static void put(const char *name, const char *text)
{
        FILE *to = fopen(in(name), "w");
        assert_non_null(to);
        fputs(text, to);
        assert_int_equal(fclose(to), 0);
}

static int make_place(void **state)
{
        static const char *const directories[] = { "conf", "log", "run", "beside" };
        (void)state;
        assert_non_null(mkdtemp(top));
        for (size_t i = 0; i < COUNTOF(directories); i++)
                assert_int_equal(mkdir(in(directories[i]), 0755), 0);
        put("conf/other.conf", "# nothing\n");
        put("beside/file", "secret\n");
        return 0;
}

static int leave_place(void **state)
{
        (void)state;
        OWN(text_fini) struct text command = { 0 };
        text_addf(&command, "rm -rf %s", top);
        return system(text_str(&command));
}

/* more: global settings. */
static struct config *configure(const char *more)
{
        OWN(text_fini) struct text text = { 0 };
        text_addf(&text,
                  "control = \"off\"\nlog: { target = \"%s/log/log\" }\n%s\n"
                  "services: { a: { listen = \"unix:%s/run/a\", connect = \"echo\" } }\n",
                  top, more, top);
        put("conf/spliced.conf", text_str(&text));
        struct diag *diag = diag_new();
        struct config *conf = config_read_path(in("conf/spliced.conf"), diag);
        diag_print(diag, stderr);
        assert_non_null(conf);
        diag_free(diag);
        return conf;
}

static void enter(const char *setting)
{
        struct diag *diag = diag_new();
        struct config *conf = configure(setting);
        assert_true(sandbox_enter(conf, diag));
        assert_int_equal(diag_errors(diag), 0);
        config_free(conf);
        diag_free(diag);
}

/* --- calls ------------------------------------------------------------------------------------ */

static long call_execve(void)
{
        char *const none[] = { NULL };
        return execve("/bin/true", none, none);
}

static long call_fork(void)
{
        pid_t pid = fork();
        if (pid == 0)
                _exit(0);
        return pid;
}

static long call_ptrace(void)
{
        return ptrace(PTRACE_TRACEME, 0, NULL, NULL);
}

static long call_netlink(void)
{
        return socket(AF_NETLINK, SOCK_RAW, 0);
}

static long call_packet(void)
{
        return socket(AF_PACKET, SOCK_RAW, 0);
}

static long call_tcp(void)
{
        return socket(AF_INET6, SOCK_STREAM, 0);
}

static long map(int protection)
{
        return mmap(NULL, 4096, protection, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED ? -1
                                                                                              : 0;
}

static long call_map_to_write_and_run(void)
{
        return map(PROT_READ | PROT_WRITE | PROT_EXEC);
}

static long call_map_to_write(void)
{
        return map(PROT_READ | PROT_WRITE);
}

static long call_run_what_was_written(void)
{
        void *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        return mprotect(p, 4096, PROT_READ | PROT_EXEC);
}

static long call_kill(void)
{
        return kill(getppid(), 0);
}

static long call_setrlimit(void)
{
        const struct rlimit core = { 1 << 20, 1 << 20 };
        return setrlimit(RLIMIT_CORE, &core);
}

static long call_dumpable(void)
{
        return prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
}

static long call_read_others(void)
{
        return syscall(SYS_process_vm_readv, getppid(), NULL, 0UL, NULL, 0UL, 0UL);
}

static long call_unshare(void)
{
        return unshare(CLONE_NEWUSER);
}

static long call_io_uring(void)
{
        return syscall(SYS_io_uring_setup, 1, NULL);
}

static long call_bpf(void)
{
        return syscall(SYS_bpf, 0, NULL, 0);
}

static long call_keyring(void)
{
        return syscall(SYS_keyctl, 0, 0, 0, 0, 0);
}

static long call_terminal_input(void)
{
        return syscall(SYS_ioctl, 0, 0x5412 /* TIOCSTI */, "x");
}

static long call_of_the_future(void)
{
        return syscall(600);
}

static const struct probe {
        const char *promise;
        long (*call)(void);
        int error;           /* it fails so; 0: it works */
        bool for_sanitizers; /* works where they need it */
} probes[] = {
        { "no program is started", call_execve, EPERM, false },
        { "no process is made", call_fork, EPERM, true },
        { "nobody is traced", call_ptrace, EPERM, true },
        { "no socket that speaks to the kernel", call_netlink, EPERM, false },
        { "no raw packets", call_packet, EPERM, false },
        { "sockets for connections are made", call_tcp, 0, false },
        { "no memory is written and run", call_map_to_write_and_run, EPERM, true },
        { "memory is written", call_map_to_write, 0, false },
        { "what was written is not run", call_run_what_was_written, EPERM, true },
        { "no signal to others", call_kill, EPERM, true },
        { "limits stay", call_setrlimit, EPERM, true },
        { "memory stays private", call_dumpable, EPERM, true },
        { "the memory of others is not read", call_read_others, EPERM, true },
        { "no name spaces", call_unshare, EPERM, false },
        { "no io_uring", call_io_uring, EPERM, false },
        { "no programs for the kernel", call_bpf, EPERM, false },
        { "no key rings", call_keyring, EPERM, false },
        { "nothing is typed for others", call_terminal_input, EPERM, false },
        { "what is newer than the list is not there", call_of_the_future, ENOSYS, false },
};

static void fails_as_promised(const void *arg)
{
        const struct probe *p = arg;
        enter("");
        errno = 0;
        long result = p->call();
        int error = result < 0 ? errno : 0;
        if (error != p->error)
                print_error("%s: %s\n", p->promise, strerror(error));
        assert_int_equal(error, p->error);
}

static void needs_seccomp(void)
{
#ifndef HAVE_SECCOMP
        skip();
#endif
        if (under_valgrind()) /* which makes calls of its own */
                skip();
}

static void test_calls(void **state)
{
        (void)state;
        needs_seccomp();
        for (size_t i = 0; i < COUNTOF(probes); i++)
                if (!SANITIZED || !probes[i].for_sanitizers)
                        assert_int_equal(in_child(fails_as_promised, &probes[i]), 0);
}

static void execs_strictly(const void *arg)
{
        (void)arg;
        enter("sandbox = \"strict\"");
        call_execve();
}

static void test_strict_ends_the_process(void **state)
{
        (void)state;
        needs_seccomp();
        assert_int_equal(in_child(execs_strictly, NULL), 128 + SIGSYS);
}

static void *calls_in_a_thread(void *arg)
{
        (void)arg;
        for (int i = 0; i < 3; i++)
                assert_true(call_bpf() == -1 && errno == EPERM);
        return NULL;
}

static void stop(evutil_socket_t fd, short what, void *arg)
{
        (void)fd;
        (void)what;
        event_base_loopbreak(arg);
}

static unsigned count(const char *path, const char *word)
{
        char line[512];
        unsigned n = 0;
        FILE *f = fopen(path, "r");
        assert_non_null(f);
        while (fgets(line, sizeof line, f) != NULL)
                n += strstr(line, word) != NULL;
        fclose(f);
        return n;
}

/* The thread has every other signal blocked, as workers have. */
static void is_refused_in_a_thread(const void *arg)
{
        (void)arg;
        struct event_base *base = event_base_new();
        struct seccomp_watch *watch = seccomp_watch_new(base);
        pthread_t thread;
        sigset_t all;
        const struct timeval soon = { 0, 100000 };
        unlink(in("log/log"));
        assert_null(log_open(in("log/log"), LOG_LEVEL_INFO));
        enter("");
        sigfillset(&all);
        sigdelset(&all, SIGSYS);
        pthread_sigmask(SIG_BLOCK, &all, NULL);
        assert_int_equal(pthread_create(&thread, NULL, calls_in_a_thread, NULL), 0);
        assert_int_equal(pthread_join(thread, NULL), 0);
        event_base_once(base, -1, EV_TIMEOUT, stop, base, &soon);
        event_base_dispatch(base);
        seccomp_watch_free(watch);
        event_base_free(base);
}

static void test_what_is_refused_is_logged_once(void **state)
{
        (void)state;
        needs_seccomp();
        assert_int_equal(in_child(is_refused_in_a_thread, NULL), 0);
        assert_int_equal(count(in("log/log"), "the call bpf "), 1);
}

/* --- memory ----------------------------------------------------------------------------------- */

static void has_private_memory(const void *arg)
{
        (void)arg;
        struct rlimit core;
        enter("");
        assert_int_equal(prctl(PR_GET_DUMPABLE, 0, 0, 0, 0), 0);
        assert_int_equal(getrlimit(RLIMIT_CORE, &core), 0);
        assert_true(core.rlim_cur == 0 && core.rlim_max == 0);
        assert_int_equal(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0), SANITIZED ? 1 : -1);
}

static void test_memory_is_in_no_dump(void **state)
{
        (void)state;
        needs_seccomp();
        assert_int_equal(in_child(has_private_memory, NULL), 0);
}

static void is_as_before(const void *arg)
{
        (void)arg;
        enter("sandbox = \"off\"");
        assert_int_equal(prctl(PR_GET_DUMPABLE, 0, 0, 0, 0), 1);
        OWN_FD int fd = open(in("beside/file"), O_RDONLY | O_CLOEXEC);
        assert_true(fd >= 0);
        call_execve(); /* ends with 0 */
        _exit(1);
}

static void test_off_gives_up_nothing(void **state)
{
        (void)state;
        assert_int_equal(in_child(is_as_before, NULL), 0);
}

/* --- files ------------------------------------------------------------------------------------ */

static int open_error(const char *path, int flags)
{
        OWN_FD int fd = open(path, flags | O_CLOEXEC, 0600);
        return fd < 0 ? errno : 0;
}

static int bind_error(const char *path)
{
        struct sockaddr_un un = { .sun_family = AF_UNIX };
        snprintf(un.sun_path, sizeof un.sun_path, "%s", path);
        OWN_FD int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        return bind(fd, (const struct sockaddr *)&un, sizeof un) < 0 ? errno : 0;
}

static void has_these_files(const void *arg)
{
        (void)arg;
        enter("");
        assert_int_equal(open_error(in("conf/other.conf"), O_RDONLY), 0);
        assert_int_equal(open_error(in("conf/other.conf"), O_WRONLY), EACCES);
        assert_int_equal(open_error(in("conf/new"), O_WRONLY | O_CREAT), EACCES);
        assert_int_equal(open_error(in("beside/file"), O_RDONLY), EACCES);
        assert_int_equal(open_error("/root", O_RDONLY | O_DIRECTORY), EACCES);
        assert_int_equal(open_error(in("log/new"), O_WRONLY | O_CREAT), 0);
        assert_int_equal(open_error(in("log/new"), O_RDONLY), EACCES);
        assert_int_equal(open_error("/etc/passwd", O_RDONLY), 0);
        assert_int_equal(open_error("/proc/self/fd", O_RDONLY | O_DIRECTORY), 0);
        assert_int_equal(open_error("/dev/null", O_RDONLY), 0);
        if (!SANITIZED)
                assert_int_equal(open_error("/proc/1/status", O_RDONLY), EACCES);
        assert_int_equal(bind_error(in("run/new")), 0);
        assert_int_equal(rename(in("run/new"), in("run/renamed")), 0);
        assert_int_equal(unlink(in("run/renamed")), 0);
        assert_int_equal(bind_error(in("beside/new")), EACCES);
}

static void needs_landlock(void)
{
        if (landlock_version() == 0)
                skip();
}

static void test_files(void **state)
{
        (void)state;
        needs_landlock();
        needs_seccomp();
        assert_int_equal(in_child(has_these_files, NULL), 0);
}

/* --- another configuration -------------------------------------------------------------------- */

static void check(const char *settings, const char *wanted)
{
        char *said = NULL;
        size_t n;
        struct diag *diag = diag_new();
        struct config *conf = config_read_text(settings, "t", diag);
        FILE *to = open_memstream(&said, &n);
        assert_non_null(conf);
        sandbox_check(conf, diag);
        diag_print(diag, to);
        fclose(to);
        if (strstr(said, wanted) == NULL || (*wanted == '\0' && *said != '\0'))
                print_error("%s\nsays: %s\n", settings, said);
        assert_true(*wanted == '\0' ? *said == '\0' : strstr(said, wanted) != NULL);
        free(said);
        config_free(conf);
        diag_free(diag);
}

#define SERVICE(listen) "services: { a: { listen = \"" listen "\", connect = \"echo\" } }"

static void takes_what_is_within(const void *arg)
{
        (void)arg;
        OWN(text_fini) struct text text = { 0 };
        assert_int_equal(chdir(top), 0);
        enter("");
        check("control = \"off\"\n" SERVICE("127.0.0.1:1"), "");
        text_addf(&text,
                  "control = \"off\"\nservices: { a: { listen = \"unix:%s/run/b\", "
                  "connect = \"echo\" } }",
                  top);
        check(text_str(&text), "");
        text_fini(&text);
        text_addf(&text,
                  "control = \"off\"\n\nservices: { a: { listen = \"unix:%s/conf/b\", "
                  "connect = \"echo\" } }",
                  top);
        check(text_str(&text), "t:3: listen \"unix:");
        check(text_str(&text), "restart it");
        text_fini(&text);
        text_addf(&text, "control = \"off\"\nlog: { target = \"%s/beside/log\" }\n%s", top,
                  SERVICE("127.0.0.1:1"));
        check(text_str(&text), "t:2: log.target");
}

static void test_a_reload_is_told_what_it_cannot_have(void **state)
{
        (void)state;
        needs_landlock();
        assert_int_equal(in_child(takes_what_is_within, NULL), 0);
}

static void test_paths_cover_what_is_below_them(void **state)
{
        (void)state;
        static const struct {
                const char *path, *directory;
                bool covered;
        } rows[] = {
                { "/a/b", "/a/b", true }, { "/a/b/c", "/a/b", true }, { "/a/bc", "/a/b", false },
                { "/a", "/a/b", false },  { "/a", "/", true },
        };
        for (size_t i = 0; i < COUNTOF(rows); i++) {
                struct sandbox_path allowed = { .path = (char *)rows[i].directory,
                                                .uses = SANDBOX_READ };
                const struct sandbox_paths all = { .items = &allowed, .n = 1 };
                struct sandbox_path wanted = { .path = (char *)rows[i].path, .uses = SANDBOX_READ };
                assert_int_equal(sandbox_paths_cover(&all, &wanted), rows[i].covered);
                wanted.uses |= SANDBOX_LOG;
                assert_false(sandbox_paths_cover(&all, &wanted));
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_paths_cover_what_is_below_them),
                cmocka_unit_test(test_calls),
                cmocka_unit_test(test_strict_ends_the_process),
                cmocka_unit_test(test_what_is_refused_is_logged_once),
                cmocka_unit_test(test_memory_is_in_no_dump),
                cmocka_unit_test(test_off_gives_up_nothing),
                cmocka_unit_test(test_files),
                cmocka_unit_test(test_a_reload_is_told_what_it_cannot_have),
        };
        return cmocka_run_group_tests(tests, make_place, leave_place);
}
