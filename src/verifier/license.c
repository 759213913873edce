/* The life of a license and the judgement of one; its claims are read and written in
 * license_read.c and license_write.c. */
#include "verifier/license.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "codec/base64url.h"
#include "codec/rfc3339.h"

#define MS_PER_DAY INT64_C(86400000)

struct license *license_new(void) {
    return memory_new(sizeof(struct license));
}

void license_free(struct license *license) {
    if (!license) return;
    for (size_t i = 0; i < license->features_count; i++)
        free(license->features[i].text);
    free(license->features);
    free(license);
}

static struct license *read_verified(struct jws *jws, struct status *status) {
    const struct json_value *claims = jws_claims(jws, status);
    struct license *license = claims ? license_read_claims(claims, status) : NULL;
    if (!license) return NULL;
    /* A kid that was found in a ring is a thumbprint, so it fits. */
    memcpy(license->kid, jws->kid, strlen(jws->kid) + 1);
    sha256_digest_text(jws->token, license->token_sha256);
    return license;
}

struct license *license_verify(struct bytes token, const struct key_ring *ring,
                               struct jws_memo *memo, struct status *status) {
    struct jws jws;
    struct license *license = NULL;
    if (!jws_parse(token, &jws, status)) return NULL;
    if (jws_verify(&jws, TOKEN_LICENSE, ring, memo, NULL, status))
        license = read_verified(&jws, status);
    jws_free(&jws);
    return license;
}

static bool check_key(const struct license *license, const struct key_ring *ring,
                      struct status *status) {
    if (!ring) return true;
    const struct key_ring_entry *entry = key_ring_find(ring, TOKEN_LICENSE, license->kid);
    if (!entry)
        return status_fail(status, STATUS_UNKNOWN_KEY,
                           "the key %s that signed the license is not in the key ring",
                           license->kid);
    return key_ring_check_window(entry, license->issued_at_ms, status);
}

static bool check_revocation(const struct license *license, const struct revocations *revocations,
                             struct status *status) {
    const struct revocation *entry = revocations_find(revocations, license->license_id);
    if (!entry) return true;
    char when[RFC3339_BYTES];
    rfc3339_format(entry->revoked_at_ms, when);
    return status_fail(status, STATUS_REVOKED, "the license %s was revoked at %s%s%s",
                       license->license_id, when, entry->reason[0] ? ": " : "", entry->reason);
}

static bool check_place(const struct license *license,
                        const struct license_circumstances *circumstances, struct status *status) {
    const char *here = circumstances->deployment_id;
    if (here && license->deployment_id[0] && strcmp(license->deployment_id, here) != 0)
        return status_fail(status, STATUS_WRONG_DEPLOYMENT,
                           "the license is for deployment \"%s\", and this is %s%s%s",
                           license->deployment_id, *here ? "\"" : "none", here, *here ? "\"" : "");
    const struct fingerprint *machine = circumstances->fingerprint;
    if (machine && !fingerprint_matches(&license->fingerprints, machine))
        return status_fail(
            status, STATUS_WRONG_FINGERPRINT,
            "the license is for another machine: %zu of its %zu components are here, "
            "and it asks for %zu",
            fingerprint_count_matches(&license->fingerprints, machine), license->fingerprints.count,
            license->fingerprints.match);
    return true;
}

static bool check_time(const struct license *license, int64_t now_ms, struct status *status) {
    char edge[RFC3339_BYTES], grace_edge[RFC3339_BYTES];
    int64_t grace_ends_at_ms = license_grace_ends_at_ms(license);
    if (now_ms < license->not_before_ms - LICENSE_NOT_BEFORE_LEEWAY_MS) {
        rfc3339_format(license->not_before_ms, edge);
        return status_fail(status, STATUS_NOT_YET_VALID, "the license becomes valid at %s", edge);
    }
    if (now_ms < license->expires_at_ms) return true;
    rfc3339_format(license->expires_at_ms, edge);
    rfc3339_format(grace_ends_at_ms, grace_edge);
    if (now_ms >= grace_ends_at_ms)
        return status_fail(status, STATUS_EXPIRED, "the license expired at %s", edge);
    return status_fail(status, STATUS_GRACE,
                       "the license expired at %s and counts until its grace ends at %s", edge,
                       grace_edge);
}

bool license_check(const struct license *license, const struct license_circumstances *circumstances,
                   struct status *status) {
    return check_key(license, circumstances->ring, status) &&
           check_revocation(license, circumstances->revocations, status) &&
           check_place(license, circumstances, status) &&
           check_time(license, circumstances->now_ms, status);
}

int64_t license_grace_ends_at_ms(const struct license *license) {
    return license->expires_at_ms + license->grace_days * MS_PER_DAY;
}

const struct license_feature *license_find_feature(const struct license *license,
                                                   const char *name) {
    for (size_t i = 0; i < license->features_count; i++)
        if (strcmp(license->features[i].name, name) == 0) return &license->features[i];
    return NULL;
}

bool license_accepts_server(const struct license *license, const char *thumbprint) {
    for (size_t i = 0; i < license->server_jkts_count; i++)
        if (strcmp(license->server_jkts[i], thumbprint) == 0) return true;
    return license->server_jkts_count == 0;
}

/* Each part goes with its NUL, so that no two different sets of parts give the same bytes. */
void license_serial_line(const struct license *license, char out[SHA256_TEXT_BYTES]) {
    const char *const parts[] = {license->issuer, license->product, license->customer,
                                 license->deployment_id};
    struct sha256_stream stream;
    uint8_t digest[SHA256_BYTES];
    sha256_stream_init(&stream);
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
        sha256_stream_add(&stream, bytes_of(parts[i], strlen(parts[i]) + 1));
    sha256_stream_finish(&stream, digest);
    base64url_encode(bytes_of(digest, sizeof digest), out);
}

static const char *const degrade_names[] = {
    [LICENSE_DEGRADE_BLOCK] = "block",
    [LICENSE_DEGRADE_READONLY] = "readonly",
    [LICENSE_DEGRADE_ADVISE] = "advise",
};

const char *license_degrade_name(enum license_degrade degrade) {
    return degrade_names[degrade];
}

bool license_degrade_find(const char *name, enum license_degrade *out) {
    for (size_t i = 0; i < sizeof degrade_names / sizeof degrade_names[0]; i++) {
        if (strcmp(degrade_names[i], name) == 0) {
            *out = (enum license_degrade)i;
            return true;
        }
    }
    return false;
}
