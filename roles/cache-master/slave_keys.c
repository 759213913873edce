#include "roles/cache-master/slave_keys.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/random.h"
#include "codec/base64url.h"
#include "codec/json.h"
#include "roles/cache-master/access.h"
#include "roles/cache-master/master.h"
#include "store/audit.h"
#include "store/store.h"

#define KEY_PREFIX       "key/"
#define KEY_RANDOM_BYTES 32

/* Whoever holds a stolen key must not be able to wash the audit log out with refusals. */
#define REFUSALS_TOLD_INTERVAL_MS 60000

/* One record: name, digest, and 16 digests of components. */
#define RECORD_BYTES_MAX 2048

static const struct {
    const char *name;
    unsigned scope;
} scopes_by_name[] = {
    {"read", SLAVE_KEY_READ},
    {"sync", SLAVE_KEY_SYNC},
    {"admin", SLAVE_KEY_ADMIN},
};
#define SCOPES (sizeof scopes_by_name / sizeof scopes_by_name[0])

struct slave_keys {
    struct store *store;
    int64_t per_second;
    struct slave_key *keys[SLAVE_KEYS_MAX];
    size_t count;
};

unsigned slave_key_scope_find(const char *name) {
    for (size_t i = 0; name && i < SCOPES; i++)
        if (strcmp(scopes_by_name[i].name, name) == 0) return scopes_by_name[i].scope;
    return 0;
}

/* ---- records ---- */

void slave_key_write_scopes(unsigned scopes, struct json_writer *json) {
    json_writer_name(json, "scopes");
    json_writer_begin_array(json);
    for (size_t i = 0; i < SCOPES; i++)
        if (scopes & scopes_by_name[i].scope) json_writer_text(json, scopes_by_name[i].name);
    json_writer_end_array(json);
}

static bool save(struct slave_keys *keys, const struct slave_key *key, struct status *status) {
    struct buffer text;
    struct json_writer json;
    char digest[SHA256_TEXT_BYTES], store_key[SLAVE_KEY_NAME_BYTES + sizeof KEY_PREFIX];
    base64url_encode(bytes_of(key->digest.sha256, SHA256_BYTES), digest);
    snprintf(store_key, sizeof store_key, KEY_PREFIX "%s", key->name);
    buffer_init(&text, RECORD_BYTES_MAX);
    json_writer_init(&json, &text);
    json_writer_begin_object(&json);
    json_writer_member_text(&json, "sha256", digest);
    slave_key_write_scopes(key->scopes, &json);
    json_writer_member_integer(&json, "created_at_ms", key->created_at_ms);
    json_writer_name(&json, "machine");
    json_writer_begin_array(&json);
    for (size_t i = 0; i < key->machine.count; i++)
        json_writer_text(&json, key->machine.digests[i]);
    json_writer_end_array(&json);
    json_writer_end_object(&json);
    bool saved = json_writer_finish(&json, "the key", status) &&
                 store_put(keys->store, CACHE_MASTER_NAME, store_key, buffer_bytes(&text), status);
    buffer_free(&text);
    return saved;
}

static bool read_machine(const struct json_value *machine, struct fingerprint_demand *demand) {
    size_t count = json_value_count(machine);
    if (count > FINGERPRINT_COMPONENTS_MAX) return false;
    for (size_t i = 0; i < count; i++) {
        const char *digest = json_value_text(json_value_item(machine, i));
        if (!digest || !fingerprint_digest_is_fit(digest)) return false;
        memcpy(demand->digests[i], digest, SHA256_TEXT_BYTES);
    }
    demand->count = count;
    demand->match = (count + 1) / 2;
    return true;
}

static bool read_record(const struct json_value *root, struct slave_key *key) {
    const char *digest = json_member_text(root, "sha256");
    const struct json_value *scopes = json_value_member(root, "scopes");
    for (size_t i = 0; i < json_value_count(scopes); i++)
        key->scopes |= slave_key_scope_find(json_value_text(json_value_item(scopes, i)));
    return digest &&
           base64url_decode_exact(bytes_of_text(digest), key->digest.sha256, SHA256_BYTES) &&
           json_member_integer(root, "created_at_ms", &key->created_at_ms) &&
           read_machine(json_value_member(root, "machine"), &key->machine);
}

static struct slave_key *new_key(const struct slave_keys *keys, const char *name) {
    struct slave_key *key = memory_new(sizeof *key);
    snprintf(key->name, sizeof key->name, "%s", name);
    rate_limit_init(&key->limit, keys->per_second, ACCESS_BURST_SECONDS * keys->per_second,
                    clock_monotonic_ms());
    return key;
}

static bool load(void *context, const char *store_key, struct bytes value) {
    struct slave_keys *keys = context;
    struct status status = STATUS_INIT;
    struct json_document *document = json_document_parse(value, RECORD_BYTES_MAX, &status);
    struct slave_key *key = new_key(keys, store_key + sizeof KEY_PREFIX - 1);
    if (document && keys->count < SLAVE_KEYS_MAX &&
        read_record(json_document_root(document), key)) {
        keys->keys[keys->count++] = key;
    } else {
        log_event(LOG_WARNING, CACHE_MASTER_NAME, "a slave's key cannot be read and does not work",
                  "name", key->name, NULL);
        free(key);
    }
    json_document_free(document);
    return true;
}

struct slave_keys *slave_keys_open(struct store *store, int64_t per_second, struct status *status) {
    struct slave_keys *keys = memory_new(sizeof *keys);
    keys->store = store;
    keys->per_second = per_second;
    if (store_each(store, CACHE_MASTER_NAME, KEY_PREFIX, load, keys, NULL, status)) return keys;
    slave_keys_close(keys);
    return NULL;
}

void slave_keys_close(struct slave_keys *keys) {
    if (!keys) return;
    for (size_t i = 0; i < keys->count; i++)
        free(keys->keys[i]);
    free(keys);
}

/* ---- using ---- */

struct slave_key *slave_keys_find(struct slave_keys *keys, struct bytes presented) {
    const struct secret_digest digest = secret_digest_of(presented);
    struct slave_key *found = NULL;
    for (size_t i = 0; i < keys->count; i++)
        if (secret_digests_match(&keys->keys[i]->digest, &digest)) found = keys->keys[i];
    return found;
}

static bool audit(struct slave_keys *keys, const char *actor, const char *action, const char *name,
                  struct status *status) {
    char detail[SLAVE_KEY_NAME_BYTES + 16]; /* the name is made of letters that need no escape */
    snprintf(detail, sizeof detail, "{\"key\":\"%s\"}", name);
    return audit_append(keys->store, clock_wall_ms(), actor, action, detail, status);
}

/* Reads the digests of a header into a machine, and into what a key demands of one. */
static bool read_header(struct bytes text, struct fingerprint *machine,
                        struct fingerprint_demand *demand) {
    memset(machine, 0, sizeof *machine);
    memset(demand, 0, sizeof *demand);
    while (text.length >= SHA256_TEXT_BYTES - 1 && demand->count < FINGERPRINT_COMPONENTS_MAX) {
        char *digest = demand->digests[demand->count++];
        memcpy(digest, text.data, SHA256_TEXT_BYTES - 1);
        digest[SHA256_TEXT_BYTES - 1] = '\0';
        if (!fingerprint_digest_is_fit(digest)) return false;
        memcpy(machine->components[machine->count++].digest, digest, SHA256_TEXT_BYTES);
        size_t step = SHA256_TEXT_BYTES - 1 + (text.length >= SHA256_TEXT_BYTES);
        text = bytes_of(text.data + step, text.length - step);
    }
    demand->match = (demand->count + 1) / 2;
    return demand->count > 0 && text.length == 0;
}

static void bind_machine(struct slave_keys *keys, struct slave_key *key,
                         const struct fingerprint_demand *machine) {
    struct status status = STATUS_INIT;
    key->machine = *machine;
    if (!save(keys, key, &status) || !audit(keys, key->name, "slave_key_bound", key->name, &status))
        log_event(LOG_ERROR, CACHE_MASTER_NAME, "the machine of a slave's key cannot be saved",
                  "name", key->name, "why", status.text, NULL);
}

/* The first one at once, then all those of a minute as one. */
static void tell_refusal(struct slave_keys *keys, struct slave_key *key) {
    struct status status = STATUS_INIT;
    char detail[SLAVE_KEY_NAME_BYTES + 48];
    int64_t now_ms = clock_monotonic_ms();
    key->refusals++;
    if (key->refusals_told_ms != 0 && now_ms - key->refusals_told_ms < REFUSALS_TOLD_INTERVAL_MS)
        return;
    snprintf(detail, sizeof detail, "{\"key\":\"%s\",\"requests\":%lld}", key->name,
             (long long)key->refusals);
    key->refusals = 0;
    key->refusals_told_ms = now_ms;
    log_event(LOG_WARNING, CACHE_MASTER_NAME, "a slave's key was used from another machine", "name",
              key->name, NULL);
    if (!audit_append(keys->store, clock_wall_ms(), key->name, "slave_key_refused", detail,
                      &status))
        log_event(LOG_ERROR, CACHE_MASTER_NAME, "this cannot be written to the audit log", "why",
                  status.text, NULL);
}

enum slave_key_machine slave_keys_check_machine(struct slave_keys *keys, struct slave_key *key,
                                                struct bytes fingerprint) {
    struct fingerprint machine;
    struct fingerprint_demand demand;
    if (!read_header(fingerprint, &machine, &demand)) return SLAVE_KEY_MACHINE_UNKNOWN;
    if (key->machine.count == 0) bind_machine(keys, key, &demand);
    if (fingerprint_matches(&key->machine, &machine)) return SLAVE_KEY_MACHINE_FITS;
    tell_refusal(keys, key);
    return SLAVE_KEY_MACHINE_DIFFERS;
}

/* ---- making and removing ---- */

/* Ends a transaction: all of it is on the disk, or nothing. */
static bool end_transaction(struct slave_keys *keys, bool good, struct status *status) {
    if (good && store_commit(keys->store, status)) return true;
    store_rollback(keys->store);
    return false;
}

static bool name_is_fit(const char *name) {
    static const char letters[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.";
    size_t length = strlen(name);
    return length > 0 && length < SLAVE_KEY_NAME_BYTES && strspn(name, letters) == length;
}

static size_t index_of(const struct slave_keys *keys, const char *name) {
    size_t i = 0;
    while (i < keys->count && strcmp(keys->keys[i]->name, name) != 0)
        i++;
    return i;
}

struct slave_key *slave_keys_named(struct slave_keys *keys, const char *name) {
    size_t index = index_of(keys, name);
    return index < keys->count ? keys->keys[index] : NULL;
}

bool slave_keys_add(struct slave_keys *keys, const char *name, unsigned scopes, const char *actor,
                    struct buffer *secret, struct status *status) {
    uint8_t random[KEY_RANDOM_BYTES];
    if (!name_is_fit(name))
        return status_fail(status, STATUS_USAGE,
                           "a key's name is 1 to %d letters, digits, '-', '_' and '.'",
                           SLAVE_KEY_NAME_BYTES - 1);
    if (index_of(keys, name) < keys->count)
        return status_fail(status, STATUS_BUSY, "there is a key named %s already", name);
    if (keys->count == SLAVE_KEYS_MAX)
        return status_fail(status, STATUS_TOO_LARGE, "there are %d keys already", SLAVE_KEYS_MAX);
    random_bytes(random, sizeof random);
    base64url_append(secret, bytes_of(random, sizeof random));
    memory_wipe(random, sizeof random);
    struct slave_key *key = new_key(keys, name);
    key->digest = secret_digest_of(buffer_bytes(secret));
    key->scopes = scopes;
    key->created_at_ms = clock_wall_ms();
    if (!store_begin(keys->store, status) ||
        !end_transaction(
            keys, save(keys, key, status) && audit(keys, actor, "slave_key_add", name, status),
            status)) {
        free(key);
        return false;
    }
    keys->keys[keys->count++] = key;
    return true;
}

bool slave_keys_remove(struct slave_keys *keys, const char *name, const char *actor,
                       struct status *status) {
    char store_key[SLAVE_KEY_NAME_BYTES + sizeof KEY_PREFIX];
    size_t index = index_of(keys, name);
    if (index == keys->count)
        return status_fail(status, STATUS_NOT_FOUND, "there is no key named %.64s", name);
    snprintf(store_key, sizeof store_key, KEY_PREFIX "%s", name);
    if (!store_begin(keys->store, status) ||
        !end_transaction(keys,
                         store_delete(keys->store, CACHE_MASTER_NAME, store_key, status) &&
                             audit(keys, actor, "slave_key_remove", name, status),
                         status))
        return false;
    free(keys->keys[index]);
    keys->keys[index] = keys->keys[--keys->count];
    return true;
}

void slave_keys_write(const struct slave_keys *keys, struct json_writer *json) {
    json_writer_begin_array(json);
    for (size_t i = 0; i < keys->count; i++) {
        const struct slave_key *key = keys->keys[i];
        json_writer_begin_object(json);
        json_writer_member_text(json, "name", key->name);
        slave_key_write_scopes(key->scopes, json);
        json_writer_member_time(json, "created_at", key->created_at_ms);
        json_writer_member_boolean(json, "bound", key->machine.count > 0);
        json_writer_end_object(json);
    }
    json_writer_end_array(json);
}
