/*
 * Whole files: read with a limit, replaced atomically. Synchronous; on the loop thread only for the
 * small files of the configuration and the license.
 */
#ifndef LSYS_BASE_FILE_H
#define LSYS_BASE_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/buffer.h"
#include "base/bytes.h"
#include "base/status.h"

/* Appends the content of the regular file `path` to `out`, which is initialised and whose limit
 * bounds it; "-" reads standard input. Directories, devices and FIFOs are refused (opened without
 * blocking). Errors: STATUS_NOT_FOUND, STATUS_PERMISSION, STATUS_IO, STATUS_TOO_LARGE, each naming
 * the path. */
bool file_read(const char *path, struct buffer *out, struct status *status) MUST_CHECK;

/* As file_read, and insists that the file is readable by its owner only (mode & 077 is 0), because
 * it holds a secret: otherwise STATUS_PERMISSION with the chmod to use. */
bool file_read_secret(const char *path, struct buffer *out, struct status *status) MUST_CHECK;

/* Replaces `path` by `content` so that a reader, or a power cut, sees the old file or the new one
 * and nothing between: a temporary file in the same folder, fsync, rename, fsync of the folder.
 * `mode` is the new file's mode. A symbolic link is replaced, not followed; a folder, device, FIFO
 * or socket, also behind a link, is refused (STATUS_IO). On failure the old file is untouched and
 * the temporary one is removed. */
bool file_replace(const char *path, struct bytes content, mode_t mode,
                  struct status *status) MUST_CHECK;

/* As file_replace, but fails with STATUS_BUSY when `path` exists: a key is never overwritten. */
bool file_create(const char *path, struct bytes content, mode_t mode,
                 struct status *status) MUST_CHECK;

/* Makes the folder with the given mode, and its parents with 0755, where they are missing. */
bool file_make_folder(const char *path, mode_t mode, struct status *status) MUST_CHECK;

/* Returns "folder/name", owned by the caller. */
char *file_join(const char *folder, const char *name);

#endif
