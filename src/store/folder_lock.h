/*
 * The lock on a data folder: one process at a time. The kernel releases it when the process ends in
 * whatever way; the file with the pid in it stays and means nothing by itself.
 */
#ifndef LSYS_STORE_FOLDER_LOCK_H
#define LSYS_STORE_FOLDER_LOCK_H

#include "base/status.h"

/* Takes the lock of `folder` and returns its descriptor, to be closed to release it; -1 with
 * STATUS_BUSY naming the folder and the pid that has it, or with STATUS_PERMISSION or STATUS_IO. */
int folder_lock_take(const char *folder, struct status *status) MUST_CHECK;

#endif
