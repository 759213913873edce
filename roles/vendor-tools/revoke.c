/* lsys revoke: keeps the vendor's signed list of revoked licenses. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "app/token_file.h"
#include "base/clock.h"
#include "codec/armor.h"
#include "codec/json_writer.h"
#include "codec/rfc3339.h"
#include "roles/vendor-tools/signing.h"
#include "roles/vendor-tools/vendor_tools.h"
#include "verifier/revocations.h"

/* The list as JSON: every entry has an id, a reason and a time. */
#define JSON_BYTES (4 * JWS_TOKEN_BYTES_MAX)

static const struct option options[] = {
    {.key = "list",
     .type = OPTION_PATH,
     .value_name = "FILE",
     .fallback = "revocations.jwt",
     .help = "The signed list; the first \"add\" makes it"},
    {.key = "reason", .type = OPTION_TEXT, .help = "Why, for the people who will read it"},
    {.key = "issuer", .type = OPTION_TEXT, .fallback = "vendor", .help = "Who issues a new list"},
    {.key = "valid_for",
     .type = OPTION_DURATION,
     .minimum = 60000,
     .maximum = INT64_C(315360000000),
     .help = "When a newer list should have come; an older one stays in force, with an alert"},
    {.key = "serial",
     .type = OPTION_INTEGER,
     .minimum = 1,
     .maximum = CLAIM_INTEGER_MAX,
     .help = "The new list's serial (default: one more than the old one's)"},
    {.key = "keys",
     .type = OPTION_PATH,
     .value_name = "FILE",
     .help = "Public keys that verify the old list (default: the key that signs the new one)"},
    {.key = "json", .type = OPTION_BOOLEAN, .help = "\"list\": print JSON"},
    {0},
};

/* Reads the list with the keys in `ring`. */
static struct revocations *read_list(const char *path, const struct key_ring *ring,
                                     struct status *status) {
    struct token_file file;
    if (!token_file_read(path, ARMOR_REVOCATIONS, &file, status)) return NULL;
    struct revocations *list = revocations_verify(token_file_token(&file), ring, NULL, status);
    if (!list) status_context(status, "%s", path);
    token_file_free(&file);
    return list;
}

/* Fills the ring with what verifies the old list. */
static bool read_ring(const struct options *values, const struct signer *signer,
                      struct key_ring *ring, struct status *status) {
    const char *path = options_text(values, "keys");
    if (path) return signing_read_keys(path, TOKEN_USES_VENDOR, ring, status);
    if (!signer)
        return status_fail(status, STATUS_USAGE, "--keys is missing: the vendor's public keys");
    return key_ring_add(ring, &signer->public_key, TOKEN_USES_VENDOR, KEY_RING_ALWAYS_FROM_MS,
                        KEY_RING_FOREVER_MS, status);
}

/* The old list, or an empty one when there is no file. */
static struct revocations *open_list(const struct options *values, const struct signer *signer,
                                     struct status *status) {
    const char *path = options_text(values, "list");
    struct revocations *list = NULL;
    if (access(path, F_OK) != 0 && errno == ENOENT) {
        const char *issuer = options_text(values, "issuer");
        if (!claims_text_is_fit(issuer, CLAIM_TEXT_BYTES_MAX)) {
            status_fail(status, STATUS_USAGE, "--issuer: empty, too long, or not plain text");
            return NULL;
        }
        list = revocations_new();
        snprintf(list->issuer, sizeof list->issuer, "%s", issuer);
        return list;
    }
    struct key_ring *ring = key_ring_new();
    if (read_ring(values, signer, ring, status)) list = read_list(path, ring, status);
    key_ring_free(ring);
    return list;
}

static bool change_entries(const struct options *values, struct revocations *list, bool add,
                           int64_t now_ms, struct status *status) {
    const char *reason = options_text(values, "reason");
    for (size_t i = 1; i < options_argument_count(values); i++) {
        const char *license_id = options_argument(values, i);
        if (add && !revocations_add(list, license_id, reason ? reason : "", now_ms, status))
            return status_context(status, "%.80s", license_id);
        if (!add && !revocations_remove(list, license_id))
            return status_fail(status, STATUS_NOT_FOUND, "%.80s is not on the list", license_id);
    }
    return true;
}

/* Gives the new list its serial and times. */
static bool stamp(const struct options *values, struct revocations *list, int64_t now_ms,
                  struct status *status) {
    int64_t valid_for_ms = options_duration_ms(values, "valid_for");
    int64_t serial =
        options_is_given(values, "serial") ? options_integer(values, "serial") : list->serial + 1;
    if (serial <= list->serial)
        return status_fail(status, STATUS_USAGE,
                           "--serial %" PRId64 " is not higher than the old list's %" PRId64
                           "; nobody would take it",
                           serial, list->serial);
    list->serial = serial;
    list->issued_at_ms = now_ms;
    list->expires_at_ms = valid_for_ms > 0 ? now_ms + valid_for_ms : INT64_MAX;
    return true;
}

static bool write_list(const char *path, const struct revocations *list,
                       const struct signer *signer, struct status *status) {
    struct buffer token;
    buffer_init(&token, JWS_TOKEN_BYTES_MAX);
    bool written = revocations_sign(list, signer, &token, status) &&
                   token_file_write(path, ARMOR_REVOCATIONS, buffer_bytes(&token), status);
    buffer_free(&token);
    return written;
}

static bool change(const struct options *values, bool add, struct status *status) {
    struct signing signing;
    struct revocations *list = NULL;
    int64_t now_ms = clock_wall_ms() / 1000 * 1000;
    const char *path = options_text(values, "list");
    if (options_argument_count(values) < 2)
        return status_fail(status, STATUS_USAGE, "name the license (its id, claim jti)");
    bool changed = signing_open(values, &signing, status) &&
                   (list = open_list(values, &signing.signer, status)) &&
                   change_entries(values, list, add, now_ms, status) &&
                   stamp(values, list, now_ms, status) &&
                   write_list(path, list, &signing.signer, status);
    if (changed) printf("%s: %zu revoked, serial %" PRId64 "\n", path, list->count, list->serial);
    revocations_free(list);
    signing_close(&signing);
    return changed;
}

static void print_list(const struct revocations *list) {
    char time[RFC3339_BYTES];
    rfc3339_format(list->issued_at_ms, time);
    printf("serial %" PRId64 ", issued %s by %s%s\n", list->serial, time, list->issuer,
           revocations_is_old(list, clock_wall_ms()) ? "; a newer list should have come" : "");
    for (size_t i = 0; i < list->count; i++) {
        rfc3339_format(list->entries[i].revoked_at_ms, time);
        printf("  %s  %s  %s\n", list->entries[i].license_id, time, list->entries[i].reason);
    }
}

static bool print_list_json(const struct revocations *list, struct status *status) {
    struct buffer text;
    struct json_writer json;
    buffer_init(&text, JSON_BYTES);
    json_writer_init(&json, &text);
    json_writer_begin_object(&json);
    json_writer_member_integer(&json, "serial", list->serial);
    json_writer_member_text(&json, "issuer", list->issuer);
    json_writer_member_time(&json, "issued_at", list->issued_at_ms);
    json_writer_name(&json, "revoked");
    json_writer_begin_array(&json);
    for (size_t i = 0; i < list->count; i++) {
        json_writer_begin_object(&json);
        json_writer_member_text(&json, "license_id", list->entries[i].license_id);
        json_writer_member_time(&json, "revoked_at", list->entries[i].revoked_at_ms);
        json_writer_member_text(&json, "reason", list->entries[i].reason);
        json_writer_end_object(&json);
    }
    json_writer_end_array(&json);
    json_writer_end_object(&json);
    bool written = json_writer_finish(&json, "the list", status);
    if (written) puts(buffer_text(&text));
    buffer_free(&text);
    return written;
}

static bool show(const struct options *values, struct status *status) {
    bool shown = false;
    struct revocations *list = NULL;
    struct key_ring *ring = key_ring_new();
    if (read_ring(values, NULL, ring, status) &&
        (list = read_list(options_text(values, "list"), ring, status))) {
        shown = true;
        if (options_boolean(values, "json"))
            shown = print_list_json(list, status);
        else
            print_list(list);
    }
    revocations_free(list);
    key_ring_free(ring);
    return shown;
}

static int run(const struct command_call *call) {
    struct status status = STATUS_INIT;
    const char *action = options_argument(call->options, 0);
    bool done = strcmp(action, "list") ? change(call->options, !strcmp(action, "add"), &status)
                                       : show(call->options, &status);
    return done ? command_finished(call->command, 0) : command_failed(call->command, &status);
}

const struct command revoke_command = {
    .name = "revoke",
    .summary = "revoke licenses: keep the signed list that servers read",
    .group = COMMAND_VENDOR_TOOLS,
    .arguments = "add|remove|list [LICENSE_ID...]",
    .arguments_minimum = 1,
    .arguments_maximum = REVOCATIONS_ENTRIES_MAX,
    .actions = "add|remove|list",
    .description =
        "The list is a signed token (typ revocations+jwt) whose serial grows with each\n"
        "change; servers never go back to an older one. Give it to license servers with\n"
        "--revocations.",
    .examples = "  lsys revoke add 6f1c... --key keys/vendor.key.jwk --reason \"refunded\"\n"
                "  lsys revoke list --keys keys/vendor.jwks\n",
    .exit_codes = "  14   the old list's signature does not hold (15: its key is not known)\n",
    .options = options,
    .shared = (const struct option *const[]){signing_options, NULL},
    .run = run,
};
