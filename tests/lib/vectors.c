#include "tests/lib/vectors.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/file.h"
#include "base/memory.h"

#define VECTOR_BYTES_MAX (16 * 1024 * 1024)

static char *path_of(const char *name) {
    const char *folder = getenv("LSYS_VECTORS");
    return file_join(folder && *folder ? folder : "../shared/vectors", name);
}

bool vectors_read(const char *name, struct buffer *out) {
    char *path = path_of(name);
    struct status status = STATUS_INIT;
    buffer_init(out, VECTOR_BYTES_MAX);
    bool found = file_read(path, out, &status);
    if (!found) fprintf(stderr, "skipped: no vectors (%s)\n", status.text);
    free(path);
    return found;
}

int vectors_each(const char *folder, void (*visit)(const char *name, struct bytes content)) {
    char *folder_path = path_of(folder);
    DIR *handle = opendir(folder_path);
    int count = 0;
    if (!handle) fprintf(stderr, "skipped: no vectors in %s\n", folder_path);
    for (struct dirent *row; handle && (row = readdir(handle));) {
        if (row->d_name[0] == '.') continue;
        char *path = file_join(folder_path, row->d_name);
        struct buffer content;
        buffer_init(&content, VECTOR_BYTES_MAX);
        if (file_read(path, &content, NULL)) {
            visit(row->d_name, buffer_bytes(&content));
            count++;
        }
        buffer_free(&content);
        free(path);
    }
    if (handle) closedir(handle);
    free(folder_path);
    return count;
}
