/*
 * What the master confirmed last, across restarts: one record beside the shelf. The record says how
 * many licenses the shelf had, and which shelf it was; when that is not so any more (a damaged file
 * was set aside, say), everything is fetched from the beginning. A confirmation also rests on the
 * vendor's revocation list: when that was lost, what it revoked must not come back, and the master
 * has to confirm again.
 *
 * Its time is kept by both clocks. Within one boot the monotonic one tells the age; after another
 * boot the wall clock does, and one that is behind the confirmation tells nothing.
 */
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "codec/json.h"
#include "codec/json_writer.h"
#include "roles/cache-slave/cache_slave.h"
#include "roles/cache-slave/slave.h"
#include "store/store.h"

#define RECORD_KEY       "progress"
#define RECORD_BYTES_MAX 1024

/* After a reboot a clock may be a little behind before NTP has put it right. */
#define BEHIND_MAX_MS CLOCK_GUARD_ALARM_MS

static void write_record(const struct cache_slave *slave, struct buffer *out) {
    const struct slave_progress *progress = &slave->progress;
    struct json_writer json;
    struct status ignored = STATUS_INIT;
    json_writer_init(&json, out);
    json_writer_begin_object(&json);
    json_writer_member_text(&json, "stream", progress->stream);
    json_writer_member_integer(&json, "since", progress->since);
    json_writer_member_text(&json, "etag", progress->etag);
    json_writer_member_integer(&json, "confirmed_at_ms", progress->confirmed_at_ms);
    json_writer_member_integer(&json, "confirmed_monotonic_ms", progress->confirmed_monotonic_ms);
    json_writer_member_text(&json, "boot_id", slave->clock.boot_id);
    json_writer_member_boolean(&json, "revocations",
                               authority_revocations_token(slave->authority).length > 0);
    json_writer_member_text(&json, "shelf", license_shelf_stream(slave->shelf));
    json_writer_member_integer(&json, "licenses", (int64_t)license_shelf_count(slave->shelf));
    json_writer_end_object(&json);
    if (!json_writer_finish(&json, "the progress", &ignored)) out->failed = true;
}

/* Not while licenses are in memory only: after a crash the master would be asked for too little. */
void slave_progress_save(struct cache_slave *slave) {
    struct status status = STATUS_INIT;
    struct buffer text;
    if (!license_shelf_flush(slave->shelf)) return;
    buffer_init(&text, RECORD_BYTES_MAX);
    write_record(slave, &text);
    if (!buffer_check(&text, "the progress", &status) ||
        !store_put(slave->context->store, CACHE_SLAVE_NAME, RECORD_KEY, buffer_bytes(&text),
                   &status))
        log_event(LOG_WARNING, CACHE_SLAVE_NAME,
                  "the master's confirmation cannot be saved; it counts until the next restart",
                  "why", status.text, NULL);
    buffer_free(&text);
}

static bool read_text(const struct json_value *root, const char *name, char *out, size_t bytes) {
    const char *text = json_member_text(root, name);
    return text && (size_t)snprintf(out, bytes, "%s", text) < bytes;
}

static bool shelf_is_the_same(const struct cache_slave *slave, const struct json_value *root) {
    const char *shelf = json_member_text(root, "shelf");
    int64_t licenses;
    return shelf && strcmp(shelf, license_shelf_stream(slave->shelf)) == 0 &&
           json_member_integer(root, "licenses", &licenses) &&
           (size_t)licenses == license_shelf_count(slave->shelf) &&
           license_shelf_lost(slave->shelf) == 0;
}

/* True when the master's confirmation came with a revocation list, which is not here any more. */
static bool list_is_lost(const struct cache_slave *slave, const struct json_value *root) {
    bool had_list;
    return json_member_boolean(root, "revocations", &had_list) && had_list &&
           authority_revocations_token(slave->authority).length == 0;
}

/* Works out when the confirmation was by the monotonic clock; false when that cannot be told. A
 * record of an older lsys has the wall time alone. */
static bool read_confirmation(const struct cache_slave *slave, const struct json_value *root,
                              struct slave_progress *progress) {
    const char *boot_id = json_member_text(root, "boot_id");
    int64_t monotonic_ms;
    if (!json_member_integer(root, "confirmed_at_ms", &progress->confirmed_at_ms) ||
        progress->confirmed_at_ms <= 0)
        return false;
    bool same_boot = boot_id && boot_id[0] && strcmp(boot_id, slave->clock.boot_id) == 0 &&
                     json_member_integer(root, "confirmed_monotonic_ms", &monotonic_ms) &&
                     monotonic_ms <= slave->monotonic_ms;
    int64_t age_ms = slave->reading.now_ms - progress->confirmed_at_ms;
    if (!same_boot && age_ms < -BEHIND_MAX_MS) return false;
    if (!same_boot) monotonic_ms = slave->monotonic_ms - (age_ms > 0 ? age_ms : 0);
    progress->confirmed_monotonic_ms = monotonic_ms;
    return true;
}

static bool read_record(struct cache_slave *slave, const struct json_value *root,
                        struct slave_progress *progress) {
    if (!read_text(root, "stream", progress->stream, sizeof progress->stream) ||
        !read_text(root, "etag", progress->etag, sizeof progress->etag) ||
        !json_member_integer(root, "since", &progress->since) || progress->since < 0)
        return false;
    bool list_lost = list_is_lost(slave, root);
    if (list_lost || !shelf_is_the_same(slave, root)) {
        progress->since = 0;
        progress->etag[0] = '\0';
    }
    if (list_lost || !read_confirmation(slave, root, progress)) progress->confirmed_at_ms = 0;
    if (list_lost)
        log_event(LOG_WARNING, CACHE_SLAVE_NAME,
                  "the vendor's revocation list was lost with damage to the state; no license "
                  "counts until the master has sent it again",
                  NULL);
    return true;
}

void slave_progress_load(struct cache_slave *slave) {
    struct status status = STATUS_INIT;
    struct slave_progress progress = {.since = 0};
    struct buffer text;
    buffer_init(&text, RECORD_BYTES_MAX);
    struct json_document *document = NULL;
    if (store_get(slave->context->store, CACHE_SLAVE_NAME, RECORD_KEY, &text, &status))
        document = json_document_parse(buffer_bytes(&text), RECORD_BYTES_MAX, &status);
    if (document && read_record(slave, json_document_root(document), &progress))
        slave->progress = progress;
    json_document_free(document);
    buffer_free(&text);
}
