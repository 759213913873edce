/*
 * The claims of a NATS token, each kind: signed with the key that they name, so that the fuzzer
 * gets past the signature. What was read is written and read again; only then the same rights must
 * come out. Also the bytes as they are, as a whole token.
 */
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "codec/base64url.h"
#include "verifier/nats_jwt.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Seed 00 01 ... 1f; the corpus names these keys as its issuers. */
static void make_seed(enum nkey_kind kind, char out[NKEY_SEED_TEXT_BYTES]) {
    uint8_t seed[NKEY_KEY_BYTES];
    for (size_t i = 0; i < sizeof seed; i++)
        seed[i] = (uint8_t)i;
    nkey_encode_seed(kind, seed, out);
}

static void make_token(struct bytes claims, const char *seed, struct buffer *out) {
    uint8_t signature[SIGNATURE_BYTES];
    base64url_append(out, bytes_of_text("{\"typ\":\"JWT\",\"alg\":\"ed25519-nkey\"}"));
    buffer_append(out, ".", 1);
    base64url_append(out, claims);
    if (!nkey_sign(bytes_of_text(seed), buffer_bytes(out), signature, NULL)) abort();
    buffer_append(out, ".", 1);
    base64url_append(out, bytes_of(signature, sizeof signature));
}

static void check_user(struct nats_user *user) {
    struct nats_user again;
    struct buffer token;
    char seed[NKEY_SEED_TEXT_BYTES];
    make_seed(NKEY_ACCOUNT, seed);
    buffer_init(&token, NATS_JWT_BYTES_MAX);
    if (nats_user_sign(user, bytes_of_text(seed), &token, NULL)) {
        if (!nats_user_read(buffer_bytes(&token), &again, NULL)) abort();
        if (again.rights.publish_allow.count != user->rights.publish_allow.count ||
            again.rights.subscribe_deny.count != user->rights.subscribe_deny.count ||
            again.rights.payload_bytes != user->rights.payload_bytes ||
            again.rights.allow_responses != user->rights.allow_responses)
            abort();
        nats_user_free(&again);
    }
    buffer_free(&token);
}

static void check_account(struct nats_account *account) {
    struct nats_account again;
    struct buffer token;
    char seed[NKEY_SEED_TEXT_BYTES];
    make_seed(NKEY_OPERATOR, seed);
    buffer_init(&token, NATS_JWT_BYTES_MAX);
    if (nats_account_sign(account, bytes_of_text(seed), &token, NULL)) {
        if (!nats_account_read(buffer_bytes(&token), &again, NULL)) abort();
        if (again.revocations.count != account->revocations.count ||
            again.signing_key_count != account->signing_key_count ||
            again.export_count != account->export_count ||
            again.import_count != account->import_count ||
            again.limits.connections != account->limits.connections)
            abort();
        nats_account_free(&again);
    }
    buffer_free(&token);
}

static void read_all(struct bytes token) {
    struct nats_operator operator;
    struct nats_account account;
    struct nats_user user;
    struct nats_deletion deletion;
    struct nats_activation activation;
    if (nats_activation_read(token, &activation, NULL)) nats_activation_free(&activation);
    if (nats_deletion_read(token, &deletion, NULL)) nats_deletion_free(&deletion);
    if (nats_operator_read(token, &operator, NULL)) nats_operator_free(&operator);
    if (nats_account_read(token, &account, NULL)) {
        check_account(&account);
        nats_account_free(&account);
    }
    if (nats_user_read(token, &user, NULL)) {
        check_user(&user);
        nats_user_free(&user);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct buffer token;
    char seed[NKEY_SEED_TEXT_BYTES];
    read_all(bytes_of(data, size));
    buffer_init(&token, NATS_JWT_BYTES_MAX);
    make_seed(NKEY_OPERATOR, seed);
    make_token(bytes_of(data, size), seed, &token);
    if (!token.failed) read_all(buffer_bytes(&token));
    buffer_free(&token);
    return 0;
}
