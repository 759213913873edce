#include "base/file_stamp.h"

#include <sys/stat.h>

#define SECOND_NS INT64_C(1000000000)

/* The kernel's file times advance in steps: what was changed this short before it was read may have
 * been changed again since without another time. */
#define SETTLED_NS INT64_C(100000000)

static int64_t nanoseconds(const struct timespec *time) {
    return time->tv_sec * SECOND_NS + time->tv_nsec;
}

int64_t file_stamp_now_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return nanoseconds(&now);
}

bool file_stamp_read(const char *path, struct file_stamp *out) {
    struct stat info;
    *out = (struct file_stamp){0};
    if (stat(path, &info) != 0) return false;
    *out = (struct file_stamp){.device = info.st_dev,
                               .inode = info.st_ino,
                               .size_bytes = info.st_size,
                               .modified = info.st_mtim,
                               .changed = info.st_ctim};
    return true;
}

bool file_stamp_equal(const struct file_stamp *left, const struct file_stamp *right) {
    return left->device == right->device && left->inode == right->inode &&
           left->size_bytes == right->size_bytes &&
           nanoseconds(&left->modified) == nanoseconds(&right->modified) &&
           nanoseconds(&left->changed) == nanoseconds(&right->changed);
}

bool file_stamp_is_same(const struct file_stamp *before, const struct file_stamp *now,
                        int64_t read_ns) {
    return file_stamp_equal(before, now) && nanoseconds(&now->modified) + SETTLED_NS < read_ns;
}
