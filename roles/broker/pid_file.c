#include "roles/broker/pid_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

int pid_file_hold(const char *path, struct status *status) {
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    int descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);
    if (descriptor < 0) {
        status_fail_errno(status, errno, "cannot make the file %s", path);
        return -1;
    }
    if (fcntl(descriptor, F_SETLK, &lock) != 0) {
        if (errno == EACCES || errno == EAGAIN)
            status_fail(status, STATUS_BUSY, "a broker that runs already holds %s", path);
        else
            status_fail_errno(status, errno, "cannot lock the file %s", path);
        close(descriptor);
        return -1;
    }
    if (ftruncate(descriptor, 0) != 0 || dprintf(descriptor, "%d\n", (int)getpid()) < 0) {
        status_fail_errno(status, errno, "cannot write the file %s", path);
        close(descriptor);
        return -1;
    }
    return descriptor;
}

void pid_file_release(const char *path, int descriptor) {
    if (descriptor < 0) return;
    unlink(path);
    close(descriptor);
}

bool pid_file_find(const char *path, pid_t *process, struct status *status) {
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    int descriptor = open(path, O_RDWR | O_CLOEXEC);
    if (descriptor < 0) return status_fail_errno(status, errno, "cannot open the file %s", path);
    int error = fcntl(descriptor, F_GETLK, &lock) != 0 ? errno : 0;
    close(descriptor);
    if (error) return status_fail_errno(status, error, "cannot ask who holds %s", path);
    if (lock.l_type == F_UNLCK)
        return status_fail(status, STATUS_NOT_FOUND, "no running broker holds %s", path);
    *process = lock.l_pid;
    return true;
}
