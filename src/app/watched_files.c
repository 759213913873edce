#include "app/watched_files.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/memory.h"
#include "loop/file_watch.h"

struct watched_file {
    struct watched_files *files;
    char *path;
    bool is_folder; /* as it was when the watch began */
    struct file_watch *watch;
};

struct watched_files {
    struct loop *loop;
    const struct watched_rows *rows;
    void (*on_change)(void *context);
    void *context;
    struct watched_file items[WATCHED_FILES_MAX];
    size_t count;
};

static bool is_folder(const char *path) {
    struct stat found;
    return stat(path, &found) == 0 && S_ISDIR(found.st_mode);
}

static void begin(struct watched_file *item);

/* A folder may have taken the place of a file, or the other way round. */
static void changed(void *context) {
    struct watched_file *item = context;
    struct watched_files *files = item->files;
    if (is_folder(item->path) != item->is_folder) {
        file_watch_close(item->watch);
        begin(item);
    }
    files->on_change(files->context);
}

static void begin(struct watched_file *item) {
    item->is_folder = is_folder(item->path);
    item->watch = item->is_folder
                      ? file_watch_open_folder(item->files->loop, item->path, changed, item)
                      : file_watch_open(item->files->loop, item->path, changed, item);
}

static void end_all(struct watched_files *files) {
    for (size_t i = 0; i < files->count; i++) {
        file_watch_close(files->items[i].watch);
        free(files->items[i].path);
    }
    files->count = 0;
}

static void add(struct watched_files *files, const char *path) {
    if (!path || files->count == WATCHED_FILES_MAX) return;
    struct watched_file *item = &files->items[files->count++];
    *item = (struct watched_file){.files = files, .path = memory_copy_text(path)};
    begin(item);
}

void watched_files_follow(struct watched_files *files, const struct options *options) {
    const struct watched_rows *rows = files->rows;
    end_all(files);
    for (size_t i = 0; rows->paths[i]; i++)
        add(files, options_text(options, rows->paths[i]));
    for (size_t i = 0; rows->list && i < options_count(options, rows->list); i++)
        add(files, options_item(options, rows->list, i));
}

struct watched_files *watched_files_open(struct loop *loop, const struct options *options,
                                         const struct watched_rows *rows,
                                         void (*on_change)(void *context), void *context) {
    struct watched_files *files = memory_new(sizeof *files);
    files->loop = loop;
    files->rows = rows;
    files->on_change = on_change;
    files->context = context;
    watched_files_follow(files, options);
    return files;
}

void watched_files_close(struct watched_files *files) {
    if (!files) return;
    end_all(files);
    free(files);
}
