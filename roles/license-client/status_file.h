/*
 * --status-file PATH: the document of GET /v1/license as a file, for applications that can only
 * read one. It is replaced atomically: a reader sees the old state or the new one. It is written at
 * the start, at each change, and from time to time while good messages come, so that `valid_until`
 * in it tells a reader whether a client still stands behind it.
 */
#ifndef LSYS_ROLES_LICENSE_CLIENT_STATUS_FILE_H
#define LSYS_ROLES_LICENSE_CLIENT_STATUS_FILE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"

/* What the license says is no secret, and applications run as other users. */
#define STATUS_FILE_MODE 0644

struct status_file {
    char *path;         /* owned; NULL: none is wanted */
    int64_t written_ms; /* monotonic */
    bool failing;       /* the last write failed, and the log was told */
};

/* `path` is copied and may be NULL, which makes every other call do nothing. */
void status_file_init(struct status_file *file, const char *path);
void status_file_free(struct status_file *file);

/* True when the file is older than `age_ms` and should be renewed. */
bool status_file_is_due(const struct status_file *file, int64_t age_ms, int64_t now_ms);

/* Replaces the file. A failure is logged once, and tried again at the next call. */
void status_file_write(struct status_file *file, struct bytes json, int64_t now_ms);

#endif
