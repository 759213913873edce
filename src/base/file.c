#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"

#define READ_STEP_BYTES 16384 /* one read(2); files here are a few KiB */

static bool check_kind(int file, const char *path, bool secret, struct status *status) {
    struct stat information;
    if (fstat(file, &information) != 0)
        return status_fail_errno(status, errno, "cannot look at %s", path);
    if (S_ISDIR(information.st_mode))
        return status_fail(status, STATUS_IO, "%s is a folder, a file is needed", path);
    if (!S_ISREG(information.st_mode))
        return status_fail(status, STATUS_IO, "%s is not a regular file", path);
    if (secret && (information.st_mode & 077))
        return status_fail(status, STATUS_PERMISSION,
                           "%s holds a secret but others may read it (mode %04o); "
                           "use: chmod 600 %s",
                           path, (unsigned)(information.st_mode & 07777), path);
    return true;
}

static bool read_all(int file, const char *path, struct buffer *out, struct status *status) {
    for (;;) {
        /* At the limit one more byte is asked for, to tell "exactly full" from "too large". */
        size_t room = out->limit - out->length;
        uint8_t extra;
        size_t step = room < READ_STEP_BYTES ? room : READ_STEP_BYTES;
        uint8_t *place = step ? buffer_reserve(out, step) : &extra;
        if (!place) return buffer_check(out, path, status);
        ssize_t got = read(file, place, step ? step : 1);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return status_fail_errno(status, errno, "cannot read %s", path);
        if (got == 0) return true;
        if (step == 0)
            return status_fail(status, STATUS_TOO_LARGE, "%s is larger than %zu bytes", path,
                               out->limit);
        buffer_added(out, (size_t)got);
    }
}

static bool read_path(const char *path, bool secret, struct buffer *out, struct status *status) {
    if (strcmp(path, "-") == 0) return read_all(STDIN_FILENO, "standard input", out, status);
    int file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (file < 0) return status_fail_errno(status, errno, "cannot open %s", path);
    bool ok = check_kind(file, path, secret, status) && read_all(file, path, out, status);
    close(file);
    return ok;
}

bool file_read(const char *path, struct buffer *out, struct status *status) {
    return read_path(path, false, out, status);
}

bool file_read_secret(const char *path, struct buffer *out, struct status *status) {
    return read_path(path, true, out, status);
}

static bool write_all(int file, struct bytes content) {
    while (content.length > 0) {
        ssize_t written = write(file, content.data, content.length);
        if (written < 0 && errno == EINTR) continue;
        if (written < 0) return false;
        content.data += written;
        content.length -= (size_t)written;
    }
    return true;
}

/* The rename or link is durable only once its folder is. */
static bool sync_folder_of(const char *path, struct status *status) {
    char folder[PATH_MAX];
    const char *slash = strrchr(path, '/');
    size_t length = slash ? (size_t)(slash - path) : 0;
    if (!slash)
        snprintf(folder, sizeof folder, ".");
    else
        snprintf(folder, sizeof folder, "%.*s", length ? (int)length : 1, path);

    int file = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (file < 0) return status_fail_errno(status, errno, "cannot open the folder %s", folder);
    bool ok = fsync(file) == 0;
    if (!ok) status_fail_errno(status, errno, "cannot sync the folder %s", folder);
    close(file);
    return ok;
}

/* rename(2) would replace a device, a FIFO or a socket by a file: root, given /dev/null or
 * /dev/stdout as the output, would lose it for the whole machine. */
static bool may_be_replaced(const char *path, struct status *status) {
    struct stat information;
    if (stat(path, &information) != 0 || S_ISREG(information.st_mode)) return true;
    return status_fail(status, STATUS_IO, "%s is not a regular file and is not replaced", path);
}

/* link(2) refuses an existing name where rename(2) replaces it. */
static bool put_in_place(const char *temporary, const char *path, bool replace,
                         struct status *status) {
    if (replace) {
        if (rename(temporary, path) == 0) return true;
        return status_fail_errno(status, errno, "cannot rename to %s", path);
    }
    if (link(temporary, path) == 0) {
        unlink(temporary);
        return true;
    }
    if (errno == EEXIST)
        return status_fail(status, STATUS_BUSY, "%s exists already and is not overwritten", path);
    return status_fail_errno(status, errno, "cannot make %s", path);
}

static bool write_file(const char *path, struct bytes content, mode_t mode, bool replace,
                       struct status *status) {
    if (replace && !may_be_replaced(path, status)) return false;
    char temporary[PATH_MAX];
    int length = snprintf(temporary, sizeof temporary, "%s.XXXXXX", path);
    if (length < 0 || (size_t)length >= sizeof temporary)
        return status_fail(status, STATUS_TOO_LARGE, "path too long: %.80s...", path);

    int file = mkostemp(temporary, O_CLOEXEC);
    if (file < 0) return status_fail_errno(status, errno, "cannot make a file beside %s", path);
    bool ok = write_all(file, content) && fchmod(file, mode) == 0 && fsync(file) == 0;
    if (!ok) status_fail_errno(status, errno, "cannot write %s", path);
    if (close(file) != 0 && ok) ok = status_fail_errno(status, errno, "cannot close %s", path);

    ok = ok && put_in_place(temporary, path, replace, status);
    if (!ok) {
        unlink(temporary);
        return false;
    }
    return sync_folder_of(path, status);
}

bool file_replace(const char *path, struct bytes content, mode_t mode, struct status *status) {
    return write_file(path, content, mode, true, status);
}

bool file_create(const char *path, struct bytes content, mode_t mode, struct status *status) {
    return write_file(path, content, mode, false, status);
}

bool file_make_folder(const char *path, mode_t mode, struct status *status) {
    char partial[PATH_MAX];
    size_t length = strlen(path);
    if (length == 0 || length >= sizeof partial)
        return status_fail(status, STATUS_USAGE, "\"%.80s\" is not usable as a folder name", path);
    memcpy(partial, path, length + 1);
    for (char *slash = strchr(partial + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        if (mkdir(partial, 0755) != 0 && errno != EEXIST)
            return status_fail_errno(status, errno, "cannot make the folder %s", partial);
        *slash = '/';
    }
    struct stat information;
    if (mkdir(path, mode) == 0) return true;
    if (errno != EEXIST) return status_fail_errno(status, errno, "cannot make the folder %s", path);
    if (stat(path, &information) == 0 && S_ISDIR(information.st_mode)) return true;
    return status_fail(status, STATUS_IO, "%s exists and is not a folder", path);
}

char *file_join(const char *folder, const char *name) {
    size_t folder_length = strlen(folder);
    bool needs_slash = folder_length > 0 && folder[folder_length - 1] != '/';
    size_t size = folder_length + needs_slash + strlen(name) + 1;
    char *path = memory_new(size);
    snprintf(path, size, "%s%s%s", folder, needs_slash ? "/" : "", name);
    return path;
}
