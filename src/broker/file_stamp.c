#include "broker/file_stamp.h"

#include <sys/stat.h>
#include <time.h>

#define SECOND_NS INT64_C(1000000000)

/* The kernel's file times advance in steps: what was changed this short before it was read may have
 * been changed again since without another time. */
#define SETTLED_NS INT64_C(100000000)

int64_t file_stamp_now_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return now.tv_sec * SECOND_NS + now.tv_nsec;
}

bool file_stamp_read(const char *path, struct file_stamp *out) {
    struct stat information;
    if (stat(path, &information) != 0) return false;
    *out = (struct file_stamp){
        .device = information.st_dev,
        .inode = information.st_ino,
        .size = information.st_size,
        .changed_ns = information.st_mtim.tv_sec * SECOND_NS + information.st_mtim.tv_nsec,
    };
    return true;
}

bool file_stamp_is_same(const struct file_stamp *before, const struct file_stamp *now,
                        int64_t read_ns) {
    return before->device == now->device && before->inode == now->inode &&
           before->size == now->size && before->changed_ns == now->changed_ns &&
           now->changed_ns + SETTLED_NS < read_ns;
}
