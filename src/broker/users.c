#include "broker/users.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "codec/base64.h"
#include "codec/base64url.h"

struct broker_users {
    struct broker_user *users;
    size_t count;
    size_t capacity;
};

struct broker_users *broker_users_new(void) {
    return memory_new(sizeof(struct broker_users));
}

static void free_permissions(struct permissions *permissions) {
    if (permissions == NULL) return;
    permissions_free(permissions);
    free(permissions);
}

void broker_users_free(struct broker_users *users) {
    if (users == NULL) return;
    for (size_t i = 0; i < users->count; i++) {
        free(users->users[i].name);
        free_permissions(users->users[i].permissions);
    }
    free(users->users);
    free(users);
}

static const struct broker_user *find_name(const struct broker_users *users,
                                           enum broker_user_kind kind, const char *name) {
    for (size_t i = 0; i < users->count; i++) {
        const struct broker_user *user = &users->users[i];
        if (user->kind == kind && user->name != NULL && strcmp(user->name, name) == 0) return user;
    }
    return NULL;
}

/* Takes over the permissions; `name` is copied. */
static void add(struct broker_users *users, struct broker_user user, const char *name) {
    users->users =
        memory_grow_array(users->users, users->count, &users->capacity, sizeof *users->users);
    user.name = memory_copy_text(name);
    users->users[users->count++] = user;
}

static bool name_is_free(const struct broker_users *users, enum broker_user_kind kind,
                         const char *name, struct status *status) {
    if (name == NULL || name[0] == '\0')
        return status_fail(status, STATUS_CONFIG, "a user of the broker has no name");
    if (find_name(users, kind, name) != NULL)
        return status_fail(status, STATUS_CONFIG, "the user \"%s\" of the broker is there twice",
                           name);
    return true;
}

bool broker_users_add_digest(struct broker_users *users, const char *name,
                             const struct secret_digest *digest, struct permissions *permissions,
                             struct status *status) {
    if (!name_is_free(users, BROKER_USER_PASSWORD, name, status)) {
        free_permissions(permissions);
        return false;
    }
    struct broker_user user = {
        .kind = BROKER_USER_PASSWORD, .secret = *digest, .permissions = permissions};
    add(users, user, name);
    return true;
}

bool broker_users_add_password(struct broker_users *users, const char *name, struct bytes password,
                               struct permissions *permissions, struct status *status) {
    if (password.length == 0) {
        free_permissions(permissions);
        return status_fail(status, STATUS_CONFIG, "the password of the user \"%s\" is empty",
                           name != NULL ? name : "");
    }
    struct secret_digest digest = secret_digest_of(password);
    return broker_users_add_digest(users, name, &digest, permissions, status);
}

bool broker_users_add_token(struct broker_users *users, struct bytes token,
                            struct permissions *permissions, struct status *status) {
    if (token.length == 0) {
        free_permissions(permissions);
        return status_fail(status, STATUS_CONFIG, "the broker's token is empty");
    }
    struct broker_user user = {
        .kind = BROKER_USER_TOKEN, .secret = secret_digest_of(token), .permissions = permissions};
    add(users, user, NULL);
    return true;
}

bool broker_users_add_nkey(struct broker_users *users, const char *public_key,
                           struct permissions *permissions, struct status *status) {
    enum nkey_kind kind;
    uint8_t key[NKEY_KEY_BYTES];
    bool good = name_is_free(users, BROKER_USER_NKEY, public_key, status) &&
                nkey_decode_public(bytes_of_text(public_key), &kind, key, status);
    if (good && kind != NKEY_USER)
        good =
            status_fail(status, STATUS_CONFIG,
                        "\"%s\" is not the public NKey of a user, which begins with U", public_key);
    if (!good) {
        free_permissions(permissions);
        return false;
    }
    struct broker_user user = {.kind = BROKER_USER_NKEY, .permissions = permissions};
    add(users, user, public_key);
    return true;
}

size_t broker_users_count(const struct broker_users *users) {
    return users != NULL ? users->count : 0;
}

bool broker_users_need_nonce(const struct broker_users *users) {
    for (size_t i = 0; i < broker_users_count(users); i++)
        if (users->users[i].kind == BROKER_USER_NKEY) return true;
    return false;
}

/* ---- proving ---- */

/* nats.c sends base64url, nats.js base64 with padding; nats-server takes both. */
bool broker_signature_read(struct bytes text, uint8_t out[SIGNATURE_BYTES]) {
    if (base64url_decode_exact(text, out, SIGNATURE_BYTES)) return true;
    struct buffer decoded;
    buffer_init(&decoded, SIGNATURE_BYTES);
    bool good = base64_decode(text, &decoded) && decoded.length == SIGNATURE_BYTES;
    if (good) memcpy(out, decoded.data, SIGNATURE_BYTES);
    buffer_free(&decoded);
    return good;
}

static const struct broker_user *by_nkey(const struct broker_users *users,
                                         const struct broker_credentials *credentials,
                                         const char *nonce) {
    const struct broker_user *user = find_name(users, BROKER_USER_NKEY, credentials->nkey);
    /* Without a nonce, a signature that was once seen would do for ever. */
    if (user == NULL || credentials->signature == NULL || nonce[0] == '\0') return NULL;
    uint8_t signature[SIGNATURE_BYTES];
    if (!broker_signature_read(bytes_of_text(credentials->signature), signature)) return NULL;
    bool good = nkey_verify(bytes_of_text(user->name), bytes_of_text(nonce), signature);
    return good ? user : NULL;
}

static const struct broker_user *by_password(const struct broker_users *users,
                                             const struct broker_credentials *credentials) {
    static const struct secret_digest nobody = {{0}};
    const struct broker_user *user = find_name(users, BROKER_USER_PASSWORD, credentials->user);
    const char *password = credentials->password != NULL ? credentials->password : "";
    bool good = secret_matches(user != NULL ? &user->secret : &nobody, bytes_of_text(password));
    return good ? user : NULL;
}

/* All tokens are compared, so that the time does not tell which one was near. */
static const struct broker_user *by_token(const struct broker_users *users, const char *token) {
    const struct broker_user *found = NULL;
    for (size_t i = 0; i < users->count; i++) {
        const struct broker_user *user = &users->users[i];
        if (user->kind == BROKER_USER_TOKEN && secret_matches(&user->secret, bytes_of_text(token)))
            found = user;
    }
    return found;
}

const struct broker_user *broker_users_authenticate(const struct broker_users *users,
                                                    const struct broker_credentials *credentials,
                                                    const char *nonce) {
    if (credentials->nkey != NULL && credentials->nkey[0] != '\0')
        return by_nkey(users, credentials, nonce);
    if (credentials->user != NULL && credentials->user[0] != '\0')
        return by_password(users, credentials);
    if (credentials->token != NULL && credentials->token[0] != '\0')
        return by_token(users, credentials->token);
    return NULL;
}

const struct broker_user *broker_users_find_same(const struct broker_users *users,
                                                 const struct broker_user *old) {
    for (size_t i = 0; i < broker_users_count(users); i++) {
        const struct broker_user *user = &users->users[i];
        if (user->kind != old->kind || (user->name == NULL) != (old->name == NULL)) continue;
        if (user->name != NULL && strcmp(user->name, old->name) != 0) continue;
        if (user->kind == BROKER_USER_NKEY ||
            memcmp(&user->secret, &old->secret, sizeof user->secret) == 0)
            return user;
    }
    return NULL;
}
