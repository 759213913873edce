#include "roles/license-client/status_file.h"

#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/log.h"
#include "base/memory.h"
#include "roles/license-client/name.h"

void status_file_init(struct status_file *file, const char *path) {
    memset(file, 0, sizeof *file);
    file->path = memory_copy_text(path);
}

void status_file_free(struct status_file *file) {
    free(file->path);
    memset(file, 0, sizeof *file);
}

bool status_file_is_due(const struct status_file *file, int64_t age_ms, int64_t now_ms) {
    return file->path && now_ms - file->written_ms >= age_ms;
}

void status_file_write(struct status_file *file, struct bytes json, int64_t now_ms) {
    struct status status = STATUS_INIT;
    if (!file->path) return;
    file->written_ms = now_ms;
    bool written = file_replace(file->path, json, STATUS_FILE_MODE, &status);
    if (!written && !file->failing)
        log_event(LOG_ERROR, LICENSE_CLIENT_NAME, "the status file cannot be written; trying again",
                  "path", file->path, "code", status_code_name(status.code), "why", status.text,
                  NULL);
    if (written && file->failing)
        log_event(LOG_INFO, LICENSE_CLIENT_NAME, "the status file is written again", "path",
                  file->path, NULL);
    file->failing = !written;
}
