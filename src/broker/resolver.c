#include "broker/resolver.h"

#include <dirent.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/file_stamp.h"
#include "base/memory.h"
#include "verifier/nats_jwt.h"

#define ENDING       ".jwt"
#define ASIDE_ENDING ".deleted"

struct resolver_file {
    char *name;
    struct file_stamp stamp;
    int64_t read_ns; /* wall time; 0: not read yet */
};

struct resolver {
    char *folder;
    struct resolver_handlers handlers;
    void *context;
    struct file_stamp stamp;
    int64_t listed_ns;
    struct resolver_file *files; /* sorted by name */
    size_t count, capacity;
    size_t sweep_at; /* where the next poll goes on */
};

/* ---- one file ---- */

static void tell_problem(const struct resolver *resolver, const char *file,
                         const struct status *status) {
    resolver->handlers.on_problem(resolver->context, file, status);
}

static void read_token(const struct resolver *resolver, struct resolver_file *file,
                       const char *path) {
    struct buffer text;
    struct status status = STATUS_INIT;
    buffer_init(&text, NATS_JWT_BYTES_MAX);
    file->read_ns = file_stamp_now_ns();
    if (file_read(path, &text, &status))
        resolver->handlers.on_token(resolver->context, file->name, bytes_trim(buffer_bytes(&text)));
    else
        tell_problem(resolver, file->name, &status);
    buffer_free(&text);
}

/* Reads the file if it has changed. One that has gone changes the time of the folder, too. */
static void look_at(const struct resolver *resolver, struct resolver_file *file) {
    struct file_stamp now;
    char *path = file_join(resolver->folder, file->name);
    if (file_stamp_read(path, &now) && !file_stamp_is_same(&file->stamp, &now, file->read_ns)) {
        file->stamp = now;
        read_token(resolver, file, path);
    }
    free(path);
}

/* ---- the folder ---- */

static void add_file(struct resolver *resolver, const char *name) {
    resolver->files = memory_grow_array(resolver->files, resolver->count, &resolver->capacity,
                                        sizeof *resolver->files);
    resolver->files[resolver->count++] = (struct resolver_file){.name = memory_copy_text(name)};
}

static bool is_token_file(const char *name) {
    size_t length = strlen(name), ending = sizeof ENDING - 1;
    return name[0] != '.' && length > ending && strcmp(name + length - ending, ENDING) == 0;
}

static int compare_files(const void *left, const void *right) {
    return strcmp(((const struct resolver_file *)left)->name,
                  ((const struct resolver_file *)right)->name);
}

/* Fills the empty list with the folder's files. */
static bool list_files(struct resolver *resolver, struct status *status) {
    DIR *folder = opendir(resolver->folder);
    struct dirent *entry;
    if (folder == NULL) return status_fail_errno(status, errno, "cannot list %s", resolver->folder);
    while ((entry = readdir(folder)) != NULL && resolver->count < RESOLVER_FILES_MAX)
        if (is_token_file(entry->d_name)) add_file(resolver, entry->d_name);
    closedir(folder);
    if (resolver->count > 0)
        qsort(resolver->files, resolver->count, sizeof *resolver->files, compare_files);
    return true;
}

/* Takes over what is known of the files that were there before, and tells of those that have
 * gone. */
static void merge_old(struct resolver *resolver, struct resolver_file *old, size_t old_count) {
    size_t at = 0;
    for (size_t i = 0; i < old_count; i++) {
        while (at < resolver->count && strcmp(resolver->files[at].name, old[i].name) < 0)
            at++;
        if (at < resolver->count && strcmp(resolver->files[at].name, old[i].name) == 0) {
            resolver->files[at].stamp = old[i].stamp;
            resolver->files[at].read_ns = old[i].read_ns;
        } else {
            resolver->handlers.on_gone(resolver->context, old[i].name);
        }
        free(old[i].name);
    }
    free(old);
}

static void rescan(struct resolver *resolver) {
    struct status status = STATUS_INIT;
    struct resolver_file *old = resolver->files;
    size_t old_count = resolver->count, old_capacity = resolver->capacity;
    resolver->files = NULL;
    resolver->count = resolver->capacity = 0;
    if (!list_files(resolver, &status)) {
        resolver->files = old;
        resolver->count = old_count;
        resolver->capacity = old_capacity;
        tell_problem(resolver, "", &status);
        return;
    }
    merge_old(resolver, old, old_count);
    for (size_t i = 0; i < resolver->count; i++)
        look_at(resolver, &resolver->files[i]);
}

static void sweep(struct resolver *resolver) {
    size_t looks = resolver->count < RESOLVER_SWEEP_FILES ? resolver->count : RESOLVER_SWEEP_FILES;
    for (size_t i = 0; i < looks; i++) {
        if (resolver->sweep_at >= resolver->count) resolver->sweep_at = 0;
        look_at(resolver, &resolver->files[resolver->sweep_at++]);
    }
}

void resolver_poll(struct resolver *resolver) {
    struct file_stamp now = {0};
    int64_t now_ns = file_stamp_now_ns();
    if (!file_stamp_read(resolver->folder, &now) ||
        !file_stamp_is_same(&resolver->stamp, &now, resolver->listed_ns)) {
        resolver->stamp = now;
        resolver->listed_ns = now_ns;
        rescan(resolver);
    } else {
        sweep(resolver);
    }
}

void resolver_read_again(struct resolver *resolver) {
    for (size_t i = 0; i < resolver->count; i++)
        resolver->files[i].stamp = (struct file_stamp){0};
    resolver->stamp = (struct file_stamp){0};
}

bool resolver_store(struct resolver *resolver, const char *file, struct bytes token,
                    struct status *status) {
    struct buffer line;
    char *path = file_join(resolver->folder, file);
    buffer_init(&line, token.length + 1);
    buffer_append(&line, token.data, token.length);
    buffer_append(&line, "\n", 1);
    bool stored =
        buffer_check(&line, path, status) && file_replace(path, buffer_bytes(&line), 0644, status);
    buffer_free(&line);
    free(path);
    return stored;
}

bool resolver_set_aside(struct resolver *resolver, const char *file, struct status *status) {
    char *path = file_join(resolver->folder, file);
    char *aside = memory_new(strlen(path) + sizeof ASIDE_ENDING);
    snprintf(aside, strlen(path) + sizeof ASIDE_ENDING, "%s" ASIDE_ENDING, path);
    bool done = rename(path, aside) == 0 ||
                status_fail_errno(status, errno, "cannot rename %s to %s", path, aside);
    free(aside);
    free(path);
    return done;
}

/* ---- life ---- */

struct resolver *resolver_open(const char *folder, const struct resolver_handlers *handlers,
                               void *context, struct status *status) {
    if (!file_make_folder(folder, 0700, status)) return NULL;
    struct resolver *resolver = memory_new(sizeof *resolver);
    resolver->folder = memory_copy_text(folder);
    resolver->handlers = *handlers;
    resolver->context = context;
    return resolver;
}

void resolver_close(struct resolver *resolver) {
    if (resolver == NULL) return;
    for (size_t i = 0; i < resolver->count; i++)
        free(resolver->files[i].name);
    free(resolver->files);
    free(resolver->folder);
    free(resolver);
}
