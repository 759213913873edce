#include "tests/lib/tls_files.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/assertion.h"
#include "base/file.h"

static char *write_file(const struct tls_files *files, const char *name,
                        const struct buffer *content) {
    struct status status = STATUS_INIT;
    char *path = file_join(files->folder, name);
    bool written = file_replace(path, buffer_bytes(content), 0600, &status);
    ASSERT(written);
    return path;
}

void tls_files_make(struct tls_files *files, const struct tls_peers *peers) {
    test_folder_make(files->folder);
    files->ca = write_file(files, "ca.pem", &peers->ca);
    files->stranger = write_file(files, "stranger.pem", &peers->stranger);
    for (int i = 0; i < TLS_ROLES; i++) {
        char name[32];
        snprintf(name, sizeof name, "%d.pem", i);
        files->certificates[i] = write_file(files, name, &peers->pems[i].certificate);
        snprintf(name, sizeof name, "%d.key.pem", i);
        files->keys[i] = write_file(files, name, &peers->pems[i].key);
    }
}

void tls_files_remove(struct tls_files *files) {
    free(files->ca);
    free(files->stranger);
    for (int i = 0; i < TLS_ROLES; i++) {
        free(files->certificates[i]);
        free(files->keys[i]);
    }
    test_folder_remove(files->folder);
}
