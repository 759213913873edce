/*
 * Watching the files and folders that a role's options name, so that a change is taken over without
 * SIGHUP. Which of them changed is not told: the role reads them all again, and keeps what it has
 * where one is not good.
 */
#ifndef LSYS_APP_WATCHED_FILES_H
#define LSYS_APP_WATCHED_FILES_H

#include "app/options.h"
#include "loop/loop.h"

/* Paths of one role that are watched; of a longer list the rest waits for SIGHUP. */
#define WATCHED_FILES_MAX 64

struct watched_files;

/* What is watched: rows of type PATH, ended by NULL, and one of type LIST (NULL: none). Constant. */
struct watched_rows {
    const char *const *paths;
    const char *list;
};

/* Watches what the rows name. Changes from now on are told: call this first, then read the files.
 * Options that are replaced are followed with watched_files_follow. */
struct watched_files *watched_files_open(struct loop *loop, const struct options *options,
                                         const struct watched_rows *rows,
                                         void (*on_change)(void *context), void *context);

/* Watches what `options` name, instead of what was named before. */
void watched_files_follow(struct watched_files *files, const struct options *options);

/* NULL is harmless. */
void watched_files_close(struct watched_files *files);

#endif
