#include "app/license_shelf_meta.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "app/license_shelf_index.h"
#include "base/file.h"
#include "base/log.h"
#include "base/random.h"
#include "codec/base64url.h"
#include "codec/json.h"
#include "codec/json_writer.h"
#include "store/store.h"
#include "verifier/sha256.h"

#define META_KEY    "meta"
#define TWIN_SUFFIX ".shelf"

/* {"stream":"...","sequence":n,"entries":n} */
#define META_BYTES_MAX 256

/* The twin has the record's digest in a line of its own: half of a write counts as none. */
#define TWIN_BYTES_MAX (META_BYTES_MAX + SHA256_TEXT_BYTES + 2)

/* Random bytes in a stream's name. */
#define STREAM_RANDOM_BYTES 16

/* ---- the record as text ---- */

static bool write_text(const struct shelf_meta *meta, struct buffer *out, struct status *status) {
    struct json_writer json;
    json_writer_init(&json, out);
    json_writer_begin_object(&json);
    json_writer_member_text(&json, "stream", meta->stream);
    json_writer_member_integer(&json, "sequence", (int64_t)meta->sequence);
    json_writer_member_integer(&json, "entries", (int64_t)meta->entries);
    json_writer_end_object(&json);
    return json_writer_finish(&json, "the shelf's record", status);
}

static void read_text(struct bytes text, struct shelf_meta *meta) {
    struct status ignored = STATUS_INIT;
    struct json_document *document = json_document_parse(text, META_BYTES_MAX, &ignored);
    const struct json_value *root = document ? json_document_root(document) : NULL;
    const char *stream = json_member_text(root, "stream");
    int64_t sequence, entries;
    if (stream && strlen(stream) == sizeof meta->stream - 2 &&
        json_member_integer(root, "sequence", &sequence) && sequence >= 0) {
        snprintf(meta->stream, sizeof meta->stream, "%s", stream);
        meta->sequence = (uint64_t)sequence;
        if (json_member_integer(root, "entries", &entries) && entries > 0)
            meta->entries = (size_t)entries;
    }
    json_document_free(document);
}

/* ---- the store's ---- */

bool license_shelf_meta_save(struct license_shelf *shelf, uint64_t sequence, size_t entries,
                             struct status *status) {
    struct shelf_meta meta = {.sequence = sequence, .entries = entries};
    struct buffer text;
    memcpy(meta.stream, shelf->stream, sizeof meta.stream);
    buffer_init(&text, META_BYTES_MAX);
    bool saved = write_text(&meta, &text, status) &&
                 store_put(shelf->store, shelf->name, META_KEY, buffer_bytes(&text), status);
    buffer_free(&text);
    return saved;
}

static void load_from_store(struct license_shelf *shelf, struct shelf_meta *meta) {
    struct status ignored = STATUS_INIT;
    struct buffer text;
    buffer_init(&text, META_BYTES_MAX);
    if (store_get(shelf->store, shelf->name, META_KEY, &text, &ignored))
        read_text(buffer_bytes(&text), meta);
    buffer_free(&text);
}

/* ---- the twin ---- */

static char *twin_path(const struct license_shelf *shelf) {
    char name[STORE_NAMESPACE_BYTES_MAX + sizeof TWIN_SUFFIX];
    snprintf(name, sizeof name, "%s" TWIN_SUFFIX, shelf->name);
    return file_join(store_folder(shelf->store), name);
}

static bool write_twin(const char *path, struct bytes text, struct status *status) {
    int file = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (file < 0) return status_fail_errno(status, errno, "cannot open %s", path);
    bool written = pwrite(file, text.data, text.length, 0) == (ssize_t)text.length &&
                   ftruncate(file, (off_t)text.length) == 0;
    if (!written) status_fail_errno(status, errno, "cannot write %s", path);
    close(file);
    return written;
}

void license_shelf_twin_save(struct license_shelf *shelf) {
    struct shelf_meta meta = {.sequence = shelf->sequence, .entries = shelf->count};
    char digest[SHA256_TEXT_BYTES];
    struct status status = STATUS_INIT;
    struct buffer text;
    char *path = twin_path(shelf);
    memcpy(meta.stream, shelf->stream, sizeof meta.stream);
    buffer_init(&text, TWIN_BYTES_MAX);
    bool saved = write_text(&meta, &text, &status);
    sha256_digest_text(buffer_bytes(&text), digest);
    buffer_append_format(&text, "\n%s\n", digest);
    saved = saved && buffer_check(&text, "the shelf's twin", &status) &&
            write_twin(path, buffer_bytes(&text), &status);
    if (!saved && !shelf->twin_fails)
        log_event(LOG_WARNING, shelf->name,
                  "the number of the newest change cannot be kept beside the state", "why",
                  status.text, NULL);
    shelf->twin_fails = !saved;
    buffer_free(&text);
    free(path);
}

static void load_from_twin(const struct license_shelf *shelf, struct shelf_meta *meta) {
    char digest[SHA256_TEXT_BYTES];
    struct status ignored = STATUS_INIT;
    struct buffer text;
    char *path = twin_path(shelf);
    buffer_init(&text, TWIN_BYTES_MAX);
    if (file_read(path, &text, &ignored) && text.length > SHA256_TEXT_BYTES) {
        size_t line = text.length - SHA256_TEXT_BYTES - 1;
        sha256_digest_text(bytes_of(text.data, line), digest);
        if (memcmp(text.data + line + 1, digest, SHA256_TEXT_BYTES - 1) == 0)
            read_text(bytes_of(text.data, line), meta);
    }
    buffer_free(&text);
    free(path);
}

/* ---- both ---- */

/* Without a record this is another shelf: whoever follows it begins anew. */
static void begin_stream(struct license_shelf *shelf) {
    struct status status = STATUS_INIT;
    uint8_t random[STREAM_RANDOM_BYTES];
    random_bytes(random, sizeof random);
    base64url_encode(bytes_of(random, sizeof random), shelf->stream);
    if (license_shelf_meta_save(shelf, 0, 0, &status))
        license_shelf_twin_save(shelf);
    else
        log_event(LOG_WARNING, shelf->name, "the shelf's name cannot be saved", "why", status.text,
                  NULL);
}

/* The later of the two. A twin with another name is not of this store. */
void license_shelf_meta_load(struct license_shelf *shelf) {
    struct shelf_meta stored = {.sequence = 0}, twin = {.sequence = 0};
    load_from_store(shelf, &stored);
    load_from_twin(shelf, &twin);
    bool other = stored.stream[0] && strcmp(stored.stream, twin.stream) != 0;
    bool later = !other && twin.sequence >= stored.sequence;
    shelf->expected = later ? twin : stored;
    if (!shelf->expected.stream[0]) {
        begin_stream(shelf);
        return;
    }
    memcpy(shelf->stream, shelf->expected.stream, sizeof shelf->stream);
    shelf->sequence = stored.sequence;
}

size_t license_shelf_meta_missing(const struct license_shelf *shelf) {
    const struct shelf_meta *expected = &shelf->expected;
    size_t entries = expected->entries > shelf->count ? expected->entries - shelf->count : 0;
    uint64_t changes =
        expected->sequence > shelf->sequence ? expected->sequence - shelf->sequence : 0;
    return changes > entries ? (size_t)changes : entries;
}
