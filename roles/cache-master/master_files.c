#include "roles/cache-master/master_files.h"

#include <stdlib.h>
#include <string.h>

#include "app/health.h"
#include "app/token_file.h"
#include "app/watched_files.h"
#include "base/file_stamp.h"
#include "base/log.h"
#include "base/memory.h"
#include "roles/cache-master/files.h"
#include "roles/cache-master/intake.h"
#include "roles/cache-master/master.h"
#include "store/store.h"

/* Imported files whose stamps are kept; the others are read again at each change. */
#define STAMPS_MAX 100000

/* A file that was read, and how it was then: reading it again would say the same. */
struct stamp {
    char *path;
    struct file_stamp stamp;
};

struct stamps {
    struct stamp *items; /* sorted by path, once the import is over */
    size_t count, capacity;
};

/* The rows of the vendor's keys and lists. */
static const char *const authority_files[] = {"keys", "root", "keyring", "revocations", NULL};
#define AUTHORITY_FILES (sizeof authority_files / sizeof authority_files[0] - 1)

struct master_files {
    struct cache_master *master;
    struct watched_files *watched;
    struct file_stamp authority[AUTHORITY_FILES]; /* as they were read last */
    struct stamps known;
    struct stamps next; /* of the import that runs */
    bool owes;          /* the disk refused a license */
};

/* ---- what was read ---- */

static int by_path(const void *left, const void *right) {
    return strcmp(((const struct stamp *)left)->path, ((const struct stamp *)right)->path);
}

static void forget(struct stamps *stamps) {
    for (size_t i = 0; i < stamps->count; i++)
        free(stamps->items[i].path);
    free(stamps->items);
    memset(stamps, 0, sizeof *stamps);
}

static bool is_known(const struct stamps *stamps, const char *path,
                     const struct file_stamp *stamp) {
    const struct stamp wanted = {.path = (char *)path};
    const struct stamp *found =
        stamps->count ? bsearch(&wanted, stamps->items, stamps->count, sizeof wanted, by_path)
                      : NULL;
    return found && file_stamp_equal(&found->stamp, stamp);
}

static void note(struct stamps *stamps, const char *path, const struct file_stamp *stamp) {
    if (stamps->count == STAMPS_MAX) return;
    if (stamps->count == stamps->capacity) {
        stamps->capacity = stamps->capacity ? 2 * stamps->capacity : 16;
        struct stamp *larger = memory_new_array(stamps->capacity, sizeof *larger);
        if (stamps->count > 0) memcpy(larger, stamps->items, stamps->count * sizeof *larger);
        free(stamps->items);
        stamps->items = larger;
    }
    stamps->items[stamps->count++] = (struct stamp){memory_copy_text(path), *stamp};
}

static void read_stamps(const struct options *options, struct file_stamp out[AUTHORITY_FILES]) {
    for (size_t i = 0; i < AUTHORITY_FILES; i++) {
        const char *path = options_text(options, authority_files[i]);
        file_stamp_read(path ? path : "", &out[i]);
    }
}

/* ---- importing ---- */

static bool disk_works(const struct cache_master *master) {
    return store_persistence(master->context->store, NULL) == PERSISTENCE_DURABLE;
}

/* False when it is to be offered again, because the disk does not take anything now. */
static bool read_license(struct cache_master *master, const char *path) {
    struct status status = STATUS_INIT;
    struct token_file file;
    enum intake_result result = INTAKE_REFUSED;
    if (token_file_read(path, NULL, &file, &status)) {
        result = intake_offer(master->shelf, master->authority, token_file_token(&file), "import",
                              NULL, &status);
        token_file_free(&file);
    }
    log_event(result == INTAKE_REFUSED ? LOG_WARNING : LOG_INFO, CACHE_MASTER_NAME,
              "a license file", "file", path, "result", intake_result_name(result), "why",
              status_is_ok(&status) ? NULL : status.text, NULL);
    return result != INTAKE_REFUSED || disk_works(master);
}

/* The stamp is taken first: a file that is written meanwhile has another one next time. */
static void import_file(void *context, const char *path) {
    struct master_files *files = context;
    struct file_stamp stamp;
    file_stamp_read(path, &stamp);
    if (is_known(&files->known, path, &stamp) || read_license(files->master, path))
        note(&files->next, path, &stamp);
    else
        files->owes = true;
}

void master_files_import(struct master_files *files, const struct options *options) {
    files->owes = false;
    for (size_t i = 0; i < options_count(options, "import"); i++)
        license_files_each(options_item(options, "import", i), import_file, files);
    if (files->next.count > 1)
        qsort(files->next.items, files->next.count, sizeof *files->next.items, by_path);
    forget(&files->known);
    files->known = files->next;
    memset(&files->next, 0, sizeof files->next);
}

bool master_files_catch_up(struct master_files *files) {
    if (!files->owes || !disk_works(files->master)) return false;
    master_files_import(files, files->master->context->options);
    return true;
}

/* ---- keys and lists ---- */

/* Reads one of the vendor's lists from its file and puts it in force. A bad file leaves what is in
 * force, and is said in the readiness. */
static void adopt_file(struct cache_master *master, const struct options *options, const char *key,
                       enum adoption (*adopt)(struct authority *, struct bytes, struct status *)) {
    const char *path = options_text(options, key);
    struct status status = STATUS_INIT;
    struct token_file file;
    health_remove(master->context->health, key);
    if (!path) return;
    bool read = token_file_read(path, NULL, &file, &status);
    if (read) {
        adopt(master->authority, token_file_token(&file), &status);
        token_file_free(&file);
    }
    if (status_is_ok(&status)) return;
    log_event(LOG_WARNING, CACHE_MASTER_NAME, "a list of the vendor was refused", "file", path,
              "code", status_code_name(status.code), "why", status.text, NULL);
    health_set(master->context->health, key, false, status.text);
}

bool master_files_load_authority(struct master_files *files, const struct options *options,
                                 struct status *status) {
    struct cache_master *master = files->master;
    const char *keys = options_text(options, "keys"), *root = options_text(options, "root");
    if (!keys && !root)
        return status_fail(
            status, STATUS_CONFIG,
            "--keys is missing: the file with the vendor's public keys, vendor.jwks");
    read_stamps(options, files->authority);
    if (!authority_load(master->authority, keys, root, status)) return false;
    health_remove(master->context->health, "keys");
    adopt_file(master, options, "keyring", authority_adopt_keyring);
    adopt_file(master, options, "revocations", authority_adopt_revocations);
    forget(&files->known); /* what was refused may be good now */
    return true;
}

/* ---- watching ---- */

static bool authority_has_changed(const struct master_files *files, const struct options *options) {
    struct file_stamp now[AUTHORITY_FILES];
    read_stamps(options, now);
    for (size_t i = 0; i < AUTHORITY_FILES; i++)
        if (!file_stamp_equal(&now[i], &files->authority[i])) return true;
    return false;
}

static void on_change(void *context) {
    struct master_files *files = context;
    struct cache_master *master = files->master;
    const struct options *options = master->context->options;
    struct status status = STATUS_INIT;
    if (authority_has_changed(files, options) &&
        !master_files_load_authority(files, options, &status)) {
        log_event(LOG_WARNING, CACHE_MASTER_NAME,
                  "the vendor's keys were refused; those in force stay", "code",
                  status_code_name(status.code), "why", status.text, NULL);
        health_set(master->context->health, "keys", false, status.text);
    }
    master_files_import(files, options);
    cache_master_changed(master);
}

static const struct watched_rows rows = {.paths = authority_files, .list = "import"};

void master_files_follow(struct master_files *files, const struct options *options) {
    watched_files_follow(files->watched, options);
    forget(&files->known);
    master_files_import(files, options);
}

struct master_files *master_files_open(struct cache_master *master) {
    struct master_files *files = memory_new(sizeof *files);
    files->master = master;
    files->watched = watched_files_open(master->context->loop, master->context->options, &rows,
                                        on_change, files);
    return files;
}

void master_files_close(struct master_files *files) {
    if (!files) return;
    watched_files_close(files->watched);
    forget(&files->known);
    free(files);
}
