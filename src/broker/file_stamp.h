/*
 * Noticing that a file is another one or has been written to, by looking at it. Private to
 * src/broker.
 */
#ifndef LSYS_BROKER_FILE_STAMP_H
#define LSYS_BROKER_FILE_STAMP_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* What it looked like. Zero: never seen. */
struct file_stamp {
    dev_t device;
    ino_t inode;
    off_t size;
    int64_t changed_ns;
};

/* False when there is no such file. */
bool file_stamp_read(const char *path, struct file_stamp *out);

/* True when the file is what it was when it was read at `read_ns` (file_stamp_now_ns). */
bool file_stamp_is_same(const struct file_stamp *before, const struct file_stamp *now,
                        int64_t read_ns);

/* Wall time, as files have it. */
int64_t file_stamp_now_ns(void);

#endif
