/* lsys nats config: the configuration of a nats-server that trusts this operator. */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/nats_deployment.h"
#include "base/file.h"
#include "net/address.h"
#include "roles/nats/actions.h"

/* Room for many accounts of the largest size that is usual. */
#define CONFIG_BYTES_MAX ((size_t)64 << 20)

#define DEFAULT_RESOLVER_FOLDER "jwt"

/* Appends a quoted text. The paths and addresses that are written have no control characters. */
static void append_quoted(struct buffer *out, const char *text) {
    buffer_append(out, "\"", 1);
    for (const char *at = text; *at; at++) {
        if (*at == '"' || *at == '\\') buffer_append(out, "\\", 1);
        buffer_append(out, at, 1);
    }
    buffer_append(out, "\"", 1);
}

static bool append_account(const struct nats_deployment *deployment, const char *name,
                           struct buffer *out, struct status *status) {
    struct nats_account account;
    struct buffer token;
    buffer_init(&token, NATS_JWT_BYTES_MAX);
    bool read =
        nats_deployment_read_account(deployment, name, nats_now_s(), &token, &account, status);
    if (read) {
        buffer_append_format(out, "    # %s\n    %s: \"", name, account.jwt.subject);
        buffer_append(out, token.data, token.length);
        buffer_append_text(out, "\"\n");
        nats_account_free(&account);
    }
    buffer_free(&token);
    return read;
}

/* A full resolver takes from here what it does not have in a newer form, so that nobody has to push
 * before the first client comes. */
static bool append_preload(const struct nats_deployment *deployment, struct buffer *out,
                           struct status *status) {
    struct nats_names names;
    buffer_append_text(out, "resolver_preload: {\n");
    bool good = nats_deployment_list(deployment, NULL, &names, status);
    for (size_t i = 0; good && i < names.count; i++)
        good = append_account(deployment, names.items[i], out, status);
    nats_names_free(&names);
    buffer_append_text(out, "}\n");
    return good;
}

/* nats-server takes a relative path from where it is started: an absolute one is meant. */
static bool append_resolver(const struct options *options, const char *out_path, bool is_full,
                            struct buffer *out, struct status *status) {
    const char *given = options_text(options, "resolver_dir");
    char folder[PATH_MAX], absolute[PATH_MAX], path[2 * PATH_MAX];
    if (!is_full) return buffer_append_text(out, "resolver: MEMORY\n");
    snprintf(folder, sizeof folder, "%s", out_path);
    char *slash = strrchr(folder, '/');
    if (slash) slash[slash == folder] = '\0';
    if (!realpath(slash && strcmp(out_path, "-") != 0 ? folder : ".", absolute))
        return status_fail(status, STATUS_IO, "there is no folder %s", folder);
    if (!given) given = DEFAULT_RESOLVER_FOLDER;
    if (given[0] == '/')
        snprintf(path, sizeof path, "%s", given);
    else
        snprintf(path, sizeof path, "%s/%s", absolute, given);
    buffer_append_text(out, "resolver: {\n    type: full\n    dir: ");
    append_quoted(out, path);
    return buffer_append_text(
        out, "\n    allow_delete: true\n    interval: \"2m\"\n    limit: 10000\n}\n");
}

static bool write_config(const struct nats_deployment *deployment, const struct options *options,
                         const char *out_path, struct buffer *out, struct status *status) {
    bool is_full = strcmp(options_text(options, "resolver"), "full") == 0;
    struct bytes operator_token = bytes_trim(buffer_bytes(&deployment->operator_token));
    buffer_append_text(out, "# Written by \"lsys nats config\". For nats-server 2.9 and later:\n"
                            "#   nats-server -c FILE\n"
                            "listen: ");
    append_quoted(out, options_text(options, "listen"));
    buffer_append_format(out, "\n\n# the operator \"%s\"\noperator: \"",
                         deployment->operator.jwt.name);
    buffer_append(out, operator_token.data, operator_token.length);
    buffer_append_format(out, "\"\nsystem_account: %s\n\n", deployment->operator.system_account);
    return append_resolver(options, out_path, is_full, out, status) &&
           append_preload(deployment, out, status) &&
           buffer_check(out, "the configuration", status);
}

bool nats_config(const struct nats_action_call *call, struct status *status) {
    const char *path = options_text(call->options, "out");
    struct nats_deployment deployment;
    struct buffer out;
    if (!path)
        return status_fail(status, STATUS_USAGE, "--out is missing: the file, or - for stdout");
    if (!nats_deployment_open(nats_folder(call->options), &deployment, status)) return false;
    buffer_init(&out, CONFIG_BYTES_MAX);
    bool written = write_config(&deployment, call->options, path, &out, status);
    if (written && strcmp(path, "-") == 0)
        fwrite(out.data, 1, out.length, stdout);
    else if (written && (written = file_replace(path, buffer_bytes(&out), 0644, status)))
        printf("%s  for: nats-server -c %s\n", path, path);
    buffer_free(&out);
    nats_deployment_close(&deployment);
    return written;
}
