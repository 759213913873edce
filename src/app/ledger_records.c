#include "app/ledger_records.h"

#include <stdio.h>
#include <string.h>

#include "codec/json.h"
#include "codec/json_writer.h"

/* Ends a record. A buffer that could not hold it has `failed`, which the ledger looks at. */
static void finish(struct json_writer *json) {
    struct status ignored = STATUS_INIT;
    json_writer_end_object(json);
    if (!json_writer_finish(json, "a record", &ignored)) return;
}

void ledger_record_write_mark(const struct serial_mark *mark, struct bytes token,
                              struct buffer *out) {
    struct json_writer json;
    json_writer_init(&json, out);
    json_writer_begin_object(&json);
    json_writer_member_integer(&json, "serial", mark->serial);
    json_writer_member_text(&json, "digest", mark->digest);
    if (token.length > 0) {
        json_writer_name(&json, "token");
        json_writer_text_bytes(&json, token);
    }
    finish(&json);
}

bool ledger_record_read_mark(struct bytes text, struct serial_mark *mark, struct buffer *token) {
    memset(mark, 0, sizeof *mark);
    struct json_document *document = json_document_parse(text, LEDGER_RECORD_BYTES_MAX, NULL);
    const struct json_value *root = document ? json_document_root(document) : NULL;
    const char *digest = json_member_text(root, "digest");
    const char *content = json_member_text(root, "token");
    int64_t serial = 0;
    bool good = digest && strlen(digest) < sizeof mark->digest && (!token || content) &&
                json_member_integer(root, "serial", &serial);
    if (good) {
        mark->seen = true;
        mark->serial = serial;
        snprintf(mark->digest, sizeof mark->digest, "%s", digest);
        if (token) buffer_append_text(token, content);
    }
    json_document_free(document);
    return good;
}

void ledger_record_write_announced(const struct ledger_announcement *announced,
                                   struct buffer *out) {
    struct json_writer json;
    json_writer_init(&json, out);
    json_writer_begin_object(&json);
    json_writer_member_text(&json, "license_digest", announced->license_digest);
    json_writer_member_text(&json, "alert", expiry_alert_name(announced->alert));
    finish(&json);
}

bool ledger_record_read_announced(struct bytes text, struct ledger_announcement *announced) {
    memset(announced, 0, sizeof *announced);
    struct json_document *document = json_document_parse(text, LEDGER_RECORD_BYTES_MAX, NULL);
    const struct json_value *root = document ? json_document_root(document) : NULL;
    const char *digest = json_member_text(root, "license_digest");
    const char *name = json_member_text(root, "alert");
    bool good = digest && strlen(digest) < sizeof announced->license_digest && name &&
                expiry_alert_read(bytes_of_text(name), &announced->alert);
    if (good) snprintf(announced->license_digest, sizeof announced->license_digest, "%s", digest);
    json_document_free(document);
    return good;
}

void ledger_record_write_pins(const struct server_pins *pins, struct buffer *out) {
    struct json_writer json;
    json_writer_init(&json, out);
    json_writer_begin_object(&json);
    json_writer_name(&json, "pins");
    json_writer_begin_array(&json);
    for (size_t i = 0; i < pins->count; i++) {
        json_writer_begin_object(&json);
        json_writer_member_text(&json, "key_id", pins->items[i].key_id);
        json_writer_member_integer(&json, "pinned_at_ms", pins->items[i].pinned_at_ms);
        json_writer_end_object(&json);
    }
    json_writer_end_array(&json);
    finish(&json);
}

bool ledger_record_read_pins(struct bytes text, struct server_pins *pins) {
    memset(pins, 0, sizeof *pins);
    struct json_document *document = json_document_parse(text, LEDGER_RECORD_BYTES_MAX, NULL);
    const struct json_value *list =
        document ? json_value_member(json_document_root(document), "pins") : NULL;
    bool good = json_value_type(list) == JSON_TYPE_ARRAY;
    for (size_t i = 0; good && i < json_value_count(list); i++) {
        const struct json_value *item = json_value_item(list, i);
        const char *key_id = json_member_text(item, "key_id");
        int64_t pinned_at_ms = 0;
        good = key_id && json_member_integer(item, "pinned_at_ms", &pinned_at_ms) &&
               server_pins_add(pins, key_id, pinned_at_ms);
    }
    if (!good) memset(pins, 0, sizeof *pins);
    json_document_free(document);
    return good;
}

void ledger_record_write_clock(const struct clock_guard *guard, struct buffer *out) {
    struct json_writer json;
    json_writer_init(&json, out);
    json_writer_begin_object(&json);
    json_writer_member_text(&json, "boot_id", guard->boot_id);
    json_writer_member_integer(&json, "mark_offset_ms", guard->mark_offset_ms);
    json_writer_member_integer(&json, "mark_confirmed_ms", guard->mark_confirmed_ms);
    json_writer_member_integer(&json, "anchor_offset_ms", guard->anchor_offset_ms);
    json_writer_member_integer(&json, "anchor_since_ms", guard->anchor_since_ms);
    json_writer_member_boolean(&json, "anchor_jumped", guard->anchor_jumped);
    json_writer_member_integer(&json, "observed_at_ms", guard->observed_at_ms);
    json_writer_member_integer(&json, "signed_offset_ms", guard->signed_offset_ms);
    finish(&json);
}

bool ledger_record_read_clock(struct bytes text, struct clock_guard *guard) {
    memset(guard, 0, sizeof *guard);
    struct json_document *document = json_document_parse(text, LEDGER_RECORD_BYTES_MAX, NULL);
    const struct json_value *root = document ? json_document_root(document) : NULL;
    const char *boot_id = json_member_text(root, "boot_id");
    bool good = boot_id && strlen(boot_id) < sizeof guard->boot_id &&
                json_member_integer(root, "mark_offset_ms", &guard->mark_offset_ms) &&
                json_member_integer(root, "mark_confirmed_ms", &guard->mark_confirmed_ms) &&
                json_member_integer(root, "anchor_offset_ms", &guard->anchor_offset_ms) &&
                json_member_integer(root, "anchor_since_ms", &guard->anchor_since_ms) &&
                json_member_boolean(root, "anchor_jumped", &guard->anchor_jumped) &&
                json_member_integer(root, "observed_at_ms", &guard->observed_at_ms) &&
                json_member_integer(root, "signed_offset_ms", &guard->signed_offset_ms);
    if (good)
        snprintf(guard->boot_id, sizeof guard->boot_id, "%s", boot_id);
    else
        memset(guard, 0, sizeof *guard);
    json_document_free(document);
    return good;
}
