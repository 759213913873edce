#include "app/authority.h"

#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/log.h"
#include "base/memory.h"

/* ---- the configured keys ---- */

static bool add_file(struct key_ring *ring, const char *path, uint32_t uses,
                     struct status *status) {
    struct buffer text;
    if (!path) return true;
    buffer_init(&text, KEY_RING_JWKS_BYTES_MAX);
    bool added = file_read(path, &text, status) &&
                 (key_ring_add_jwks(ring, buffer_bytes(&text), uses, status) ||
                  status_context(status, "%s", path));
    buffer_free(&text);
    return added;
}

static struct key_ring *read_keys(const char *keys_path, const char *root_path,
                                  struct status *status) {
    struct key_ring *ring = key_ring_new();
    if (add_file(ring, keys_path, TOKEN_USES_VENDOR, status) &&
        add_file(ring, root_path, TOKEN_USE(TOKEN_KEYRING), status))
        return ring;
    key_ring_free(ring);
    return NULL;
}

/* Makes the ring in force anew: the configured keys, then what the key ring says. */
static void rebuild_ring(struct authority *authority) {
    struct status status = STATUS_INIT;
    *authority->ring = *authority->configured;
    if (authority->keyring && !keyring_token_apply(authority->keyring, authority->ring, &status))
        log_event(LOG_ERROR, ledger_role(authority->ledger),
                  "the key ring does not fit beside the configured keys", "why", status.text, NULL);
}

/* ---- what an earlier run kept ---- */

static void say_left_out(const struct authority *authority, const char *what,
                         const struct status *why) {
    log_event(LOG_WARNING, ledger_role(authority->ledger),
              "a saved document is left out: the configured keys do not verify it", "what", what,
              "why", why->text, NULL);
}

/* A key ring lives by the configured roots: new roots that do not verify it end it. */
static void restore_keyring(struct authority *authority) {
    struct status status = STATUS_INIT;
    struct bytes token = ledger_document_token(authority->ledger, LEDGER_KEYRING);
    keyring_token_free(authority->keyring);
    authority->keyring = NULL;
    if (token.length > 0) {
        authority->keyring =
            keyring_token_verify(token, authority->configured, authority->memo, &status);
        if (!authority->keyring) say_left_out(authority, "key ring", &status);
    }
    rebuild_ring(authority);
}

/* A list in force stays when its key goes: dropping it would bring revoked licenses back. */
static void restore_revocations(struct authority *authority) {
    struct status status = STATUS_INIT;
    struct bytes token = ledger_document_token(authority->ledger, LEDGER_REVOCATIONS);
    if (token.length == 0 || authority->revocations) return;
    authority->revocations = revocations_verify(token, authority->ring, authority->memo, &status);
    if (!authority->revocations) say_left_out(authority, "revocation list", &status);
}

struct authority *authority_open(struct ledger *ledger) {
    struct authority *authority = memory_new(sizeof *authority);
    authority->configured = key_ring_new();
    authority->ring = key_ring_new();
    authority->memo = jws_memo_new(AUTHORITY_MEMO_CAPACITY);
    authority->ledger = ledger;
    return authority;
}

void authority_close(struct authority *authority) {
    if (!authority) return;
    keyring_token_free(authority->keyring);
    revocations_free(authority->revocations);
    jws_memo_free(authority->memo);
    key_ring_free(authority->ring);
    key_ring_free(authority->configured);
    free(authority);
}

bool authority_load(struct authority *authority, const char *keys_path, const char *root_path,
                    struct status *status) {
    struct key_ring *configured = read_keys(keys_path, root_path, status);
    if (!configured) return false;
    key_ring_free(authority->configured);
    authority->configured = configured;
    restore_keyring(authority);
    restore_revocations(authority);
    return true;
}

void authority_follow_merge(struct authority *authority) {
    struct bytes token = ledger_document_token(authority->ledger, LEDGER_REVOCATIONS);
    restore_keyring(authority);
    if (token.length == 0) return;
    struct revocations *list = revocations_verify(token, authority->ring, authority->memo, NULL);
    if (!list) return;
    revocations_free(authority->revocations);
    authority->revocations = list;
}

/* ---- lists that somebody passes on ---- */

bool authority_has_keyring(const struct authority *authority, struct bytes token) {
    return authority->keyring && bytes_equal(authority_keyring_token(authority), token);
}

bool authority_has_revocations(const struct authority *authority, struct bytes token) {
    return authority->revocations && bytes_equal(authority_revocations_token(authority), token);
}

struct bytes authority_keyring_token(const struct authority *authority) {
    return authority->keyring ? ledger_document_token(authority->ledger, LEDGER_KEYRING)
                              : bytes_of(NULL, 0);
}

struct bytes authority_revocations_token(const struct authority *authority) {
    return authority->revocations ? ledger_document_token(authority->ledger, LEDGER_REVOCATIONS)
                                  : bytes_of(NULL, 0);
}

/* False when a verified list is not newer than the one kept. The very one that is kept passes, so
 * that a list that an earlier run had, and this one left out, can be put in force again. */
static bool is_newer(const struct authority *authority, enum ledger_document document,
                     const char *what, int64_t serial, struct bytes token, struct status *status) {
    char digest[SHA256_TEXT_BYTES];
    const struct serial_mark *mark = ledger_document_mark(authority->ledger, document);
    sha256_digest_text(token, digest);
    enum serial_verdict verdict = serial_guard_check(mark, serial, digest);
    if (verdict == SERIAL_TAKE || verdict == SERIAL_SAME) return true;
    return status_fail(status, STATUS_OLD_SERIAL,
                       "%s with serial %lld does not replace the one with serial %lld", what,
                       (long long)serial, (long long)mark->serial);
}

enum adoption authority_adopt_keyring(struct authority *authority, struct bytes token,
                                      struct status *status) {
    if (authority_has_keyring(authority, token)) return ADOPTION_SAME;
    struct keyring_token *keyring =
        keyring_token_verify(token, authority->configured, authority->memo, status);
    if (!keyring) return ADOPTION_REFUSED;
    if (!is_newer(authority, LEDGER_KEYRING, "a key ring", keyring->serial, token, status)) {
        keyring_token_free(keyring);
        return ADOPTION_REFUSED;
    }
    ledger_keep_document(authority->ledger, LEDGER_KEYRING, keyring->serial, token);
    keyring_token_free(authority->keyring);
    authority->keyring = keyring;
    rebuild_ring(authority);
    restore_revocations(authority);
    return ADOPTION_TAKEN;
}

enum adoption authority_adopt_revocations(struct authority *authority, struct bytes token,
                                          struct status *status) {
    if (authority_has_revocations(authority, token)) return ADOPTION_SAME;
    struct revocations *list = revocations_verify(token, authority->ring, authority->memo, status);
    if (!list) return ADOPTION_REFUSED;
    if (!is_newer(authority, LEDGER_REVOCATIONS, "a revocation list", list->serial, token,
                  status)) {
        revocations_free(list);
        return ADOPTION_REFUSED;
    }
    ledger_keep_document(authority->ledger, LEDGER_REVOCATIONS, list->serial, token);
    revocations_free(authority->revocations);
    authority->revocations = list;
    return ADOPTION_TAKEN;
}

/* ---- licenses ---- */

struct license *authority_verify_license(struct authority *authority, struct bytes token,
                                         struct status *status) {
    return license_verify(token, authority->ring, authority->memo, status);
}

struct license_facts authority_license_facts(const struct authority *authority,
                                             const struct license *license,
                                             const struct license_circumstances *place,
                                             struct status *status) {
    struct status checked; /* no need to zero its text for a license that is fine */
    status_clear(&checked);
    if (license) {
        struct license_circumstances circumstances = *place;
        circumstances.ring = authority->ring;
        circumstances.revocations = authority->revocations;
        if (!license_check(license, &circumstances, &checked))
            status_fail(status, checked.code, "%s", checked.text);
    }
    return license_status_facts(license, checked.code);
}
