#include "broker/sharing.h"

#include <stdio.h>
#include <string.h>

#include "broker/subject.h"

/* ---- subjects ---- */

static const char *exporter_subject(const struct nats_import *import) {
    bool is_older_service =
        import->kind == NATS_SERVICE && import->to != NULL && import->local_subject == NULL;
    return is_older_service ? import->to : import->subject;
}

/* Writes the importer's subject; false when it is too long. */
static bool importer_subject(const struct nats_import *import,
                             char out[NATS_SUBJECT_BYTES_MAX + 1]) {
    bool has_prefix =
        import->kind == NATS_STREAM && import->to != NULL && import->local_subject == NULL;
    const char *subject = import->local_subject != NULL ? import->local_subject : import->subject;
    int length = has_prefix
                     ? snprintf(out, NATS_SUBJECT_BYTES_MAX + 1, "%s.%s", import->to, subject)
                     : snprintf(out, NATS_SUBJECT_BYTES_MAX + 1, "%s", subject);
    return length > 0 && length <= NATS_SUBJECT_BYTES_MAX;
}

static bool make_map(const struct nats_import *import, struct subject_map *out,
                     struct status *status) {
    const char *theirs = exporter_subject(import);
    char ours[NATS_SUBJECT_BYTES_MAX + 1];
    if (!importer_subject(import, ours) || !subject_is_valid(bytes_of_text(theirs)))
        return status_fail(status, STATUS_CONFIG, "\"%s\" is not a subject", theirs);
    return subject_map_make(theirs, ours,
                            import->kind == NATS_STREAM ? SUBJECT_MAP_TO_IMPORTER
                                                        : SUBJECT_MAP_TO_EXPORTER,
                            out, status);
}

/* ---- leave ---- */

static const struct nats_export *find_export(const struct nats_account *exporter,
                                             enum nats_share_kind kind, struct bytes subject) {
    for (size_t i = 0; i < exporter->export_count; i++) {
        const struct nats_export *export = &exporter->exports[i];
        struct bytes exported = bytes_of_text(export->subject);
        if (export->kind == kind && subject_is_valid(exported) &&
            subject_contains(exported, subject))
            return export;
    }
    return NULL;
}

/* The token of the subject at a position, counted from 1, is the importer's key. */
static bool names_importer(struct bytes subject, int64_t position, const char *importer) {
    struct bytes token;
    while (subject_next_token(&subject, &token))
        if (--position == 0) return bytes_equal_text(token, importer);
    return false;
}

static bool check_activation(const struct nats_account *importer, const struct nats_import *import,
                             const struct nats_account *exporter, const struct nats_export *export,
                             int64_t now_s, struct status *status) {
    const struct nats_activation *activation = import->activation;
    if (activation == NULL)
        return status_fail(status, STATUS_FORBIDDEN,
                           import->token == NULL
                               ? "it is exported privately: the import needs an activation"
                               : "its activation is not a token that is well signed");
    if (!nats_activation_check(activation, exporter, importer->jwt.subject, now_s, status))
        return false;
    if (activation->kind != import->kind || !subject_is_valid(bytes_of_text(activation->subject)) ||
        !subject_contains(bytes_of_text(activation->subject),
                          bytes_of_text(exporter_subject(import))))
        return status_fail(status, STATUS_FORBIDDEN, "its activation is for the %s \"%s\"",
                           activation->kind == NATS_STREAM ? "stream" : "service",
                           activation->subject);
    return !nats_revocations_have(&export->revocations, activation->jwt.subject,
                                  activation->jwt.issued_at_s) ||
           status_fail(status, STATUS_REVOKED, "its activation is revoked");
}

static bool check_leave(const struct nats_account *importer, const struct nats_import *import,
                        const struct nats_account *exporter, const struct nats_export *export,
                        int64_t now_s, struct status *status) {
    struct bytes subject = bytes_of_text(exporter_subject(import));
    if (!exporter->limits.wildcard_exports && subject_has_wildcard(bytes_of_text(export->subject)))
        return status_fail(status, STATUS_FORBIDDEN,
                           "the exporter may not export subjects with wildcards");
    if (export->account_token_position > 0 &&
        !names_importer(subject, export->account_token_position, importer->jwt.subject))
        return status_fail(status, STATUS_FORBIDDEN, "token %d of the subject has to be %s",
                           (int)export->account_token_position, importer->jwt.subject);
    return !export->is_private ||
           check_activation(importer, import, exporter, export, now_s, status);
}

bool sharing_check(const struct nats_account *importer, const struct nats_import *import,
                   const struct nats_account *exporter, int64_t now_s, struct subject_map *map,
                   const struct nats_export **export, struct status *status) {
    if (!make_map(import, map, status)) return false;
    *export = find_export(exporter, import->kind, bytes_of_text(exporter_subject(import)));
    if (*export != NULL && check_leave(importer, import, exporter, *export, now_s, status))
        return true;
    if (*export == NULL)
        status_fail(status, STATUS_NOT_FOUND, "the account \"%s\" does not export this %s",
                    exporter->jwt.name, import->kind == NATS_STREAM ? "stream" : "service");
    subject_map_free(map);
    return false;
}
