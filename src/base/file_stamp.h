/*
 * Noticing that a file is another one, or has been written to, without reading it.
 */
#ifndef LSYS_BASE_FILE_STAMP_H
#define LSYS_BASE_FILE_STAMP_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>

/* What it looked like. All zero: it was not there, or nobody has looked. */
struct file_stamp {
    dev_t device;
    ino_t inode;
    off_t size_bytes;
    struct timespec modified;
    struct timespec changed; /* also moves with mode and owner: a file may become readable */
};

/* Looks at what `path` leads to now. False, and zero, when there is nothing. */
bool file_stamp_read(const char *path, struct file_stamp *out);

bool file_stamp_equal(const struct file_stamp *left, const struct file_stamp *right);

/* True when the file is what it was when it was read at `read_ns` (file_stamp_now_ns): as
 * file_stamp_equal, and false for one that was changed so short before that another change since
 * might not show. */
bool file_stamp_is_same(const struct file_stamp *before, const struct file_stamp *now,
                        int64_t read_ns);

/* Wall time, as files have it. */
int64_t file_stamp_now_ns(void);

#endif
