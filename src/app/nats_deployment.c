#include "app/nats_deployment.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "app/nats_keys.h"
#include "base/file.h"
#include "base/memory.h"

#define OPERATOR_TOKEN "operator.jwt"
#define TOKEN_ENDING   ".jwt"

/* Where its keys are (nats_keys.h). */
#define OPERATOR_PLACE "operator"

/* Room for a path below the folder, from two checked names. */
#define RELATIVE_BYTES (2 * NATS_DEPLOYMENT_NAME_BYTES_MAX + 64)

/* ---- names and paths ---- */

bool nats_deployment_check_name(const char *what, const char *name, struct status *status) {
    size_t length = strlen(name);
    bool fit = length > 0 && length <= NATS_DEPLOYMENT_NAME_BYTES_MAX && name[0] != '.';
    for (size_t i = 0; fit && i < length; i++) {
        char letter = name[i];
        fit = (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z') ||
              (letter >= '0' && letter <= '9') || strchr("._-", letter) != NULL;
    }
    return fit || status_fail(status, STATUS_USAGE,
                              "the name of %s has 1 to %d letters, digits, '.', '_' or '-', and "
                              "does not begin with '.'",
                              what, NATS_DEPLOYMENT_NAME_BYTES_MAX);
}

/* "folder/first[/second]ending", owned by the caller. */
static char *path_to(const char *folder, const char *first, const char *second,
                     const char *ending) {
    char relative[RELATIVE_BYTES];
    snprintf(relative, sizeof relative, "%s%s%s%s", first, second ? "/" : "", second ? second : "",
             ending);
    return file_join(folder, relative);
}

static char *path_to_user(const char *folder, const char *account, const char *name,
                          const char *ending) {
    char first[RELATIVE_BYTES];
    snprintf(first, sizeof first, "users/%s", account);
    return path_to(folder, first, name, ending);
}

/* ---- keys ---- */

static bool make_folders(const char *folder, struct status *status) {
    static const char *const below[] = {"keys", "keys/accounts", "accounts", "users"};
    bool made = file_make_folder(folder, 0755, status);
    for (size_t i = 0; made && i < sizeof below / sizeof below[0]; i++) {
        char *path = file_join(folder, below[i]);
        made = file_make_folder(path, 0700, status);
        free(path);
    }
    return made;
}

/* "accounts/NAME", where the keys of an account are. */
static void place_of(const char *account, char out[RELATIVE_BYTES]) {
    snprintf(out, RELATIVE_BYTES, "accounts/%s", account);
}

bool nats_deployment_add_account_key(const char *folder, const char *name,
                                     char key[NKEY_PUBLIC_TEXT_BYTES], struct status *status) {
    char place[RELATIVE_BYTES];
    place_of(name, place);
    return nats_keys_add_signing(folder, place, NKEY_ACCOUNT, key, status);
}

void nats_deployment_forget_account_key(const char *folder, const char *name, const char *key) {
    char place[RELATIVE_BYTES];
    place_of(name, place);
    nats_keys_remove_signing(folder, place, key);
}

bool nats_deployment_make_account_keys(const char *folder, const char *name,
                                       char identity[NKEY_PUBLIC_TEXT_BYTES],
                                       char signing[NKEY_PUBLIC_TEXT_BYTES],
                                       struct status *status) {
    char place[RELATIVE_BYTES];
    place_of(name, place);
    return make_folders(folder, status) &&
           nats_keys_make(folder, place, NKEY_ACCOUNT, identity, signing, status);
}

/* ---- the operator ---- */

/* A token as a file: one line. */
static bool write_token(const char *path, struct bytes token, struct status *status) {
    struct buffer line;
    buffer_init(&line, token.length + 1);
    buffer_append(&line, token.data, token.length);
    buffer_append(&line, "\n", 1);
    bool written =
        buffer_check(&line, path, status) && file_replace(path, buffer_bytes(&line), 0644, status);
    buffer_free(&line);
    return written;
}

static bool sign_operator(const char *folder, struct nats_operator *operator, struct buffer * token,
                          struct status *status) {
    struct buffer seed;
    char *path = file_join(folder, OPERATOR_TOKEN);
    buffer_init(&seed, NKEY_SEED_TEXT_BYTES);
    bool done = nats_keys_read(folder, OPERATOR_PLACE, operator->jwt.subject, &seed, status) &&
                nats_operator_sign(operator, buffer_bytes(&seed), token, status) &&
                write_token(path, buffer_bytes(token), status);
    buffer_wipe(&seed);
    free(path);
    return done;
}

bool nats_deployment_write_operator(struct nats_deployment *deployment, struct status *status) {
    buffer_clear(&deployment->operator_token);
    return sign_operator(deployment->folder, &deployment->operator, & deployment->operator_token,
                         status);
}

bool nats_deployment_create(const char *folder, const char *name, const char *system_account,
                            int64_t now_s, struct status *status) {
    struct nats_operator fresh = {.jwt.issued_at_s = now_s};
    char signing[NKEY_PUBLIC_TEXT_BYTES];
    struct buffer token;
    buffer_init(&token, NATS_JWT_BYTES_MAX);
    snprintf(fresh.jwt.name, sizeof fresh.jwt.name, "%s", name);
    snprintf(fresh.system_account, sizeof fresh.system_account, "%s", system_account);
    bool made =
        make_folders(folder, status) &&
        nats_keys_make(folder, OPERATOR_PLACE, NKEY_OPERATOR, fresh.jwt.subject, signing, status);
    if (made) {
        nats_texts_add(&fresh.signing_keys, signing);
        made = sign_operator(folder, &fresh, &token, status);
    }
    buffer_free(&token);
    nats_operator_free(&fresh);
    return made;
}

bool nats_deployment_open(const char *folder, struct nats_deployment *out, struct status *status) {
    char *path = file_join(folder, OPERATOR_TOKEN);
    *out = (struct nats_deployment){0};
    buffer_init(&out->operator_token, NATS_JWT_BYTES_MAX);
    bool opened = file_read(path, &out->operator_token, status);
    if (!opened && status->code == STATUS_NOT_FOUND) {
        status_clear(status);
        status_fail(status, STATUS_NOT_FOUND,
                    "%s is not there: give the folder with --dir, or make one with \"lsys nats "
                    "init --out DIR\"",
                    path);
    }
    struct bytes token = bytes_trim(buffer_bytes(&out->operator_token));
    opened = opened && (nats_operator_read(token, &out->operator, status) ||
                        status_context(status, "%s", path));
    out->folder = memory_copy_text(folder);
    free(path);
    if (!opened) nats_deployment_close(out);
    return opened;
}

void nats_deployment_close(struct nats_deployment *deployment) {
    buffer_free(&deployment->operator_token);
    nats_operator_free(&deployment->operator);
    free(deployment->folder);
    deployment->folder = NULL;
}

/* ---- the operator's signing keys ---- */

static bool sign_account_again(const struct nats_deployment *deployment, const char *name,
                               int64_t now_s, struct status *status) {
    struct nats_account account;
    if (!nats_deployment_read_account(deployment, name, now_s, NULL, &account, status))
        return false;
    nats_account_renew(&account, now_s);
    bool done = nats_deployment_write_account(deployment, &account, status);
    nats_account_free(&account);
    return done;
}

static bool sign_accounts_again(const struct nats_deployment *deployment, int64_t now_s,
                                struct status *status) {
    struct nats_names names;
    bool done = nats_deployment_list(deployment, NULL, &names, status);
    for (size_t i = 0; done && i < names.count; i++)
        done = sign_account_again(deployment, names.items[i], now_s, status);
    nats_names_free(&names);
    return done;
}

bool nats_deployment_add_operator_key(struct nats_deployment *deployment, int64_t now_s,
                                      char key[NKEY_PUBLIC_TEXT_BYTES], struct status *status) {
    struct nats_operator *operator= & deployment->operator;
    if (operator->signing_keys.count == NATS_SIGNING_KEYS_MAX)
        return status_fail(status, STATUS_TOO_LARGE, "an operator has at most %d signing keys",
                           NATS_SIGNING_KEYS_MAX);
    if (!nats_keys_add_signing(deployment->folder, OPERATOR_PLACE, NKEY_OPERATOR, key, status))
        return false;
    nats_texts_add(&operator->signing_keys, key);
    if (operator->jwt.issued_at_s<now_s) operator->jwt.issued_at_s = now_s;
    return nats_deployment_write_operator(deployment, status) &&
           sign_accounts_again(deployment, now_s, status);
}

/* The last key of the list signs, so the one that goes is moved to its front first: until every
 * account is signed with another, it is still trusted. */
bool nats_deployment_remove_operator_key(struct nats_deployment *deployment, const char *key,
                                         int64_t now_s, struct status *status) {
    struct nats_operator *operator= & deployment->operator;
    if (!nats_texts_have(&operator->signing_keys, key))
        return status_fail(status, STATUS_NOT_FOUND, "%.60s is not a signing key of the operator",
                           key);
    if (operator->signing_keys.count == 1)
        return status_fail(status, STATUS_USAGE,
                           "this is the operator's only signing key: add another one first, with "
                           "--add-signing-key");
    nats_texts_remove(&operator->signing_keys, key);
    nats_texts_prepend(&operator->signing_keys, key);
    if (!sign_accounts_again(deployment, now_s, status)) return false;
    nats_texts_remove(&operator->signing_keys, key);
    if (operator->jwt.issued_at_s<now_s) operator->jwt.issued_at_s = now_s;
    if (!nats_deployment_write_operator(deployment, status)) return false;
    nats_keys_remove_signing(deployment->folder, OPERATOR_PLACE, key);
    return true;
}

/* ---- accounts and users ---- */

bool nats_deployment_read_account(const struct nats_deployment *deployment, const char *name,
                                  int64_t now_s, struct buffer *token, struct nats_account *out,
                                  struct status *status) {
    struct buffer text;
    char *path = path_to(deployment->folder, "accounts", name, TOKEN_ENDING);
    buffer_init(&text, NATS_JWT_BYTES_MAX);
    bool read = file_read(path, &text, status);
    if (!read && status->code == STATUS_NOT_FOUND) {
        status_clear(status);
        status_fail(status, STATUS_NOT_FOUND,
                    "there is no account \"%s\": make it with \"lsys nats account add %s\"", name,
                    name);
    }
    struct bytes trimmed = bytes_trim(buffer_bytes(&text));
    read = read && nats_account_read(trimmed, out, status);
    if (read && !nats_account_check(out, &deployment->operator, now_s, status)) {
        nats_account_free(out);
        read = status_context(status, "%s", path);
    }
    if (read && token) buffer_append(token, trimmed.data, trimmed.length);
    buffer_free(&text);
    free(path);
    return read;
}

/* The key that signs for the operator: the newest of its signing keys. */
static bool read_operator_seed(const struct nats_deployment *deployment, struct buffer *seed,
                               struct status *status) {
    const struct nats_texts *keys = &deployment->operator.signing_keys;
    const char *key =
        keys->count > 0 ? keys->items[keys->count - 1] : deployment->operator.jwt.subject;
    return nats_keys_read(deployment->folder, OPERATOR_PLACE, key, seed, status);
}

bool nats_deployment_write_account(const struct nats_deployment *deployment,
                                   struct nats_account *account, struct status *status) {
    struct buffer seed, token;
    char *path = path_to(deployment->folder, "accounts", account->jwt.name, TOKEN_ENDING);
    buffer_init(&seed, NKEY_SEED_TEXT_BYTES);
    buffer_init(&token, NATS_JWT_BYTES_MAX);
    bool done = read_operator_seed(deployment, &seed, status) &&
                nats_account_sign(account, buffer_bytes(&seed), &token, status) &&
                write_token(path, buffer_bytes(&token), status);
    buffer_wipe(&seed);
    buffer_free(&token);
    free(path);
    return done;
}

bool nats_deployment_sign_deletion(const struct nats_deployment *deployment,
                                   struct nats_deletion *deletion, struct buffer *token,
                                   struct status *status) {
    struct buffer seed;
    buffer_init(&seed, NKEY_SEED_TEXT_BYTES);
    bool done = read_operator_seed(deployment, &seed, status) &&
                nats_deletion_sign(deletion, buffer_bytes(&seed), token, status);
    buffer_wipe(&seed);
    return done;
}

bool nats_deployment_read_user(const struct nats_deployment *deployment, const char *account,
                               const char *name, struct nats_user *out, struct status *status) {
    struct buffer text;
    char *path = path_to_user(deployment->folder, account, name, TOKEN_ENDING);
    buffer_init(&text, NATS_JWT_BYTES_MAX);
    bool read = file_read(path, &text, status) &&
                (nats_user_read(bytes_trim(buffer_bytes(&text)), out, status) ||
                 status_context(status, "%s", path));
    if (!read && status->code == STATUS_NOT_FOUND) {
        status_clear(status);
        status_fail(status, STATUS_NOT_FOUND, "the account \"%s\" has no user \"%s\"", account,
                    name);
    }
    buffer_free(&text);
    free(path);
    return read;
}

bool nats_deployment_write_user(const struct nats_deployment *deployment, const char *account,
                                struct nats_user *user, struct buffer *token,
                                struct status *status) {
    struct buffer seed;
    char place[RELATIVE_BYTES];
    char *folder = path_to(deployment->folder, "users", account, "");
    char *path = path_to_user(deployment->folder, account, user->jwt.name, TOKEN_ENDING);
    place_of(account, place);
    buffer_init(&seed, NKEY_SEED_TEXT_BYTES);
    bool done = nats_keys_read(deployment->folder, place, user->jwt.issuer, &seed, status) &&
                file_make_folder(folder, 0700, status) &&
                nats_user_sign(user, buffer_bytes(&seed), token, status) &&
                write_token(path, buffer_bytes(token), status);
    buffer_wipe(&seed);
    free(folder);
    free(path);
    return done;
}

bool nats_deployment_sign_activation(const struct nats_deployment *deployment, const char *account,
                                     struct nats_activation *activation, struct buffer *token,
                                     struct status *status) {
    struct buffer seed;
    char place[RELATIVE_BYTES];
    place_of(account, place);
    buffer_init(&seed, NKEY_SEED_TEXT_BYTES);
    bool done = nats_keys_read(deployment->folder, place, activation->jwt.issuer, &seed, status) &&
                nats_activation_sign(activation, buffer_bytes(&seed), token, status);
    buffer_wipe(&seed);
    return done;
}

void nats_deployment_remove_user(const struct nats_deployment *deployment, const char *account,
                                 const char *name) {
    char *path = path_to_user(deployment->folder, account, name, TOKEN_ENDING);
    unlink(path);
    free(path);
}

/* ---- listing ---- */

static int compare_names(const void *left, const void *right) {
    return strcmp(*(char *const *)left, *(char *const *)right);
}

static void add_name(struct nats_names *names, size_t *capacity, const char *file, size_t length) {
    names->items = memory_grow_array(names->items, names->count, capacity, sizeof *names->items);
    names->items[names->count++] = memory_copy_bytes(file, length);
}

bool nats_deployment_list(const struct nats_deployment *deployment, const char *account,
                          struct nats_names *out, struct status *status) {
    char *path = account ? path_to(deployment->folder, "users", account, "")
                         : file_join(deployment->folder, "accounts");
    DIR *folder = opendir(path);
    size_t capacity = 0;
    bool listed = folder != NULL || errno == ENOENT ||
                  status_fail_errno(status, errno, "cannot list %s", path);
    *out = (struct nats_names){0};
    for (struct dirent *entry; folder && listed && (entry = readdir(folder)) != NULL;) {
        size_t length = strlen(entry->d_name), ending = strlen(TOKEN_ENDING);
        if (length <= ending || strcmp(entry->d_name + length - ending, TOKEN_ENDING) != 0)
            continue;
        if (out->count == NATS_DEPLOYMENT_NAMES_MAX)
            listed = status_fail(status, STATUS_TOO_LARGE, "%s has more than %d files", path,
                                 NATS_DEPLOYMENT_NAMES_MAX);
        else
            add_name(out, &capacity, entry->d_name, length - ending);
    }
    if (folder) closedir(folder);
    free(path);
    if (!listed) nats_names_free(out);
    if (out->count > 0) qsort(out->items, out->count, sizeof *out->items, compare_names);
    return listed;
}

bool nats_deployment_remove_account(const struct nats_deployment *deployment, const char *name,
                                    struct status *status) {
    struct nats_names users;
    if (strcmp(name, NATS_DEPLOYMENT_SYSTEM_ACCOUNT) == 0)
        return status_fail(status, STATUS_USAGE, "servers need the system account");
    char *path = path_to(deployment->folder, "accounts", name, TOKEN_ENDING);
    bool gone = unlink(path) == 0;
    if (!gone && errno == ENOENT)
        status_fail(status, STATUS_NOT_FOUND, "there is no account \"%s\"", name);
    else if (!gone)
        status_fail_errno(status, errno, "cannot delete %s", path);
    free(path);
    if (!gone || !nats_deployment_list(deployment, name, &users, status)) return false;
    for (size_t i = 0; i < users.count; i++)
        nats_deployment_remove_user(deployment, name, users.items[i]);
    nats_names_free(&users);
    return true;
}

void nats_names_free(struct nats_names *names) {
    for (size_t i = 0; i < names->count; i++)
        free(names->items[i]);
    free(names->items);
    *names = (struct nats_names){0};
}
