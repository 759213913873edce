/*
 * What tells, without reading a file, whether it is still the one that was read.
 */
#ifndef LSYS_BASE_FILE_STAMP_H
#define LSYS_BASE_FILE_STAMP_H

#include <stdbool.h>
#include <sys/stat.h>

/* All zero for a file that is not there. */
struct file_stamp {
    dev_t device;
    ino_t inode;
    off_t size_bytes;
    struct timespec modified;
    struct timespec changed; /* also moves with mode and owner: a file may become readable */
};

/* Looks at what `path` leads to now. */
struct file_stamp file_stamp_of(const char *path);

bool file_stamp_equal(const struct file_stamp *left, const struct file_stamp *right);

#endif
