#include "roles/cache-master/files.h"

#include <dirent.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/file.h"

static bool is_kind(const char *path, mode_t kind) {
    struct stat found;
    return stat(path, &found) == 0 && (found.st_mode & S_IFMT) == kind;
}

void license_files_each(const char *path, void (*visit)(void *context, const char *path),
                        void *context) {
    struct dirent **names = NULL;
    if (!is_kind(path, S_IFDIR)) {
        visit(context, path);
        return;
    }
    int count = scandir(path, &names, NULL, alphasort);
    for (int i = 0; i < count; i++) {
        char *file = file_join(path, names[i]->d_name);
        if (names[i]->d_name[0] != '.' && is_kind(file, S_IFREG)) visit(context, file);
        free(file);
        free(names[i]);
    }
    free(names);
}
