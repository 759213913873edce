/* lsys keyring: the vendor's root says which keys sign now, and until when. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "app/token_file.h"
#include "base/clock.h"
#include "codec/armor.h"
#include "roles/vendor-tools/keyring_report.h"
#include "roles/vendor-tools/signing.h"
#include "roles/vendor-tools/vendor_tools.h"
#include "verifier/keyring_token.h"

static const struct option options[] = {
    {.key = "ring",
     .type = OPTION_PATH,
     .value_name = "FILE",
     .fallback = "keyring.jwt",
     .help = "The signed key ring; the first \"add\" makes it"},
    {.key = "use",
     .type = OPTION_LIST,
     .value_name = "WHAT",
     .fallback = "license,revocations",
     .help = "What the added keys may sign: license, revocations, binding, subscription; may be "
             "repeated"},
    {.key = "not_before",
     .type = OPTION_TIME,
     .help = "From when the new keys count (default: \"add\" always, \"rotate\" now)"},
    {.key = "not_after",
     .type = OPTION_TIME,
     .help = "\"add\": until when the new keys count; \"retire\": until when the old one does "
             "(default: now)"},
    {.key = "overlap",
     .type = OPTION_DURATION,
     .fallback = "30d",
     .minimum = 0,
     .maximum = INT64_C(315360000000),
     .help = "\"rotate\": how long the old keys still count after the new ones begin"},
    {.key = "issuer", .type = OPTION_TEXT, .fallback = "vendor", .help = "Who issues a new ring"},
    {.key = "valid_for",
     .type = OPTION_DURATION,
     .minimum = 60000,
     .maximum = INT64_C(3153600000000),
     .help = "When a newer ring should have come; an older one stays in force, with an alert"},
    {.key = "serial",
     .type = OPTION_INTEGER,
     .minimum = 1,
     .maximum = CLAIM_INTEGER_MAX,
     .help = "The new ring's serial (default: one more than the old one's)"},
    {.key = "root",
     .type = OPTION_PATH,
     .value_name = "FILE",
     .help = "Public root keys that verify the old ring (default: the key that signs the new one)"},
    {.key = "json", .type = OPTION_BOOLEAN, .help = "\"list\": print JSON"},
    {0},
};

/* One change that is being made. */
struct change {
    const struct options *values;
    struct keyring_token *ring;
    int64_t now_ms;
};

static int64_t time_or(const struct options *values, const char *key, int64_t other) {
    return options_is_given(values, key) ? options_time_ms(values, key) : other;
}

static bool read_uses(const struct options *values, uint32_t *uses, struct status *status) {
    *uses = 0;
    for (size_t i = 0; i < options_count(values, "use"); i++) {
        char typ[64];
        enum token_type type;
        snprintf(typ, sizeof typ, "%s+jwt", options_item(values, "use", i));
        if (!token_type_find(typ, &type) || type == TOKEN_KEYRING || type == TOKEN_STATUS ||
            type == TOKEN_REQUEST)
            return status_fail(status, STATUS_USAGE,
                               "--use %.40s: write license, revocations, binding or subscription",
                               options_item(values, "use", i));
        *uses |= TOKEN_USE(type);
    }
    return true;
}

/* Adds the keys of the files that are named after the action. */
static bool add_keys(const struct change *change, int64_t from_ms, int64_t until_ms,
                     struct status *status) {
    uint32_t uses;
    bool added = read_uses(change->values, &uses, status);
    if (options_argument_count(change->values) < 2)
        return status_fail(status, STATUS_USAGE, "name the file of the new public key (JWKS)");
    for (size_t i = 1; added && i < options_argument_count(change->values); i++) {
        struct key_ring *fresh = key_ring_new();
        added = signing_read_keys(options_argument(change->values, i), uses, fresh, status);
        for (size_t k = 0; added && k < fresh->count; k++)
            added = key_ring_add(&change->ring->keys, &fresh->entries[k].key, uses, from_ms,
                                 until_ms, status);
        key_ring_free(fresh);
    }
    return added;
}

static bool add(const struct change *change, struct status *status) {
    return add_keys(change, time_or(change->values, "not_before", KEY_RING_ALWAYS_FROM_MS),
                    time_or(change->values, "not_after", KEY_RING_FOREVER_MS), status);
}

/* The new keys begin, and all old ones that had no end, or a later one, end after the overlap. */
static bool rotate(const struct change *change, struct status *status) {
    int64_t from_ms = time_or(change->values, "not_before", change->now_ms);
    int64_t last_ms = from_ms + options_duration_ms(change->values, "overlap");
    struct key_ring *keys = &change->ring->keys;
    for (size_t i = 0; i < keys->count; i++)
        if (keys->entries[i].not_after_ms > last_ms) keys->entries[i].not_after_ms = last_ms;
    return add_keys(change, from_ms, KEY_RING_FOREVER_MS, status);
}

static struct key_ring_entry *find_entry(struct key_ring *keys, const char *kid) {
    for (size_t i = 0; i < keys->count; i++)
        if (!strcmp(keys->entries[i].key.thumbprint, kid)) return &keys->entries[i];
    return NULL;
}

/* Retires or removes the keys whose ids are named after the action. */
static bool end_keys(const struct change *change, bool remove, struct status *status) {
    struct key_ring *keys = &change->ring->keys;
    int64_t until_ms = time_or(change->values, "not_after", change->now_ms);
    if (options_argument_count(change->values) < 2)
        return status_fail(status, STATUS_USAGE, "name the key by its id (kid)");
    for (size_t i = 1; i < options_argument_count(change->values); i++) {
        const char *kid = options_argument(change->values, i);
        struct key_ring_entry *entry = find_entry(keys, kid);
        if (!entry) return status_fail(status, STATUS_NOT_FOUND, "%.60s is not in the ring", kid);
        entry->not_after_ms = until_ms;
        if (remove) *entry = keys->entries[--keys->count];
    }
    return true;
}

static bool retire(const struct change *change, struct status *status) {
    return end_keys(change, false, status);
}

static bool remove_keys(const struct change *change, struct status *status) {
    return end_keys(change, true, status);
}

/* ---- reading and writing the ring ---- */

static struct keyring_token *read_ring(const char *path, const struct key_ring *roots,
                                       struct status *status) {
    struct token_file file;
    if (!token_file_read(path, ARMOR_KEYRING, &file, status)) return NULL;
    struct keyring_token *ring = keyring_token_verify(token_file_token(&file), roots, NULL, status);
    if (!ring) status_context(status, "%s", path);
    token_file_free(&file);
    return ring;
}

static bool read_roots(const struct options *values, const struct signer *signer,
                       struct key_ring *roots, struct status *status) {
    const char *path = options_text(values, "root");
    if (path) return signing_read_keys(path, TOKEN_USE(TOKEN_KEYRING), roots, status);
    if (!signer)
        return status_fail(status, STATUS_USAGE, "--root is missing: the public root keys");
    return key_ring_add(roots, &signer->public_key, TOKEN_USE(TOKEN_KEYRING),
                        KEY_RING_ALWAYS_FROM_MS, KEY_RING_FOREVER_MS, status);
}

/* The old ring, or an empty one when there is no file. */
static struct keyring_token *open_ring(const struct options *values, const struct signer *signer,
                                       struct status *status) {
    const char *path = options_text(values, "ring");
    struct keyring_token *ring = NULL;
    if (access(path, F_OK) != 0 && errno == ENOENT) {
        const char *issuer = options_text(values, "issuer");
        if (!claims_text_is_fit(issuer, CLAIM_TEXT_BYTES_MAX)) {
            status_fail(status, STATUS_USAGE, "--issuer: empty, too long, or not plain text");
            return NULL;
        }
        ring = keyring_token_new();
        snprintf(ring->issuer, sizeof ring->issuer, "%s", issuer);
        return ring;
    }
    struct key_ring *roots = key_ring_new();
    if (read_roots(values, signer, roots, status)) ring = read_ring(path, roots, status);
    key_ring_free(roots);
    return ring;
}

/* Gives the new ring its serial and times. */
static bool stamp(const struct change *change, struct status *status) {
    struct keyring_token *ring = change->ring;
    int64_t valid_for_ms = options_duration_ms(change->values, "valid_for");
    int64_t serial = options_is_given(change->values, "serial")
                         ? options_integer(change->values, "serial")
                         : ring->serial + 1;
    if (serial <= ring->serial)
        return status_fail(status, STATUS_USAGE,
                           "--serial %" PRId64 " is not higher than the old ring's %" PRId64
                           "; nobody would take it",
                           serial, ring->serial);
    ring->serial = serial;
    ring->issued_at_ms = change->now_ms;
    ring->expires_at_ms = valid_for_ms > 0 ? change->now_ms + valid_for_ms : INT64_MAX;
    return true;
}

static bool write_ring(const char *path, const struct keyring_token *ring,
                       const struct signer *root, struct status *status) {
    struct buffer token;
    buffer_init(&token, JWS_TOKEN_BYTES_MAX);
    bool written = keyring_token_sign(ring, root, &token, status) &&
                   token_file_write(path, ARMOR_KEYRING, buffer_bytes(&token), status);
    buffer_free(&token);
    return written;
}

/* ---- the command ---- */

static bool list(const struct options *values, struct status *status) {
    bool shown = false;
    struct keyring_token *ring = NULL;
    struct key_ring *roots = key_ring_new();
    if (read_roots(values, NULL, roots, status) &&
        (ring = read_ring(options_text(values, "ring"), roots, status))) {
        shown = true;
        if (options_boolean(values, "json"))
            shown = keyring_report_print_json(ring, status);
        else
            keyring_report_print(ring);
    }
    keyring_token_free(ring);
    key_ring_free(roots);
    return shown;
}

struct action {
    const char *name;
    bool (*apply)(const struct change *change, struct status *status);
};

static const struct action actions[] = {
    {"add", add},
    {"rotate", rotate},
    {"retire", retire},
    {"remove", remove_keys},
};

static bool change_ring(const struct options *values, const struct action *action,
                        struct status *status) {
    struct signing signing;
    struct change change = {.values = values, .now_ms = clock_wall_ms() / 1000 * 1000};
    const char *path = options_text(values, "ring");
    bool changed = signing_open(values, &signing, status) &&
                   (change.ring = open_ring(values, &signing.signer, status)) &&
                   action->apply(&change, status) && stamp(&change, status) &&
                   write_ring(path, change.ring, &signing.signer, status);
    if (changed)
        printf("%s: %zu key%s, serial %" PRId64 "\n", path, change.ring->keys.count,
               change.ring->keys.count == 1 ? "" : "s", change.ring->serial);
    keyring_token_free(change.ring);
    signing_close(&signing);
    return changed;
}

static int run(const struct command_call *call) {
    struct status status = STATUS_INIT;
    const char *name = options_argument(call->options, 0);
    const struct action *action = NULL;
    for (size_t i = 0; i < sizeof actions / sizeof actions[0]; i++)
        if (!strcmp(actions[i].name, name)) action = &actions[i];
    bool done = action ? change_ring(call->options, action, &status) : list(call->options, &status);
    return done ? command_finished(call->command, 0) : command_failed(call->command, &status);
}

const struct command keyring_command = {
    .name = "keyring",
    .summary = "say which keys sign now, and rotate them, by the vendor's root key",
    .group = COMMAND_VENDOR_TOOLS,
    .arguments = "add|rotate|retire|remove|list [JWKS...|KID...]",
    .arguments_minimum = 1,
    .arguments_maximum = 1 + KEY_RING_KEYS_MAX,
    .actions = "add|rotate|retire|remove|list",
    .description =
        "A key ring is a signed token (typ keyring+jwt). What a key signs counts when it was\n"
        "issued in the key's window, so licenses of a retired key live on to their own end. A\n"
        "stolen key is removed: then nothing that it ever signed counts. --key is the root's\n"
        "private key here.",
    .examples = "  lsys keyring add vendor.jwks --key root.key.jwk --ring keyring.jwt\n"
                "  lsys keyring rotate vendor-2027.jwks --overlap 30d --key root.key.jwk\n"
                "  lsys keyring list --root root.jwks\n",
    .exit_codes = "  14   the old ring's signature does not hold (15: its root is not known)\n",
    .options = options,
    .shared = (const struct option *const[]){signing_options, NULL},
    .run = run,
};
