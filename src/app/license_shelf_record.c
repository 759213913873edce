#include "app/license_shelf_record.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "codec/json.h"
#include "codec/json_writer.h"

void license_shelf_record_write(const struct shelf_entry *entry, struct bytes token,
                                struct buffer *out) {
    struct json_writer json;
    struct status ignored = STATUS_INIT;
    json_writer_init(&json, out);
    json_writer_begin_object(&json);
    json_writer_member_integer(&json, "change", (int64_t)entry->change);
    json_writer_member_integer(&json, "serial", entry->serial);
    json_writer_member_text(&json, "deployment_id", entry->deployment_id);
    json_writer_member_boolean(&json, "deleted", entry->deleted);
    json_writer_member_integer(&json, "revoked_at_ms", entry->revoked_at_ms);
    json_writer_member_text(&json, "revoked_reason", entry->revoked_reason);
    json_writer_end_object(&json);
    if (!json_writer_finish(&json, "a record", &ignored)) out->failed = true;
    buffer_append_text(out, "\n");
    if (!entry->deleted) buffer_append(out, token.data, token.length);
}

/* The line of JSON at the front, without its line break; empty when there is none. */
static struct bytes line_of(struct bytes record) {
    const uint8_t *end = record.length ? memchr(record.data, '\n', record.length) : NULL;
    return bytes_of(record.data, end ? (size_t)(end - record.data) : 0);
}

struct bytes license_shelf_record_token(struct bytes record) {
    size_t line = line_of(record).length;
    if (line == 0) return bytes_of(NULL, 0);
    return bytes_of(record.data + line + 1, record.length - line - 1);
}

static bool read_members(const struct json_value *root, struct shelf_entry *entry) {
    const char *deployment_id = json_member_text(root, "deployment_id");
    const char *reason = json_member_text(root, "revoked_reason");
    int64_t change;
    if (!deployment_id || !json_member_integer(root, "change", &change) || change < 1 ||
        !json_member_integer(root, "serial", &entry->serial) ||
        !json_member_boolean(root, "deleted", &entry->deleted) ||
        !json_member_integer(root, "revoked_at_ms", &entry->revoked_at_ms))
        return false;
    entry->change = (uint64_t)change;
    entry->deployment_id = memory_copy_text(deployment_id);
    entry->revoked_reason = memory_copy_text(reason);
    return true;
}

struct shelf_entry *license_shelf_record_read(struct bytes record, struct bytes *token) {
    struct status ignored = STATUS_INIT;
    struct json_document *document =
        json_document_parse(line_of(record), LICENSE_SHELF_LINE_BYTES_MAX, &ignored);
    if (!document) return NULL;
    struct shelf_entry *entry = memory_new(sizeof *entry);
    list_init(&entry->by_change);
    if (!read_members(json_document_root(document), entry)) {
        license_shelf_entry_free(entry);
        entry = NULL;
    }
    json_document_free(document);
    if (token) *token = license_shelf_record_token(record);
    return entry;
}

struct shelf_entry *license_shelf_entry_copy(const struct shelf_entry *entry) {
    struct shelf_entry *copy = memory_new(sizeof *copy);
    *copy = *entry;
    list_init(&copy->by_change);
    copy->license_id = memory_copy_text(entry->license_id);
    copy->deployment_id = memory_copy_text(entry->deployment_id);
    copy->revoked_reason = memory_copy_text(entry->revoked_reason);
    copy->unsaved_token = NULL;
    return copy;
}

void license_shelf_entry_free(struct shelf_entry *entry) {
    if (!entry) return;
    list_remove(&entry->by_change);
    free(entry->license_id);
    free(entry->deployment_id);
    free(entry->revoked_reason);
    free(entry->unsaved_token);
    free(entry);
}
