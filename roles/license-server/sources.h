/*
 * The files that a license server lives by: vendor keys, root keys, key ring, revocation list,
 * license. Each is watched; when one changes all are read again, in the order in which they depend
 * on each other, so that it never matters which of them came first.
 *
 *     keys, root --> key ring --> revocation list --> saved license --> license
 *
 * A file that is missing or bad changes nothing that is in force; why is kept for /v1/license and
 * the readiness, and logged when it differs from before.
 */
#ifndef LSYS_ROLES_LICENSE_SERVER_SOURCES_H
#define LSYS_ROLES_LICENSE_SERVER_SOURCES_H

#include <stdbool.h>
#include <stdint.h>

#include "app/options.h"
#include "base/attributes.h"
#include "base/status.h"
#include "roles/license-server/keeper.h"

struct alerts;
struct loop;
struct metrics;
struct sources;

enum source_kind {
    SOURCE_KEYS,
    SOURCE_ROOT,
    SOURCE_KEYRING,
    SOURCE_REVOCATIONS,
    SOURCE_LICENSE,
};
#define SOURCE_KINDS 5

struct sources_options {
    struct loop *loop;
    struct keeper *keeper; /* borrowed, with its authority */
    struct alerts *alerts;
    struct metrics *metrics;
    const char *role; /* for logs, alerts and labels */
    /* Called from the loop after a change in a file was read, whatever came of it. */
    void (*on_read)(void *context);
    void *context;
};

/* Takes the paths from the options `license`, `keys`, `root`, `keyring`, `revocations` and begins
 * to watch them. Reads nothing yet. Never NULL. */
struct sources *sources_open(const struct sources_options *options, const struct options *paths);

/* NULL is harmless. */
void sources_close(struct sources *sources);

/* Other paths, after SIGHUP. Reads nothing yet. */
void sources_set_paths(struct sources *sources, const struct options *paths);

/* Reads all files. */
void sources_read(struct sources *sources);

/* True when sources_read is to be called again by now: the license in the file has begun, or the
 * system could not read a file a while ago (an I/O error, no descriptor left). */
bool sources_want_reading(const struct sources *sources);

/* Guarded wall time at which the license in the file begins; LICENSE_NEVER otherwise. */
int64_t sources_again_at_ms(const struct sources *sources);

/* What is wrong with a file, STATUS_OK when nothing is; and its path, or NULL when none is
 * configured. */
const struct status *sources_problem(const struct sources *sources, enum source_kind kind);
const char *sources_path(const struct sources *sources, enum source_kind kind);

/* "keys", "root", "keyring", "revocations", "license": also the names of the options. */
const char *source_name(enum source_kind kind);

#endif
