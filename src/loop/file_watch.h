/*
 * Tells when a file's content may have changed. inotify on the folder makes it quick; a stat every
 * FILE_WATCH_POLL_MS makes it certain where inotify is silent: no watches left, a folder that does
 * not exist yet or was replaced, a link into another folder, NFS, FUSE, overlay mounts. What counts
 * is which file the path leads to (device and inode, through links), its size and its times.
 */
#ifndef LSYS_LOOP_FILE_WATCH_H
#define LSYS_LOOP_FILE_WATCH_H

#include "loop/loop.h"

/* Bounds the time to notice without inotify; one stat costs about two microseconds. */
#define FILE_WATCH_POLL_MS 500

/* A change is reported when the file was quiet for this long, so that a writer's many small writes,
 * or a remove followed by a create, are one change ... */
#define FILE_WATCH_SETTLE_MS 50

/* ... but at the latest after this, so that a file that never rests is still read. */
#define FILE_WATCH_SETTLE_LIMIT_MS 300

struct file_watch;

/* Called once for each settled change: content, replacement by rename, link swap, change of mode,
 * appearing, disappearing. The callback reads the file itself and copes with whatever it finds. */
typedef void file_watch_callback(void *context);

/* Watches `path` (copied), which need not exist, nor need its folder. What is there now is the
 * state to which changes are compared, and is not reported: create the watch first, then read the
 * file. */
struct file_watch *file_watch_open(struct loop *loop, const char *path,
                                   file_watch_callback *callback, void *context);

/* The same for a folder: told are changes of it and, where inotify works, of the files in it. Where
 * it does not, a file that is written in place is not noticed; one that comes, goes or is renamed
 * is. */
struct file_watch *file_watch_open_folder(struct loop *loop, const char *path,
                                          file_watch_callback *callback, void *context);

/* Ends the watch and frees it. */
void file_watch_close(struct file_watch *watch);

#endif
