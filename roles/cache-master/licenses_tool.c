/* lsys licenses: what is on the shelf of a cache master. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/api_keys.h"
#include "app/printable.h"
#include "app/token_file.h"
#include "base/file.h"
#include "codec/json_writer.h"
#include "roles/cache-master/cache_master.h"
#include "roles/cache-master/files.h"
#include "roles/cache-master/place.h"

static const struct option options[] = {
    {.key = "data_dir",
     .type = OPTION_PATH,
     .value_name = "DIR",
     .fallback = "lsys-data",
     .help = "Folder of the master's state; a master that runs on it is asked instead"},
    {.key = "master",
     .type = OPTION_TEXT,
     .value_name = "URL",
     .help = "The master to ask, http://HOST:PORT"},
    {.key = "keys",
     .type = OPTION_PATH,
     .value_name = "JWKS",
     .help = "The vendor's public keys, when no master runs on the folder"},
    {.key = "root",
     .type = OPTION_PATH,
     .value_name = "JWKS",
     .help = "The vendor's root keys, when no master runs on the folder"},
    {.key = "reason",
     .type = OPTION_TEXT,
     .value_name = "TEXT",
     .fallback = "",
     .help = "Why a license is revoked; it is shown to whoever asks for the license"},
    {.key = "scope",
     .type = OPTION_LIST,
     .value_name = "NAME",
     .help = "What a slave's key may do: read, sync, admin; read and sync by default"},
    {0},
};

static const struct option *const shared[] = {api_key_options, NULL};

/* ---- add ---- */

struct tally {
    struct place *place;
    size_t refused;
    struct status first; /* why the first one was refused */
};

static void add_file(void *context, const char *path) {
    struct tally *tally = context;
    struct status status = STATUS_INIT;
    struct place_added added;
    struct token_file file;
    char shown[sizeof added.license_id];
    if (token_file_read(path, NULL, &file, &status)) {
        if (place_add(tally->place, token_file_token(&file), &added, &status)) {
            printable_copy(added.license_id, shown, sizeof shown);
            printf("%-9s  %s  serial %lld\n", added.result, shown, (long long)added.serial);
        }
        token_file_free(&file);
    }
    if (status_is_ok(&status)) return;
    fflush(stdout);
    fprintf(stderr, "lsys licenses: %s: %s\n", path, status.text);
    if (tally->refused++ == 0) tally->first = status;
}

static bool add(struct place *place, const struct options *values, struct status *status) {
    struct tally tally = {.place = place, .first = STATUS_INIT};
    for (size_t i = 1; i < options_argument_count(values); i++)
        license_files_each(options_argument(values, i), add_file, &tally);
    if (tally.refused == 0) return true;
    return status_fail(status, tally.first.code, "%zu not added", tally.refused);
}

/* ---- ls ---- */

static void print_column(const struct json_value *license, const char *name, int width) {
    char shown[CLAIM_TEXT_BYTES_MAX + 1];
    const char *text = json_member_text(license, name);
    printable_copy(text ? text : "-", shown, sizeof shown);
    printf("%-*s  ", width, shown);
}

static bool list_one(void *context, const struct json_value *license, struct status *status) {
    int64_t serial = 0;
    (void)context;
    (void)status;
    json_member_integer(license, "serial", &serial);
    print_column(license, "license_id", 36);
    print_column(license, "status", 8);
    printf("%6lld  ", (long long)serial);
    print_column(license, "edition", 12);
    print_column(license, "deployment_id", 12);
    print_column(license, "expires_at", 24);
    char customer[CLAIM_TEXT_BYTES_MAX + 1];
    const char *text = json_member_text(license, "customer");
    printable_copy(text ? text : "-", customer, sizeof customer);
    printf("%s\n", customer);
    return true;
}

/* ---- export ---- */

/* The name of a license's file: what could be another folder or a hidden file becomes '_'. */
static void name_file(const char *license_id, char out[CLAIM_TEXT_BYTES_MAX + 8]) {
    static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.";
    size_t length = 0;
    for (const char *c = license_id; *c && length < CLAIM_TEXT_BYTES_MAX; c++, length++) {
        bool is_plain = strchr(plain, *c) && (length > 0 || *c != '.');
        if (is_plain)
            out[length] = *c;
        else
            out[length] = '_';
    }
    snprintf(out + length, 8, ".lic");
}

static bool export_one(void *context, const struct json_value *license, struct status *status) {
    const char *const *folder = context;
    const char *license_id = json_member_text(license, "license_id");
    const char *token = json_member_text(license, "token");
    char name[CLAIM_TEXT_BYTES_MAX + 8];
    if (!license_id || !token) return true; /* one that is not good is not exported */
    name_file(license_id, name);
    char *path = file_join(*folder, name);
    bool written = token_file_write(path, "LSYS LICENSE", bytes_of_text(token), status);
    if (written) printf("%s\n", path);
    free(path);
    return written;
}

/* ---- keys of slaves ---- */

static bool add_key(struct place *place, const struct options *values, struct status *status) {
    const char *name = options_argument(values, 2);
    struct buffer body;
    struct json_writer json;
    struct json_document *document = NULL;
    buffer_init(&body, 4096);
    json_writer_init(&json, &body);
    json_writer_begin_object(&json);
    json_writer_member_text(&json, "name", name);
    if (options_count(values, "scope") > 0) {
        json_writer_name(&json, "scopes");
        json_writer_begin_array(&json);
        for (size_t i = 0; i < options_count(values, "scope"); i++)
            json_writer_text(&json, options_item(values, "scope", i));
        json_writer_end_array(&json);
    }
    json_writer_end_object(&json);
    if (json_writer_finish(&json, "the key", status))
        document = place_call(place, "POST", "/api/admin/keys", buffer_bytes(&body), status);
    if (document) printf("%s\n", json_member_text(json_document_root(document), "key"));
    json_document_free(document);
    buffer_free(&body);
    return document != NULL;
}

static bool list_keys(struct place *place, struct status *status) {
    struct json_document *document =
        place_call(place, "GET", "/api/admin/keys", bytes_of(NULL, 0), status);
    if (!document) return false;
    const struct json_value *keys = json_value_member(json_document_root(document), "keys");
    for (size_t i = 0; i < json_value_count(keys); i++) {
        const struct json_value *key = json_value_item(keys, i);
        bool bound = false;
        json_member_boolean(key, "bound", &bound);
        printf("%-24s  %s  %s\n", json_member_text(key, "name"),
               json_member_text(key, "created_at"), bound ? "bound to a machine" : "not used yet");
    }
    json_document_free(document);
    return true;
}

static bool remove_key(struct place *place, const char *name, struct status *status) {
    char path[128];
    if (strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.") !=
            strlen(name) ||
        (size_t)snprintf(path, sizeof path, "/api/admin/keys/%s", name) >= sizeof path)
        return status_fail(status, STATUS_NOT_FOUND, "there is no key of that name");
    struct json_document *document = place_call(place, "DELETE", path, bytes_of(NULL, 0), status);
    json_document_free(document);
    return document != NULL;
}

static bool keys(struct place *place, const struct options *values, struct status *status) {
    size_t count = options_argument_count(values);
    const char *action = count > 1 ? options_argument(values, 1) : "";
    if (strcmp(action, "ls") == 0 && count == 2) return list_keys(place, status);
    if (strcmp(action, "add") == 0 && count == 3) return add_key(place, values, status);
    if (strcmp(action, "rm") == 0 && count == 3)
        return remove_key(place, options_argument(values, 2), status);
    return status_fail(status, STATUS_USAGE,
                       "give \"key ls\", \"key add NAME\" or \"key rm NAME\"");
}

/* ---- the record ---- */

static bool perform(struct place *place, const struct options *values, struct status *status) {
    const char *action = options_argument(values, 0);
    size_t count = options_argument_count(values);
    const char *second = count > 1 ? options_argument(values, 1) : NULL;
    const char *folder = second; /* of an export */
    if (strcmp(action, "key") == 0) return keys(place, values, status);
    if (strcmp(action, "add") == 0 && count >= 2) return add(place, values, status);
    if (strcmp(action, "ls") == 0 && count == 1)
        return place_each(place, false, list_one, NULL, status);
    if (strcmp(action, "rm") == 0 && count == 2) return place_remove(place, second, status);
    if (strcmp(action, "revoke") == 0 && count == 2)
        return place_revoke(place, second, options_text(values, "reason"), status);
    if (strcmp(action, "export") == 0 && count == 2)
        return file_make_folder(second, 0755, status) &&
               place_each(place, true, export_one, &folder, status);
    return status_fail(status, STATUS_USAGE,
                       "give \"add FILE...\", \"ls\", \"rm ID\", \"revoke ID\", \"export DIR\" or "
                       "\"key ls|add NAME|rm NAME\"");
}

static int run(const struct command_call *call) {
    struct status status = STATUS_INIT;
    struct place *place = place_open(call->options, &status);
    bool done = place && perform(place, call->options, &status);
    place_close(place);
    if (!done) return command_failed(call->command, &status);
    return command_finished(call->command, 0);
}

const struct command licenses_command = {
    .name = "licenses",
    .summary = "add, list, revoke, remove and export the licenses of a cache master",
    .group = COMMAND_TOOLS,
    .arguments = "add FILE...|ls|rm ID|revoke ID|export DIR|key ls|key add NAME|key rm NAME",
    .arguments_minimum = 1,
    .arguments_maximum = 1000,
    .actions = "add|ls|rm|revoke|export|key",
    .description =
        "Works on a running master (--master, or the one that runs on --data-dir), or on the\n"
        "folder itself while none runs, which needs --keys. A FILE may be a folder, whose files\n"
        "are all added. What does not verify is never stored. `rm` forgets a license; `revoke`\n"
        "keeps it and has every slave say that it grants nothing. `key add` makes a key for one\n"
        "slave and prints it once; the first machine that uses it owns it.",
    .examples = "  lsys licenses add acme.lic more-licenses/ --data-dir /var/lib/lsys-master\n"
                "  lsys licenses ls --master http://127.0.0.1:8003\n"
                "  lsys licenses revoke L-1042 --reason \"contract ended\"\n"
                "  lsys licenses export backup/ --master http://127.0.0.1:8003\n",
    .options = options,
    .shared = shared,
    .run = run,
};
