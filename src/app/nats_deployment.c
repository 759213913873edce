#include "app/nats_deployment.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/memory.h"

#define OPERATOR_TOKEN "operator.jwt"
#define TOKEN_ENDING   ".jwt"

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

/* Makes a key and keeps its seed in a new file. */
static bool make_key(const char *path, enum nkey_kind kind, char key[NKEY_PUBLIC_TEXT_BYTES],
                     struct status *status) {
    char text[NKEY_SEED_TEXT_BYTES + 1];
    nkey_generate(kind, text, key);
    text[NKEY_SEED_TEXT_BYTES - 1] = '\n';
    bool made = file_create(path, bytes_of(text, NKEY_SEED_TEXT_BYTES), 0600, status);
    memory_wipe(text, sizeof text);
    return made;
}

/* Appends the seed in the file, without its line end, to `out`, which is to be wiped. */
static bool read_seed(const char *path, struct buffer *out, struct status *status) {
    if (!file_read_secret(path, out, status)) return false;
    size_t length = bytes_trim(buffer_bytes(out)).length;
    if (length < out->length && out->data[length] <= ' ') out->length = length;
    return true;
}

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

/* Makes the identity key and the signing key "keys/PLACE.nk" and "keys/PLACE.signing.nk". */
static bool make_key_pair(const char *folder, const char *place, enum nkey_kind kind,
                          char identity[NKEY_PUBLIC_TEXT_BYTES],
                          char signing[NKEY_PUBLIC_TEXT_BYTES], struct status *status) {
    char *identity_path = path_to(folder, "keys", place, ".nk");
    char *signing_path = path_to(folder, "keys", place, ".signing.nk");
    bool made = make_key(identity_path, kind, identity, status) &&
                make_key(signing_path, kind, signing, status);
    free(identity_path);
    free(signing_path);
    return made;
}

bool nats_deployment_make_account_keys(const char *folder, const char *name,
                                       char identity[NKEY_PUBLIC_TEXT_BYTES],
                                       char signing[NKEY_PUBLIC_TEXT_BYTES],
                                       struct status *status) {
    char place[RELATIVE_BYTES];
    snprintf(place, sizeof place, "accounts/%s", name);
    return make_folders(folder, status) &&
           make_key_pair(folder, place, NKEY_ACCOUNT, identity, signing, status);
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

static bool sign_operator(const char *folder, struct nats_operator *operator,
                          struct status * status) {
    struct buffer seed, token;
    char *seed_path = path_to(folder, "keys", "operator", ".nk");
    char *path = file_join(folder, OPERATOR_TOKEN);
    buffer_init(&seed, NKEY_SEED_TEXT_BYTES);
    buffer_init(&token, NATS_JWT_BYTES_MAX);
    bool done = read_seed(seed_path, &seed, status) &&
                nats_operator_sign(operator, buffer_bytes(&seed), &token, status) &&
                write_token(path, buffer_bytes(&token), status);
    buffer_wipe(&seed);
    buffer_free(&token);
    free(seed_path);
    free(path);
    return done;
}

bool nats_deployment_create(const char *folder, const char *name, const char *system_account,
                            int64_t now_s, struct status *status) {
    struct nats_operator fresh = {.jwt.issued_at_s = now_s};
    char signing[NKEY_PUBLIC_TEXT_BYTES];
    snprintf(fresh.jwt.name, sizeof fresh.jwt.name, "%s", name);
    snprintf(fresh.system_account, sizeof fresh.system_account, "%s", system_account);
    bool made = make_folders(folder, status) && make_key_pair(folder, "operator", NKEY_OPERATOR,
                                                              fresh.jwt.subject, signing, status);
    if (made) {
        nats_texts_add(&fresh.signing_keys, signing);
        made = sign_operator(folder, &fresh, status);
    }
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

bool nats_deployment_write_account(const struct nats_deployment *deployment,
                                   struct nats_account *account, struct status *status) {
    struct buffer seed, token;
    char *seed_path = path_to(deployment->folder, "keys", "operator", ".signing.nk");
    char *path = path_to(deployment->folder, "accounts", account->jwt.name, TOKEN_ENDING);
    buffer_init(&seed, NKEY_SEED_TEXT_BYTES);
    buffer_init(&token, NATS_JWT_BYTES_MAX);
    bool done = read_seed(seed_path, &seed, status) &&
                nats_account_sign(account, buffer_bytes(&seed), &token, status) &&
                write_token(path, buffer_bytes(&token), status);
    buffer_wipe(&seed);
    buffer_free(&token);
    free(seed_path);
    free(path);
    return done;
}

bool nats_deployment_sign_deletion(const struct nats_deployment *deployment,
                                   struct nats_deletion *deletion, struct buffer *token,
                                   struct status *status) {
    struct buffer seed;
    char *seed_path = path_to(deployment->folder, "keys", "operator", ".signing.nk");
    buffer_init(&seed, NKEY_SEED_TEXT_BYTES);
    bool done = read_seed(seed_path, &seed, status) &&
                nats_deletion_sign(deletion, buffer_bytes(&seed), token, status);
    buffer_wipe(&seed);
    free(seed_path);
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
    const char *ending = user->issuer_account[0] ? ".signing.nk" : ".nk";
    char *seed_path = path_to(deployment->folder, "keys/accounts", account, ending);
    char *folder = path_to(deployment->folder, "users", account, "");
    char *path = path_to_user(deployment->folder, account, user->jwt.name, TOKEN_ENDING);
    buffer_init(&seed, NKEY_SEED_TEXT_BYTES);
    bool done = read_seed(seed_path, &seed, status) && file_make_folder(folder, 0700, status) &&
                nats_user_sign(user, buffer_bytes(&seed), token, status) &&
                write_token(path, buffer_bytes(token), status);
    buffer_wipe(&seed);
    free(seed_path);
    free(folder);
    free(path);
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
    if (names->count == *capacity) {
        *capacity = *capacity ? *capacity * 2 : 16;
        char **larger = memory_new_array(*capacity, sizeof *larger);
        if (names->count > 0) memcpy(larger, names->items, names->count * sizeof *larger);
        free(names->items);
        names->items = larger;
    }
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

void nats_names_free(struct nats_names *names) {
    for (size_t i = 0; i < names->count; i++)
        free(names->items[i]);
    free(names->items);
    *names = (struct nats_names){0};
}
