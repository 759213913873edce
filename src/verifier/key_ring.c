#include "verifier/key_ring.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "codec/json.h"
#include "codec/rfc3339.h"

struct key_ring *key_ring_new(void) {
    return memory_new(sizeof(struct key_ring));
}

void key_ring_free(struct key_ring *ring) {
    free(ring);
}

static bool is_entry_of(const struct key_ring_entry *entry, const struct jwk *key) {
    return strcmp(entry->key.thumbprint, key->thumbprint) == 0;
}

static bool knows_key(const struct key_ring *ring, const struct jwk *key) {
    for (size_t i = 0; i < ring->count; i++)
        if (is_entry_of(&ring->entries[i], key)) return true;
    return false;
}

/* Takes uses away from a key; entries without any use left are dropped. */
static void remove_uses(struct key_ring *ring, const struct jwk *key, uint32_t uses) {
    size_t kept = 0;
    for (size_t i = 0; i < ring->count; i++) {
        if (is_entry_of(&ring->entries[i], key)) ring->entries[i].uses &= ~uses;
        if (ring->entries[i].uses) ring->entries[kept++] = ring->entries[i];
    }
    ring->count = kept;
}

static struct key_ring_entry *find_window(struct key_ring *ring, const struct jwk *key,
                                          int64_t not_before_ms, int64_t not_after_ms) {
    for (size_t i = 0; i < ring->count; i++) {
        struct key_ring_entry *entry = &ring->entries[i];
        if (is_entry_of(entry, key) && entry->not_before_ms == not_before_ms &&
            entry->not_after_ms == not_after_ms)
            return entry;
    }
    return NULL;
}

bool key_ring_add(struct key_ring *ring, const struct jwk *key, uint32_t uses,
                  int64_t not_before_ms, int64_t not_after_ms, struct status *status) {
    if (!knows_key(ring, key) && !jwk_check_point(key, status)) return false;
    if (ring->count == KEY_RING_KEYS_MAX && !find_window(ring, key, not_before_ms, not_after_ms))
        return status_fail(status, STATUS_TOO_LARGE, "the key ring is full: it holds %d keys",
                           KEY_RING_KEYS_MAX);
    remove_uses(ring, key, uses);
    struct key_ring_entry *entry = find_window(ring, key, not_before_ms, not_after_ms);
    if (!entry) {
        entry = &ring->entries[ring->count++];
        *entry = (struct key_ring_entry){
            .key = *key, .not_before_ms = not_before_ms, .not_after_ms = not_after_ms};
    }
    entry->uses |= uses;
    return true;
}

static bool add_all(struct key_ring *ring, const struct json_value *keys, uint32_t uses,
                    struct status *status) {
    if (json_value_count(keys) == 0)
        return status_fail(status, STATUS_MALFORMED, "the key set has no keys");
    for (size_t i = 0; i < json_value_count(keys); i++) {
        struct jwk key;
        if (!jwk_parse(json_value_item(keys, i), &key, status) ||
            !key_ring_add(ring, &key, uses, KEY_RING_ALWAYS_FROM_MS, KEY_RING_FOREVER_MS, status))
            return status_context(status, "key %zu of the set", i + 1);
    }
    return true;
}

static bool add_document(struct key_ring *ring, const struct json_value *root, uint32_t uses,
                         struct status *status) {
    const struct json_value *keys = json_value_member(root, "keys");
    if (json_value_type(keys) == JSON_TYPE_ARRAY) return add_all(ring, keys, uses, status);
    struct jwk key;
    if (!json_value_member(root, "kty"))
        return status_fail(status, STATUS_MALFORMED,
                           "not a JWK set: there is no array \"keys\" in it");
    return jwk_parse(root, &key, status) &&
           key_ring_add(ring, &key, uses, KEY_RING_ALWAYS_FROM_MS, KEY_RING_FOREVER_MS, status);
}

bool key_ring_add_jwks(struct key_ring *ring, struct bytes text, uint32_t uses,
                       struct status *status) {
    struct json_document *document = json_document_parse(text, KEY_RING_JWKS_BYTES_MAX, status);
    if (!document) return status_context(status, "JWK set");
    struct key_ring *filled = key_ring_new();
    *filled = *ring;
    bool done = add_document(filled, json_document_root(document), uses, status);
    if (done) *ring = *filled;
    key_ring_free(filled);
    json_document_free(document);
    return done;
}

const struct key_ring_entry *key_ring_find(const struct key_ring *ring, enum token_type type,
                                           const char *kid) {
    for (size_t i = 0; i < ring->count; i++) {
        const struct key_ring_entry *entry = &ring->entries[i];
        if ((entry->uses & TOKEN_USE(type)) && strcmp(entry->key.thumbprint, kid) == 0)
            return entry;
    }
    return NULL;
}

bool key_ring_has_use(const struct key_ring *ring, enum token_type type) {
    for (size_t i = 0; i < ring->count; i++)
        if (ring->entries[i].uses & TOKEN_USE(type)) return true;
    return false;
}

/* "issued at T, before its key K became valid at T", or "after ... was retired". */
static bool refuse_window(const struct key_ring_entry *entry, int64_t issued_at_ms,
                          const char *relation, const char *event, int64_t edge_ms,
                          struct status *status) {
    char issued[RFC3339_BYTES], edge[RFC3339_BYTES];
    rfc3339_format(issued_at_ms, issued);
    rfc3339_format(edge_ms, edge);
    return status_fail(status, STATUS_KEY_NOT_VALID, "issued at %s, %s its key %s %s at %s", issued,
                       relation, entry->key.thumbprint, event, edge);
}

bool key_ring_check_window(const struct key_ring_entry *entry, int64_t issued_at_ms,
                           struct status *status) {
    if (issued_at_ms < entry->not_before_ms)
        return refuse_window(entry, issued_at_ms, "before", "became valid", entry->not_before_ms,
                             status);
    if (issued_at_ms >= entry->not_after_ms)
        return refuse_window(entry, issued_at_ms, "after", "was retired", entry->not_after_ms,
                             status);
    return true;
}

void key_ring_write_jwks(const struct key_ring *ring, uint32_t uses, struct json_writer *writer) {
    json_writer_begin_object(writer);
    json_writer_name(writer, "keys");
    json_writer_begin_array(writer);
    for (size_t i = 0; i < ring->count; i++)
        if (ring->entries[i].uses & uses) jwk_write(writer, &ring->entries[i].key);
    json_writer_end_array(writer);
    json_writer_end_object(writer);
}
