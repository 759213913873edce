#include "base/file_stamp.h"

struct file_stamp file_stamp_of(const char *path) {
    struct stat info;
    if (stat(path, &info) != 0) return (struct file_stamp){0};
    return (struct file_stamp){.device = info.st_dev,
                               .inode = info.st_ino,
                               .size_bytes = info.st_size,
                               .modified = info.st_mtim,
                               .changed = info.st_ctim};
}

static bool is_same_time(const struct timespec *left, const struct timespec *right) {
    return left->tv_sec == right->tv_sec && left->tv_nsec == right->tv_nsec;
}

bool file_stamp_equal(const struct file_stamp *left, const struct file_stamp *right) {
    return left->device == right->device && left->inode == right->inode &&
           left->size_bytes == right->size_bytes &&
           is_same_time(&left->modified, &right->modified) &&
           is_same_time(&left->changed, &right->changed);
}
