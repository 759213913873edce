/* lsys nats import: what an account takes of what others export. */
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "broker/sharing.h"
#include "broker/subject.h"
#include "roles/nats/share.h"

static bool read_activation(const char *path, struct nats_import *import, struct status *status) {
    struct buffer text;
    buffer_init(&text, NATS_JWT_BYTES_MAX);
    import->activation = memory_new(sizeof *import->activation);
    bool read =
        file_read(path, &text, status) &&
        (nats_activation_read(bytes_trim(buffer_bytes(&text)), import->activation, status) ||
         status_context(status, "%s", path));
    struct bytes token = bytes_trim(buffer_bytes(&text));
    if (read) import->token = memory_copy_bytes(token.data, token.length);
    buffer_free(&text);
    return read;
}

/* The exporter's key is at hand: its owner lets the import be. */
static bool activate_here(const struct nats_deployment *deployment,
                          const struct nats_account *exporter, const struct nats_account *importer,
                          struct nats_import *import, struct status *status) {
    struct buffer token;
    buffer_init(&token, NATS_JWT_BYTES_MAX);
    import->activation = memory_new(sizeof *import->activation);
    bool made = share_make_activation(deployment, exporter, importer->jwt.subject, import->subject,
                                      import->kind, 0, &token, status) &&
                nats_activation_read(buffer_bytes(&token), import->activation, status);
    if (made) import->token = memory_copy_text(buffer_text(&token));
    buffer_free(&token);
    return made;
}

static bool is_private(const struct nats_account *exporter, const struct nats_import *import) {
    for (size_t i = 0; i < exporter->export_count; i++)
        if (exporter->exports[i].is_private && exporter->exports[i].kind == import->kind &&
            subject_contains(bytes_of_text(exporter->exports[i].subject),
                             bytes_of_text(import->subject)))
            return true;
    return false;
}

static bool complete_import(const struct nats_deployment *deployment,
                            const struct share_other *exporter, const struct nats_account *importer,
                            const struct options *options, struct nats_import *import,
                            struct status *status) {
    const char *activation = options_text(options, "activation");
    const struct nats_export *export;
    struct subject_map map;
    if (activation && !read_activation(activation, import, status)) return false;
    if (!exporter->is_here) return true;
    if (!activation && is_private(&exporter->account, import) &&
        !activate_here(deployment, &exporter->account, importer, import, status))
        return false;
    if (!sharing_check(importer, import, &exporter->account, nats_now_s(), &map, &export, status))
        return false;
    subject_map_free(&map);
    return true;
}

static bool add_import(const struct nats_deployment *deployment,
                       const struct nats_action_call *call, struct nats_account *account,
                       struct status *status) {
    const char *local = options_text(call->options, "local");
    struct nats_import import = {.kind = share_kind(call->options),
                                 .subject = memory_copy_text(call->names[1]),
                                 .local_subject = local ? memory_copy_text(local) : NULL};
    struct share_other exporter;
    bool added = share_find_other(deployment, "--from", options_text(call->options, "from"),
                                  &exporter, status);
    if (added) {
        memcpy(import.account, exporter.key, sizeof import.account);
        added = complete_import(deployment, &exporter, account, call->options, &import, status) &&
                nats_account_add_import(account, &import, status);
    }
    nats_account_free(&exporter.account);
    nats_import_free(&import);
    return added;
}

bool nats_import_add(const struct nats_action_call *call, struct status *status) {
    return share_with_account(call, add_import, true, status);
}

static bool remove_import(const struct nats_deployment *deployment,
                          const struct nats_action_call *call, struct nats_account *account,
                          struct status *status) {
    struct share_other exporter;
    if (!share_find_other(deployment, "--from", options_text(call->options, "from"), &exporter,
                          status))
        return false;
    nats_account_free(&exporter.account);
    return nats_account_remove_import(account, exporter.key, call->names[1]) ||
           status_fail(status, STATUS_NOT_FOUND,
                       "the account \"%s\" does not import \"%s\" from there", call->names[0],
                       call->names[1]);
}

bool nats_import_remove(const struct nats_action_call *call, struct status *status) {
    return share_with_account(call, remove_import, true, status);
}
