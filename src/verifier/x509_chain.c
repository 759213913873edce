/* Whether a chain leads to a trusted CA: x509_chain_verify. */
#include <bearssl.h>
#include <stdio.h>

#include "codec/rfc3339.h"
#include "verifier/x509_alt_name.h"
#include "verifier/x509_trust.h"
#include "verifier/x509_trust_state.h"

#define MS_PER_SECOND   INT64_C(1000)
#define SECONDS_PER_DAY INT64_C(86400)

/* BearSSL counts days from the year 0. */
#define DAYS_TO_1970 719528

/* Room for the list of names in an error text. */
#define NAMES_TEXT_BYTES 200

/* One way from the leaf to an anchor: the first `length` certificates of the chain. */
struct path {
    const struct x509_certificate *certificates;
    size_t length;
    const struct x509_trust *trust;
    size_t anchor;
};

/* "2026-01-31T12:00:00Z" */
static void format_second(int64_t unix_ms, char out[RFC3339_BYTES]) {
    char text[RFC3339_BYTES];
    rfc3339_format(unix_ms, text);
    snprintf(out, RFC3339_BYTES, "%.19sZ", text);
}

static int64_t floor_second(int64_t unix_ms) {
    return unix_ms / MS_PER_SECOND - (unix_ms % MS_PER_SECOND < 0 ? 1 : 0);
}

bool x509_check_period(const struct x509_certificate *certificate, int64_t now_ms,
                       struct status *status) {
    char time[RFC3339_BYTES];
    char subject[X509_NAME_TEXT_BYTES];
    int64_t now_s = floor_second(now_ms);
    x509_name_format(certificate->subject, subject);
    if (now_s > floor_second(certificate->not_after_ms)) {
        format_second(certificate->not_after_ms, time);
        return status_fail(status, STATUS_EXPIRED, "certificate expired on %s (%s)", time, subject);
    }
    if (now_s < floor_second(certificate->not_before_ms)) {
        format_second(certificate->not_before_ms, time);
        return status_fail(status, STATUS_NOT_YET_VALID,
                           "certificate is not valid before %s (%s): is the clock right?", time,
                           subject);
    }
    return true;
}

/* Puts "certificate CN=...: " before the text. */
static bool name_certificate(const struct x509_certificate *certificate, struct status *status) {
    char subject[X509_NAME_TEXT_BYTES];
    x509_name_format(certificate->subject, subject);
    return status_context(status, "certificate %s", subject);
}

static bool check_critical(const struct x509_certificate *certificate, struct status *status) {
    char oid[DER_OID_TEXT_BYTES];
    if (certificate->has_name_constraints)
        return status_fail(status, STATUS_UNKNOWN_CRITICAL,
                           "it constrains names, which is not supported");
    if (certificate->purposes_critical)
        return status_fail(status, STATUS_UNKNOWN_CRITICAL,
                           "its extendedKeyUsage is marked critical, which is not supported: "
                           "issue it without that mark");
    if (certificate->unknown_critical.length == 0) return true;
    der_format_oid(certificate->unknown_critical, oid);
    return status_fail(status, STATUS_UNKNOWN_CRITICAL,
                       "it has a critical extension that is not supported (%s)", oid);
}

static const char *purpose_name(uint32_t purpose) {
    return purpose == X509_PURPOSE_SERVER ? "a server (serverAuth)" : "a client (clientAuth)";
}

/* What holds for each certificate of a path, whatever its place. */
static bool check_any(const struct x509_certificate *certificate, uint32_t purpose,
                      struct status *status) {
    if (!x509_certificate_allows(certificate, purpose))
        return status_fail(status, STATUS_WRONG_TYPE, "it is not meant for %s (extendedKeyUsage)",
                           purpose_name(purpose));
    return check_critical(certificate, status) &&
           x509_public_key_check(&certificate->key, status) &&
           x509_signature_check_algorithm(&certificate->signature, status);
}

/* What holds for an intermediate, with `below` intermediates between it and the leaf. */
static bool check_issuer(const struct x509_certificate *issuer, size_t below,
                         struct status *status) {
    if (!issuer->is_ca)
        return status_fail(status, STATUS_WRONG_TYPE,
                           "it has issued another certificate but is not a CA's");
    if (issuer->has_key_usage && !(issuer->key_usage & X509_USAGE_KEY_CERT_SIGN))
        return status_fail(status, STATUS_WRONG_TYPE,
                           "it has issued another certificate but its key may not sign any "
                           "(keyUsage keyCertSign)");
    return issuer->path_length == X509_PATH_LENGTH_ANY || below <= issuer->path_length ||
           status_fail(status, STATUS_WRONG_TYPE,
                       "it allows %u CAs below itself, and there are %zu (pathLenConstraint)",
                       (unsigned)issuer->path_length, below);
}

static bool check_places(const struct path *path, const struct x509_policy *policy, int64_t now_ms,
                         struct status *status) {
    for (size_t i = 0; i < path->length; i++) {
        const struct x509_certificate *certificate = &path->certificates[i];
        bool good = check_any(certificate, policy->purpose, status) &&
                    (i == 0 || check_issuer(certificate, i - 1, status));
        if (!good) return name_certificate(certificate, status);
        if (!x509_check_period(certificate, now_ms, status)) return false;
    }
    const struct x509_certificate *anchor = &path->trust->anchors[path->anchor];
    if (anchor->path_length != X509_PATH_LENGTH_ANY && path->length - 1 > anchor->path_length) {
        status_fail(status, STATUS_WRONG_TYPE,
                    "it allows %u CAs below itself, and there are %zu (pathLenConstraint)",
                    (unsigned)anchor->path_length, path->length - 1);
        return name_certificate(anchor, status);
    }
    return x509_check_period(anchor, now_ms, status) ||
           status_context(status, "the trusted CA's own");
}

/* BearSSL takes ECDSA values that are not quite DER. */
static uint32_t verify_ecdsa(const br_ec_impl *curves, const void *hash, size_t hash_bytes,
                             const br_ec_public_key *key, const void *value, size_t value_bytes) {
    if (!x509_is_ecdsa_value(bytes_of(value, value_bytes))) return 0;
    return br_ecdsa_i31_vrfy_asn1(curves, hash, hash_bytes, key, value, value_bytes);
}

/* Lets BearSSL judge the path: names, signatures, validity, constraints. Returns 0 or its error. */
static unsigned run_engine(const struct path *path, int64_t now_ms) {
    br_x509_minimal_context context;
    const br_x509_class **engine = &context.vtable;
    int64_t now_s = floor_second(now_ms);
    int64_t days = now_s / SECONDS_PER_DAY - (now_s % SECONDS_PER_DAY < 0 ? 1 : 0);
    br_x509_minimal_init(&context, &br_sha256_vtable, &path->trust->views[path->anchor], 1);
    br_x509_minimal_set_rsa(&context, br_rsa_pkcs1_vrfy_get_default());
    br_x509_minimal_set_ecdsa(&context, &br_ec_all_m31, verify_ecdsa);
    br_x509_minimal_set_hash(&context, br_sha256_ID, &br_sha256_vtable);
    br_x509_minimal_set_hash(&context, br_sha384_ID, &br_sha384_vtable);
    br_x509_minimal_set_hash(&context, br_sha512_ID, &br_sha512_vtable);
    br_x509_minimal_set_minrsa(&context, X509_RSA_BITS_MIN / 8);
    br_x509_minimal_set_time(&context, (uint32_t)(days + DAYS_TO_1970),
                             (uint32_t)(now_s - days * SECONDS_PER_DAY));
    (*engine)->start_chain(engine, NULL);
    for (size_t i = 0; i < path->length; i++) {
        struct bytes der = path->certificates[i].der;
        (*engine)->start_cert(engine, (uint32_t)der.length);
        (*engine)->append(engine, der.data, der.length);
        (*engine)->end_cert(engine);
    }
    return (*engine)->end_chain(engine);
}

/* Whether the certificate at `index` of the path is signed by the next one, or by the anchor. */
static bool check_signature(const struct path *path, size_t index, struct status *status) {
    const struct x509_certificate *certificate = &path->certificates[index];
    const struct x509_certificate *issuer = index + 1 < path->length
                                                ? &path->certificates[index + 1]
                                                : &path->trust->anchors[path->anchor];
    char name[X509_NAME_TEXT_BYTES];
    if (x509_signature_verify(&certificate->signature, certificate->tbs, &issuer->key, NULL))
        return true;
    x509_name_format(issuer->subject, name);
    status_fail(status, STATUS_BAD_SIGNATURE,
                "it names %s as its issuer but is not signed by that key (another CA of the same "
                "name, or it was altered)",
                name);
    return name_certificate(certificate, status);
}

/* Finds the signature that BearSSL did not believe. */
static bool explain_signature(const struct path *path, struct status *status) {
    for (size_t i = 0; i < path->length; i++)
        if (!check_signature(path, i, status)) return false;
    return status_fail(status, STATUS_BAD_SIGNATURE, "a signature in the chain does not verify");
}

static bool judge_path(const struct path *path, const struct x509_policy *policy, int64_t now_ms,
                       struct status *status) {
    if (!check_places(path, policy, now_ms, status)) return false;
    /* The anchor's signature first: who made up a long chain with good signatures among themselves
     * shall not have us check all of them once for each of its beginnings. */
    if (path->length > 1 && !check_signature(path, path->length - 1, status)) return false;
    unsigned error = run_engine(path, now_ms);
    if (error == 0) return true;
    if (error == BR_ERR_X509_BAD_SIGNATURE || error == BR_ERR_X509_NOT_TRUSTED ||
        error == BR_ERR_X509_WRONG_KEY_TYPE)
        return explain_signature(path, status);
    if (error == BR_ERR_X509_DN_MISMATCH)
        return status_fail(status, STATUS_MALFORMED,
                           "the certificates of the chain are not in order: each must be issued "
                           "by the next");
    return status_fail(status, STATUS_MALFORMED, "the chain is refused (BearSSL's error %u)",
                       error);
}

/* The chain ends at nobody whom we know: says at whom. */
static bool explain_unknown(const struct x509_policy *policy,
                            const struct x509_certificate *certificates, size_t count,
                            struct status *status) {
    char issuer[X509_NAME_TEXT_BYTES], subject[X509_NAME_TEXT_BYTES];
    size_t last = 0;
    while (last + 1 < count &&
           bytes_equal(certificates[last].issuer, certificates[last + 1].subject))
        last++;
    x509_name_format(certificates[last].issuer, issuer);
    x509_name_format(certificates[0].subject, subject);
    return status_fail(status, STATUS_UNKNOWN_ISSUER,
                       "unknown issuer %s of certificate %s: not among the %zu CA%s trusted here%s",
                       issuer, subject, policy->trust->count, policy->trust->count == 1 ? "" : "s",
                       x509_certificate_is_self_issued(&certificates[last])
                           ? " (the certificate is signed by itself)"
                           : "");
}

/* A path is valid while all of it is: what everybody in it has in common. */
static struct x509_verdict verdict_of(const struct path *path) {
    const struct x509_certificate *anchor = &path->trust->anchors[path->anchor];
    struct x509_verdict verdict = {.leaf = path->certificates[0],
                                   .not_before_ms = anchor->not_before_ms,
                                   .not_after_ms = anchor->not_after_ms};
    for (size_t i = 0; i < path->length; i++) {
        const struct x509_certificate *certificate = &path->certificates[i];
        if (certificate->not_before_ms > verdict.not_before_ms)
            verdict.not_before_ms = certificate->not_before_ms;
        if (certificate->not_after_ms < verdict.not_after_ms)
            verdict.not_after_ms = certificate->not_after_ms;
    }
    return verdict;
}

/* Tries each way to an anchor of the right name; there is hardly ever more than one. The first
 * failure is what the caller hears. */
static bool find_path(const struct x509_policy *policy, const struct x509_certificate *certificates,
                      size_t count, int64_t now_ms, struct x509_verdict *verdict,
                      struct status *status) {
    struct status first = STATUS_INIT;
    for (size_t length = 1; length <= count; length++) {
        for (size_t i = 0; i < policy->trust->count; i++) {
            struct path path = {certificates, length, policy->trust, i};
            struct status attempt = STATUS_INIT;
            if (!bytes_equal(policy->trust->anchors[i].subject, certificates[length - 1].issuer))
                continue;
            if (judge_path(&path, policy, now_ms, &attempt)) {
                *verdict = verdict_of(&path);
                return true;
            }
            if (status_is_ok(&first)) first = attempt;
        }
    }
    if (!status_is_ok(&first)) return status_fail(status, first.code, "%s", first.text);
    return explain_unknown(policy, certificates, count, status);
}

static bool check_name(const struct x509_certificate *leaf, const char *host,
                       struct status *status) {
    char names[NAMES_TEXT_BYTES], wanted[X509_ALT_NAME_TEXT_BYTES];
    if (x509_alt_names_match(leaf->alt_names, host)) return true;
    x509_escape(bytes_of_text(host), wanted, sizeof wanted);
    x509_alt_names_format(leaf->alt_names, names, sizeof names);
    return status_fail(status, STATUS_WRONG_NAME, "name %.100s not in %s%s", wanted, names,
                       leaf->alt_names.length ? ""
                                              : " (the certificate has no subjectAltName; the "
                                                "common name does not count)");
}

static bool check_pin(const struct x509_certificate *leaf, const struct x509_policy *policy,
                      struct status *status) {
    uint8_t pin[SHA256_BYTES];
    x509_public_key_pin(&leaf->key, pin);
    for (size_t i = 0; i < policy->pin_count; i++)
        if (bytes_equal(bytes_of(pin, sizeof pin), bytes_of(policy->pins[i], sizeof pin)))
            return true;
    status_fail(status, STATUS_UNKNOWN_KEY, "its public key is not the pinned one");
    return name_certificate(leaf, status);
}

/* What holds for the leaf alone. */
static bool check_leaf(const struct x509_certificate *leaf, const struct x509_policy *policy,
                       struct status *status) {
    if (leaf->has_key_usage && !(leaf->key_usage & X509_USAGE_DIGITAL_SIGNATURE)) {
        status_fail(status, STATUS_WRONG_TYPE,
                    "its key may not sign a handshake (keyUsage digitalSignature)");
        return name_certificate(leaf, status);
    }
    return (!policy->host || check_name(leaf, policy->host, status)) &&
           (policy->pin_count == 0 || check_pin(leaf, policy, status));
}

bool x509_chain_verify(const struct x509_policy *policy, const struct bytes *chain, size_t count,
                       int64_t now_ms, struct x509_verdict *verdict, struct status *status) {
    struct x509_certificate certificates[X509_CHAIN_MAX];
    struct x509_verdict found = {.not_after_ms = 0};
    if (count == 0) return status_fail(status, STATUS_UNKNOWN_ISSUER, "there is no certificate");
    if (count > X509_CHAIN_MAX)
        return status_fail(status, STATUS_TOO_LARGE, "the chain has %zu certificates, more than %d",
                           count, X509_CHAIN_MAX);
    for (size_t i = 0; i < count; i++)
        if (!x509_certificate_parse(chain[i], &certificates[i], status))
            return status_context(status, "certificate %zu of the chain", i + 1);
    if (!find_path(policy, certificates, count, now_ms, &found, status) ||
        !check_leaf(&certificates[0], policy, status))
        return false;
    if (verdict) *verdict = found;
    return true;
}
