#include "store/folder_lock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"

static void report_holder(int file, const char *folder, struct status *status) {
    char text[24] = "";
    ssize_t length = pread(file, text, sizeof text - 1, 0);
    long pid = length > 0 ? strtol(text, NULL, 10) : 0;
    if (pid > 0) {
        status_fail(status, STATUS_BUSY,
                    "the data folder %s is in use by another lsys (pid %ld); stop that one, or "
                    "give this one another --data-dir",
                    folder, pid);
        return;
    }
    status_fail(status, STATUS_BUSY,
                "the data folder %s is in use by another lsys; stop that one, or give this one "
                "another --data-dir",
                folder);
}

/* The pid is only told to people: on a full disk the lock holds without it. */
static void write_pid(int file) {
    char text[24];
    int length = snprintf(text, sizeof text, "%ld\n", (long)getpid());
    bool written =
        ftruncate(file, 0) == 0 && pwrite(file, text, (size_t)length, 0) == (ssize_t)length;
    if (!written) log_event(LOG_DEBUG, "store", "the pid does not fit into the lock file", NULL);
}

int folder_lock_take(const char *folder, struct status *status) {
    char *path = file_join(folder, "state.lock");
    int file = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (file < 0) {
        status_fail_errno(status, errno, "cannot open %s", path);
        /* Where nothing can be written, somebody may hold the lock nevertheless. */
        file = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
        if (file >= 0) status_clear(status);
    }
    free(path);
    if (file < 0) return -1;
    if (flock(file, LOCK_EX | LOCK_NB) != 0) {
        if (errno == EWOULDBLOCK)
            report_holder(file, folder, status);
        else
            status_fail_errno(status, errno, "cannot lock %s", folder);
        close(file);
        return -1;
    }
    write_pid(file);
    return file;
}
