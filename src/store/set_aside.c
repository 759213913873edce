/* Putting a fresh state file in the place of a damaged one, which is kept. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "store/store_private.h"

void set_aside_name(const char *path, char out[STORE_PATH_BYTES]) {
    time_t seconds = (time_t)(clock_wall_ms() / 1000);
    struct tm utc;
    char stamp[32];
    gmtime_r(&seconds, &utc);
    strftime(stamp, sizeof stamp, "%Y%m%dT%H%M%SZ", &utc);
    snprintf(out, STORE_PATH_BYTES, "%s.damaged-%s", path, stamp);
    for (int i = 2; access(out, F_OK) == 0 && i < 1000; i++)
        snprintf(out, STORE_PATH_BYTES, "%s.damaged-%s-%d", path, stamp, i);
}

/* Makes what was renamed in the folder of `path` durable. */
static bool sync_folder(const char *path, struct status *status) {
    char folder[STORE_PATH_BYTES];
    snprintf(folder, sizeof folder, "%s", path);
    char *slash = strrchr(folder, '/');
    if (slash != NULL) slash[slash == folder ? 1 : 0] = '\0';
    int file = open(slash == NULL ? "." : folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (file < 0) return status_fail_errno(status, errno, "cannot open %s", folder);
    bool ok = fsync(file) == 0 || status_fail_errno(status, errno, "cannot sync %s", folder);
    close(file);
    return ok;
}

/* Renames `path` + `suffix` to `aside` + `suffix`, if it is there. */
static bool move_companion(const char *path, const char *aside, const char *suffix,
                           struct status *status) {
    char from[STORE_PATH_BYTES];
    char to[STORE_PATH_BYTES + 8];
    snprintf(from, sizeof from, "%s%s", path, suffix);
    snprintf(to, sizeof to, "%s%s", aside, suffix);
    if (rename(from, to) != 0 && errno != ENOENT)
        return status_fail_errno(status, errno, "cannot rename %s", from);
    return true;
}

bool set_aside_swap(const char *path, const char *fresh, const char *aside, struct status *status) {
    /* The damaged file gets its second name first, and loses the first one only when the fresh file
     * takes it: whenever the power goes, one of the two is there. Its WAL must be gone by then,
     * because SQLite would play it into the fresh file. */
    if (link(path, aside) != 0)
        return status_fail_errno(status, errno, "cannot set the damaged %s aside", path);
    if (!move_companion(path, aside, "-wal", status) ||
        !move_companion(path, aside, "-shm", status) || !sync_folder(path, status))
        return false;
    if (rename(fresh, path) != 0)
        return status_fail_errno(status, errno, "cannot rename %s", fresh);
    return sync_folder(path, status);
}
