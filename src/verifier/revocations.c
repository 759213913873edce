#include "verifier/revocations.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "codec/json_writer.h"

struct revocations *revocations_new(void) {
    struct revocations *revocations = memory_new(sizeof *revocations);
    revocations->expires_at_ms = INT64_MAX;
    return revocations;
}

static void free_entry(struct revocation *entry) {
    free(entry->license_id);
    free(entry->reason);
}

void revocations_free(struct revocations *revocations) {
    if (!revocations) return;
    for (size_t i = 0; i < revocations->count; i++)
        free_entry(&revocations->entries[i]);
    free(revocations->entries);
    free(revocations);
}

static int compare_entries(const void *left, const void *right) {
    const struct revocation *a = left;
    const struct revocation *b = right;
    return strcmp(a->license_id, b->license_id);
}

static bool read_entry(const struct json_value *value, struct revocation *out,
                       struct status *status) {
    char license_id[CLAIM_TEXT_BYTES_MAX + 1], reason[CLAIM_TEXT_BYTES_MAX + 1];
    if (!claims_text(value, "jti", true, license_id, sizeof license_id, status) ||
        !claims_text(value, "reason", false, reason, sizeof reason, status) ||
        !claims_time(value, "revoked_at", true, &out->revoked_at_ms, status))
        return false;
    out->license_id = memory_copy_text(license_id);
    out->reason = memory_copy_text(reason);
    return true;
}

static bool read_entries(const struct json_value *claims, struct revocations *revocations,
                         struct status *status) {
    const struct json_value *array = json_value_member(claims, "revoked");
    size_t count = json_value_count(array);
    if (json_value_type(array) != JSON_TYPE_ARRAY || count > REVOCATIONS_ENTRIES_MAX)
        return status_fail(status, STATUS_BAD_CLAIM,
                           "the claim \"revoked\" is not an array of at most %d entries",
                           REVOCATIONS_ENTRIES_MAX);
    revocations->entries = memory_new_array(count, sizeof *revocations->entries);
    for (size_t i = 0; i < count; i++) {
        if (!read_entry(json_value_item(array, i), &revocations->entries[i], status))
            return status_context(status, "entry %zu of \"revoked\"", i + 1);
        revocations->count++;
    }
    qsort(revocations->entries, count, sizeof *revocations->entries, compare_entries);
    return true;
}

static struct revocations *read_claims(const struct json_value *claims, struct status *status) {
    struct revocations *revocations = revocations_new();
    if (claims_text(claims, "iss", true, revocations->issuer, sizeof revocations->issuer, status) &&
        claims_time(claims, "iat", true, &revocations->issued_at_ms, status) &&
        claims_time(claims, "exp", false, &revocations->expires_at_ms, status) &&
        claims_integer(claims, "serial", 0, CLAIM_INTEGER_MAX, &revocations->serial, status) &&
        read_entries(claims, revocations, status))
        return revocations;
    revocations_free(revocations);
    return NULL;
}

static struct revocations *verify_parsed(struct jws *jws, const struct key_ring *ring,
                                         struct jws_memo *memo, struct status *status) {
    const struct key_ring_entry *entry = NULL;
    if (!jws_verify(jws, TOKEN_REVOCATIONS, ring, memo, &entry, status)) return NULL;
    const struct json_value *claims = jws_claims(jws, status);
    struct revocations *revocations = claims ? read_claims(claims, status) : NULL;
    if (!revocations) return NULL;
    if (key_ring_check_window(entry, revocations->issued_at_ms, status)) return revocations;
    revocations_free(revocations);
    return NULL;
}

struct revocations *revocations_verify(struct bytes token, const struct key_ring *ring,
                                       struct jws_memo *memo, struct status *status) {
    struct jws jws;
    if (!jws_parse(token, &jws, status)) return NULL;
    struct revocations *revocations = verify_parsed(&jws, ring, memo, status);
    jws_free(&jws);
    return revocations;
}

/* For bsearch: its key is the text of a license id. */
static int compare_with_id(const void *license_id, const void *entry) {
    return strcmp(license_id, ((const struct revocation *)entry)->license_id);
}

static struct revocation *find(const struct revocations *revocations, const char *license_id) {
    if (revocations->count == 0) return NULL;
    return bsearch(license_id, revocations->entries, revocations->count,
                   sizeof *revocations->entries, compare_with_id);
}

const struct revocation *revocations_find(const struct revocations *revocations,
                                          const char *license_id) {
    return revocations ? find(revocations, license_id) : NULL;
}

bool revocations_is_old(const struct revocations *revocations, int64_t now_ms) {
    return now_ms >= revocations->expires_at_ms;
}

bool revocations_add(struct revocations *revocations, const char *license_id, const char *reason,
                     int64_t revoked_at_ms, struct status *status) {
    if (!claims_text_is_fit(license_id, CLAIM_TEXT_BYTES_MAX) ||
        (reason[0] && !claims_text_is_fit(reason, CLAIM_TEXT_BYTES_MAX)))
        return status_fail(
            status, STATUS_USAGE,
            "a license id and a reason have at most %d bytes and no control characters",
            CLAIM_TEXT_BYTES_MAX);
    struct revocation *known = find(revocations, license_id);
    if (known) {
        free(known->reason);
        known->reason = memory_copy_text(reason);
        return true;
    }
    if (revocations->count == REVOCATIONS_ENTRIES_MAX)
        return status_fail(status, STATUS_TOO_LARGE, "a revocation list has at most %d entries",
                           REVOCATIONS_ENTRIES_MAX);
    struct revocation *larger = memory_new_array(revocations->count + 1, sizeof *larger);
    if (revocations->count)
        memcpy(larger, revocations->entries, revocations->count * sizeof *larger);
    larger[revocations->count] = (struct revocation){.license_id = memory_copy_text(license_id),
                                                     .reason = memory_copy_text(reason),
                                                     .revoked_at_ms = revoked_at_ms};
    free(revocations->entries);
    revocations->entries = larger;
    revocations->count++;
    qsort(larger, revocations->count, sizeof *larger, compare_entries);
    return true;
}

bool revocations_remove(struct revocations *revocations, const char *license_id) {
    struct revocation *entry = find(revocations, license_id);
    if (!entry) return false;
    size_t index = (size_t)(entry - revocations->entries);
    free_entry(entry);
    revocations->count--;
    memmove(entry, entry + 1, (revocations->count - index) * sizeof *entry);
    return true;
}

static void write_claims(const struct revocations *revocations, struct json_writer *json) {
    json_writer_begin_object(json);
    json_writer_member_text(json, "iss", revocations->issuer);
    claims_write_time(json, "iat", revocations->issued_at_ms);
    if (revocations->expires_at_ms != INT64_MAX)
        claims_write_time(json, "exp", revocations->expires_at_ms);
    json_writer_member_integer(json, "serial", revocations->serial);
    json_writer_name(json, "revoked");
    json_writer_begin_array(json);
    for (size_t i = 0; i < revocations->count; i++) {
        const struct revocation *entry = &revocations->entries[i];
        json_writer_begin_object(json);
        json_writer_member_text(json, "jti", entry->license_id);
        claims_write_time(json, "revoked_at", entry->revoked_at_ms);
        if (entry->reason[0]) json_writer_member_text(json, "reason", entry->reason);
        json_writer_end_object(json);
    }
    json_writer_end_array(json);
    json_writer_end_object(json);
}

bool revocations_sign(const struct revocations *revocations, const struct signer *signer,
                      struct buffer *token, struct status *status) {
    struct buffer claims;
    struct json_writer json;
    if (!claims_text_is_fit(revocations->issuer, CLAIM_TEXT_BYTES_MAX))
        return status_fail(status, STATUS_USAGE, "the issuer of the revocation list is missing");
    buffer_init(&claims, JWS_TOKEN_BYTES_MAX);
    json_writer_init(&json, &claims);
    write_claims(revocations, &json);
    bool done = json_writer_finish(&json, "the revocation list", status) &&
                jws_sign(TOKEN_REVOCATIONS, signer, buffer_bytes(&claims), token, status);
    buffer_free(&claims);
    return done;
}
