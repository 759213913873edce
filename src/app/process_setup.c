#include "app/process_setup.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

/* What a shell gives for a program that a signal ended. */
#define EXIT_BY_SIGNAL 128

/* More than that no kernel allows by default (fs.nr_open). */
#define DESCRIPTORS_MAX 1048576

static void open_standard_descriptors(void) {
    for (int descriptor = 0; descriptor <= 2; descriptor++)
        if (fcntl(descriptor, F_GETFD) < 0 && errno == EBADF) {
            int opened = open("/dev/null", descriptor == 0 ? O_RDONLY : O_WRONLY);
            (void)opened; /* the lowest free number, which is this one */
        }
}

void process_harden(void) {
    struct rlimit none = {0, 0};
    open_standard_descriptors();
    setrlimit(RLIMIT_CORE, &none);
    prctl(PR_SET_DUMPABLE, 0);
    signal(SIGPIPE, SIG_IGN);
}

void process_raise_descriptor_limit(void) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
    rlim_t wanted = limit.rlim_max < DESCRIPTORS_MAX ? limit.rlim_max : DESCRIPTORS_MAX;
    if (limit.rlim_cur >= wanted) return;
    limit.rlim_cur = wanted;
    setrlimit(RLIMIT_NOFILE, &limit);
}

/* Reaps whoever has ended. Exits when it was the child. */
static void reap(pid_t child) {
    int how;
    pid_t ended;
    while ((ended = waitpid(-1, &how, WNOHANG)) > 0)
        if (ended == child)
            exit(WIFEXITED(how) ? WEXITSTATUS(how) : EXIT_BY_SIGNAL + WTERMSIG(how));
}

_Noreturn static void run_init(pid_t child, const sigset_t *signals) {
    for (;;) {
        int number = sigwaitinfo(signals, NULL);
        if (number == SIGCHLD)
            reap(child);
        else if (number > 0)
            kill(child, number);
    }
}

void process_become_init(void) {
    sigset_t signals, before;
    if (getpid() != 1) return;
    sigfillset(&signals);
    sigprocmask(SIG_BLOCK, &signals, &before);
    pid_t child = fork();
    if (child > 0) run_init(child, &signals);
    /* Without a child (no memory) this process does the work itself; only orphans stay unreaped. */
    sigprocmask(SIG_SETMASK, &before, NULL);
}
