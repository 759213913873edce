#include "app/license_shelf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/license_shelf_index.h"
#include "app/license_shelf_record.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/random.h"
#include "codec/base64url.h"
#include "codec/json.h"
#include "codec/json_writer.h"
#include "store/store.h"

/* Where the entries and the shelf's own record are. */
#define META_KEY     "meta"
#define ENTRY_PREFIX "license/"

/* {"stream":"...","sequence":n} */
#define META_BYTES_MAX 256

/* Random bytes in a stream's name. */
#define STREAM_RANDOM_BYTES 16

/* ---- keys and the shelf's own record ---- */

bool license_shelf_entry_key(const char *license_id, char out[STORE_KEY_BYTES_MAX]) {
    int length = snprintf(out, STORE_KEY_BYTES_MAX, ENTRY_PREFIX "%s", license_id);
    return length > 0 && length < STORE_KEY_BYTES_MAX;
}

bool license_shelf_save_meta(struct license_shelf *shelf, struct status *status) {
    struct buffer text;
    struct json_writer json;
    buffer_init(&text, META_BYTES_MAX);
    json_writer_init(&json, &text);
    json_writer_begin_object(&json);
    json_writer_member_text(&json, "stream", shelf->stream);
    json_writer_member_integer(&json, "sequence", (int64_t)shelf->sequence);
    json_writer_end_object(&json);
    bool saved = json_writer_finish(&json, "the shelf's record", status) &&
                 store_put(shelf->store, shelf->name, META_KEY, buffer_bytes(&text), status);
    buffer_free(&text);
    return saved;
}

static bool read_meta(struct license_shelf *shelf, struct bytes text) {
    struct status ignored = STATUS_INIT;
    struct json_document *document = json_document_parse(text, META_BYTES_MAX, &ignored);
    const struct json_value *root = document ? json_document_root(document) : NULL;
    const char *stream = json_member_text(root, "stream");
    int64_t sequence;
    bool read = stream && strlen(stream) == sizeof shelf->stream - 2 &&
                json_member_integer(root, "sequence", &sequence) && sequence >= 0;
    if (read) {
        snprintf(shelf->stream, sizeof shelf->stream, "%s", stream);
        shelf->sequence = (uint64_t)sequence;
    }
    json_document_free(document);
    return read;
}

/* A shelf without a readable record is another one: whoever follows it begins anew. */
static void begin_stream(struct license_shelf *shelf) {
    struct status status = STATUS_INIT;
    uint8_t random[STREAM_RANDOM_BYTES];
    random_bytes(random, sizeof random);
    base64url_encode(bytes_of(random, sizeof random), shelf->stream);
    if (!license_shelf_save_meta(shelf, &status))
        log_event(LOG_WARNING, shelf->name, "the shelf's name cannot be saved", "why", status.text,
                  NULL);
}

static void load_meta(struct license_shelf *shelf) {
    struct status status = STATUS_INIT;
    struct buffer text;
    buffer_init(&text, META_BYTES_MAX);
    bool read = store_get(shelf->store, shelf->name, META_KEY, &text, &status) &&
                read_meta(shelf, buffer_bytes(&text));
    buffer_free(&text);
    if (!read) begin_stream(shelf);
}

/* ---- opening and closing ---- */

static bool load_entry(void *context, const char *key, struct bytes value) {
    struct license_shelf *shelf = context;
    struct shelf_entry *entry = license_shelf_record_read(value, NULL);
    if (!entry || shelf->count == LICENSE_SHELF_ENTRIES_MAX) {
        license_shelf_entry_free(entry);
        shelf->lost++;
        return true;
    }
    entry->license_id = memory_copy_text(key + sizeof ENTRY_PREFIX - 1);
    license_shelf_index_add(shelf, entry);
    if (entry->change > shelf->sequence) shelf->sequence = entry->change;
    return true;
}

struct license_shelf *license_shelf_open(struct store *store, const char *name,
                                         struct status *status) {
    struct license_shelf *shelf = memory_new(sizeof *shelf);
    size_t damaged = 0;
    shelf->store = store;
    shelf->name = name;
    list_init(&shelf->by_change);
    load_meta(shelf);
    if (!store_each(store, name, ENTRY_PREFIX, load_entry, shelf, &damaged, status)) {
        license_shelf_close(shelf);
        return NULL;
    }
    shelf->lost += damaged;
    license_shelf_index_order(shelf);
    shelf->memo = jws_memo_new(2 * shelf->count + LICENSE_SHELF_MEMO_MIN);
    if (shelf->lost > 0) {
        char count[24];
        snprintf(count, sizeof count, "%zu", shelf->lost);
        log_event(LOG_WARNING, name, "damaged licenses were set aside", "count", count, NULL);
    }
    return shelf;
}

void license_shelf_close(struct license_shelf *shelf) {
    if (!shelf) return;
    license_shelf_flush(shelf);
    for (size_t i = 0; i < shelf->count; i++)
        license_shelf_entry_free(shelf->entries[i]);
    jws_memo_free(shelf->memo);
    free(shelf->entries);
    free(shelf);
}

/* ---- looking ---- */

const char *license_shelf_stream(const struct license_shelf *shelf) {
    return shelf->stream;
}

uint64_t license_shelf_sequence(const struct license_shelf *shelf) {
    return shelf->sequence;
}

size_t license_shelf_count(const struct license_shelf *shelf) {
    return shelf->count - shelf->deleted;
}

size_t license_shelf_lost(const struct license_shelf *shelf) {
    return shelf->lost;
}

void license_shelf_forget_lost(struct license_shelf *shelf) {
    shelf->lost = 0;
}

/* ---- taking ---- */

static bool read_token(struct license_shelf *shelf, const struct shelf_entry *entry,
                       struct buffer *token, struct status *status) {
    struct buffer record;
    char key[STORE_KEY_BYTES_MAX];
    if (entry->unsaved_token) return buffer_append_text(token, entry->unsaved_token);
    if (!license_shelf_entry_key(entry->license_id, key))
        return status_fail(status, STATUS_TOO_LARGE, "the license's id is too long");
    buffer_init(&record, LICENSE_SHELF_RECORD_BYTES_MAX);
    bool read = store_get(shelf->store, shelf->name, key, &record, status);
    if (!read && status->code == STATUS_NOT_FOUND) { /* it was there: somebody removed the row */
        status_clear(status);
        status_fail(status, STATUS_DAMAGED, "the record of license %s is gone", entry->license_id);
    }
    if (read) {
        struct bytes found = license_shelf_record_token(buffer_bytes(&record));
        buffer_append(token, found.data, found.length);
    }
    buffer_free(&record);
    return read;
}

/* What the index says must be what was signed: a record that was exchanged for another is
 * damaged. */
static bool is_the_entry(const struct license *license, const struct shelf_entry *entry,
                         struct status *status) {
    if (strcmp(license->license_id, entry->license_id) == 0 && license->serial == entry->serial &&
        strcmp(license->deployment_id, entry->deployment_id) == 0)
        return true;
    return status_fail(status, STATUS_DAMAGED, "the record of license %s holds another license",
                       entry->license_id);
}

static void note_refusal(struct license_shelf *shelf, struct shelf_entry *entry,
                         const struct status *status) {
    if (status->code == STATUS_IO) return; /* the disk's state says nothing about the token */
    if (status->code == STATUS_DAMAGED) shelf->lost++;
    if (entry->proof == SHELF_REFUSED) return;
    entry->proof = SHELF_REFUSED;
    entry->refused_since_ms = clock_wall_ms();
    log_event(LOG_WARNING, shelf->name, "a license on the shelf is not good", "license_id",
              entry->license_id, "code", status_code_name(status->code), "why", status->text, NULL);
}

struct license *license_shelf_take(struct license_shelf *shelf, struct shelf_entry *entry,
                                   const struct key_ring *ring, struct buffer *token,
                                   struct status *status) {
    struct buffer own;
    struct license *license = NULL;
    buffer_init(&own, JWS_TOKEN_BYTES_MAX);
    struct buffer *text = token ? token : &own;
    if (read_token(shelf, entry, text, status))
        license = license_verify(buffer_bytes(text), ring, shelf->memo, status);
    if (license && !is_the_entry(license, entry, status)) {
        license_free(license);
        license = NULL;
    }
    if (license) {
        entry->proof = SHELF_PROVEN;
        entry->refused_since_ms = 0;
    } else {
        note_refusal(shelf, entry, status);
    }
    buffer_free(&own);
    return license;
}
