#include "loop/file_watch.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file_stamp.h"
#include "base/log.h"
#include "base/memory.h"
#include "loop/loop_private.h"
#include "loop/loop_uv.h"
#include "loop/timer.h"

struct file_watch {
    struct loop *loop;
    file_watch_callback *callback;
    void *context;
    char *path;
    char *folder;
    char *name; /* last component of the path; NULL: the folder itself is meant */

    uv_fs_event_t folder_events;
    bool folder_is_watched;
    dev_t folder_device; /* of the watched folder: another one may take its place */
    ino_t folder_inode;
    struct timer *poll_timer;

    /* Changes are collected from the first one until the file has rested. */
    struct timer *settle_timer;
    bool is_settling;
    int64_t first_change_ms;
    bool is_written; /* an event named the file: report even if the stamp is the same */
    struct file_stamp seen;
    struct file_stamp reported;
    bool is_closing;
};

static void restart_settling(struct file_watch *watch) {
    int64_t now_ms = loop_now_ms(watch->loop);
    if (!watch->is_settling) watch->first_change_ms = now_ms;
    watch->is_settling = true;
    int64_t rest_ms = watch->first_change_ms + FILE_WATCH_SETTLE_LIMIT_MS - now_ms;
    timer_start(watch->settle_timer,
                rest_ms < FILE_WATCH_SETTLE_MS ? rest_ms : FILE_WATCH_SETTLE_MS);
}

/* Looks whether the file differs from what was last seen. */
static void look(struct file_watch *watch, bool is_named) {
    struct file_stamp now;
    file_stamp_read(watch->path, &now);
    bool differs = !file_stamp_equal(&now, &watch->seen);
    if (!differs && !is_named) return;
    watch->seen = now;
    if (is_named) watch->is_written = true;
    restart_settling(watch);
}

static void settled(void *context) {
    struct file_watch *watch = context;
    struct file_stamp now;
    file_stamp_read(watch->path, &now);
    bool is_late = loop_now_ms(watch->loop) >= watch->first_change_ms + FILE_WATCH_SETTLE_LIMIT_MS;
    /* Without inotify only this tells that the file is still being written. */
    if (!file_stamp_equal(&now, &watch->seen) && !is_late) {
        watch->seen = now;
        restart_settling(watch);
        return;
    }
    bool is_change = watch->is_written || !file_stamp_equal(&now, &watch->reported);
    watch->seen = now;
    watch->reported = now;
    watch->is_written = false;
    watch->is_settling = false;
    if (is_change) watch->callback(watch->context);
}

static void watch_folder(struct file_watch *watch);

static void folder_event(uv_fs_event_t *handle, const char *name, int events, int error) {
    struct file_watch *watch = handle->data;
    (void)events;
    if (watch->is_closing) return;
    bool is_named = !error && name && (!watch->name || strcmp(name, watch->name) == 0);
    const char *slash = strrchr(watch->folder, '/');
    const char *folder_name = slash && slash[1] ? slash + 1 : watch->folder;
    /* An event about the folder itself: it may have been removed, and its successor may even get
     * the same inode number, so watch again whatever is there. */
    if (error || !name || strcmp(name, folder_name) == 0) {
        uv_fs_event_stop(handle);
        watch->folder_is_watched = false;
    }
    watch_folder(watch);
    look(watch, is_named);
}

/* Says once what an operator can change: the limits fs.inotify.max_user_watches and _instances. */
static void tell_polling(struct loop *loop, int error) {
    if (loop->polling_was_told || (error != UV_ENOSPC && error != UV_EMFILE)) return;
    loop->polling_was_told = true;
    log_event(
        LOG_WARNING, "loop",
        "no inotify watches left on this machine: files are looked at twice a second instead; "
        "raise fs.inotify.max_user_watches or max_user_instances",
        "why", uv_strerror(error), NULL);
}

/* Has inotify watch the folder that the path names now. Where it cannot, polling goes on alone. */
static void watch_folder(struct file_watch *watch) {
    struct stat info;
    bool exists = stat(watch->folder, &info) == 0;
    bool is_current = watch->folder_is_watched && exists && info.st_dev == watch->folder_device &&
                      info.st_ino == watch->folder_inode;
    if (is_current) return;
    if (watch->folder_is_watched) uv_fs_event_stop(&watch->folder_events);
    int error = exists ? uv_fs_event_start(&watch->folder_events, folder_event, watch->folder, 0)
                       : UV_ENOENT;
    watch->folder_is_watched = error == 0;
    tell_polling(watch->loop, error);
    watch->folder_device = exists ? info.st_dev : 0;
    watch->folder_inode = exists ? info.st_ino : 0;
}

static void poll_now(void *context) {
    struct file_watch *watch = context;
    watch_folder(watch);
    look(watch, false);
}

static void split_path(struct file_watch *watch, const char *path) {
    const char *slash = strrchr(path, '/');
    watch->path = memory_copy_text(path);
    watch->name = memory_copy_text(slash ? slash + 1 : path);
    if (!slash)
        watch->folder = memory_copy_text(".");
    else if (slash == path)
        watch->folder = memory_copy_text("/");
    else
        watch->folder = memory_copy_bytes(path, (size_t)(slash - path));
}

/* Begins to watch, once the path and its parts are set. */
static struct file_watch *begin(struct file_watch *watch, struct loop *loop,
                                file_watch_callback *callback, void *context) {
    watch->loop = loop;
    watch->callback = callback;
    watch->context = context;
    uv_fs_event_init(loop_uv(loop), &watch->folder_events);
    watch->folder_events.data = watch;
    watch->settle_timer = timer_open(loop, settled, watch);
    watch->poll_timer = timer_open(loop, poll_now, watch);
    timer_start_repeating(watch->poll_timer, FILE_WATCH_POLL_MS);
    watch_folder(watch);
    file_stamp_read(watch->path, &watch->seen);
    watch->reported = watch->seen;
    return watch;
}

struct file_watch *file_watch_open(struct loop *loop, const char *path,
                                   file_watch_callback *callback, void *context) {
    struct file_watch *watch = memory_new(sizeof *watch);
    split_path(watch, path);
    return begin(watch, loop, callback, context);
}

struct file_watch *file_watch_open_folder(struct loop *loop, const char *path,
                                          file_watch_callback *callback, void *context) {
    struct file_watch *watch = memory_new(sizeof *watch);
    watch->path = memory_copy_text(path);
    watch->folder = memory_copy_text(path);
    return begin(watch, loop, callback, context);
}

static void folder_events_closed(uv_handle_t *handle) {
    struct file_watch *watch = handle->data;
    free(watch->path);
    free(watch->folder);
    free(watch->name);
    free(watch);
}

void file_watch_close(struct file_watch *watch) {
    if (!watch || watch->is_closing) return;
    watch->is_closing = true;
    timer_close(watch->settle_timer);
    timer_close(watch->poll_timer);
    uv_close((uv_handle_t *)&watch->folder_events, folder_events_closed);
}
