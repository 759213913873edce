/*
 * What the master confirmed last, across restarts: one record beside the shelf. The record says how
 * many licenses the shelf had, and which shelf it was; when that is not so any more (a damaged file
 * was set aside, say), everything is fetched from the beginning.
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

static bool read_record(struct cache_slave *slave, const struct json_value *root,
                        struct slave_progress *progress) {
    if (!read_text(root, "stream", progress->stream, sizeof progress->stream) ||
        !read_text(root, "etag", progress->etag, sizeof progress->etag) ||
        !json_member_integer(root, "since", &progress->since) || progress->since < 0 ||
        !json_member_integer(root, "confirmed_at_ms", &progress->confirmed_at_ms) ||
        progress->confirmed_at_ms < 0)
        return false;
    if (!shelf_is_the_same(slave, root)) {
        progress->since = 0;
        progress->etag[0] = '\0';
    }
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
    if (document && read_record(slave, json_document_root(document), &progress)) {
        int64_t age_ms = slave->reading.now_ms - progress.confirmed_at_ms;
        progress.confirmed_monotonic_ms = slave->monotonic_ms - (age_ms > 0 ? age_ms : 0);
        slave->progress = progress;
    }
    json_document_free(document);
    buffer_free(&text);
}
