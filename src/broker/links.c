#include "broker/links.h"

#include <stdlib.h>
#include <string.h>

#include "base/assertion.h"
#include "base/log.h"
#include "base/memory.h"
#include "broker/limits.h"
#include "broker/sharing.h"
#include "broker/trust_state.h"

#define MILLISECOND_NS 1000000

/* ---- those of one account ---- */

static struct links *links_of(struct account *account) {
    if (account->links == NULL) {
        account->links = memory_new(sizeof *account->links);
        account->links->index = subject_index_new();
    }
    return account->links;
}

static void clear(struct links *links) {
    for (size_t i = 0; i < links->count; i++) {
        subject_index_remove(links->index, &links->all[i]->entry);
        subject_map_free(&links->all[i]->map);
        free(links->all[i]);
    }
    links->count = 0;
}

void links_free(struct links *links) {
    if (links == NULL) return;
    clear(links);
    answers_free(&links->answers);
    subject_index_free(links->index);
    free(links->all);
    free(links);
}

static void add(struct links *links, struct link *link) {
    links->all =
        memory_grow_array(links->all, links->count, &links->capacity, sizeof(struct link *));
    links->all[links->count++] = link;
    subject_index_insert(links->index, bytes_of_text(link->map.from), bytes_of(NULL, 0),
                         &link->entry);
}

/* ---- from tokens ---- */

static void log_refusal(const struct broker_trust *trust, const struct account *importer,
                        const struct nats_import *import, const struct status *why) {
    log_event(LOG_WARNING, trust_role(trust), "import not carried out", "account",
              importer->claims.jwt.name, "subject", import->subject, "from", import->account,
              "code", status_code_name(why->code), "why", why->text, NULL);
}

static bool check(const struct broker_trust *trust, const struct account *importer,
                  const struct nats_import *import, const struct account *exporter,
                  struct subject_map *map, const struct nats_export **export,
                  struct status *status) {
    int64_t now_s = trust_now_s();
    if (exporter == NULL || exporter->file == NULL)
        return status_fail(status, STATUS_NOT_FOUND, "the exporter is not known here");
    return nats_account_check(&importer->claims, &trust->operator, now_s, status) &&
           nats_account_check(&exporter->claims, &trust->operator, now_s, status) &&
           sharing_check(&importer->claims, import, &exporter->claims, now_s, map, export, status);
}

static void make_link(struct account *importer, const struct nats_import *import,
                      struct account *exporter, const struct subject_map *map,
                      const struct nats_export *export) {
    bool is_stream = import->kind == NATS_STREAM;
    ASSERT(export != NULL); /* sharing_check found it */
    struct link *link = memory_new(sizeof *link);
    link->to = is_stream ? importer : exporter;
    link->kind = import->kind;
    link->map = *map;
    link->many_answers = export->responses != NATS_RESPONSES_SINGLE;
    link->threshold_ms = export->response_threshold_ns > 0
                             ? export->response_threshold_ns / MILLISECOND_NS + 1
                             : LIMIT_ANSWER_MS;
    account_open(link->to);
    links_of(exporter); /* for what its services owe */
    add(links_of(is_stream ? exporter : importer), link);
}

static void make_links_of(struct broker_trust *trust, struct account *importer,
                          const struct account *changed) {
    for (size_t i = 0; i < importer->claims.import_count; i++) {
        const struct nats_import *import = &importer->claims.imports[i];
        struct account *exporter = trust_find(trust, import->account);
        const struct nats_export *export = NULL;
        struct subject_map map;
        struct status status = STATUS_INIT;
        if (check(trust, importer, import, exporter, &map, &export, &status)) {
            make_link(importer, import, exporter, &map, export);
            if (import->activation != NULL)
                trust_note_expiry(trust, import->activation->jwt.expires_at_s);
        } else if (changed == NULL || changed == importer || changed == exporter) {
            log_refusal(trust, importer, import, &status);
        }
    }
}

void links_make(struct broker_trust *trust, const struct account *changed) {
    for (struct account *account = trust_next(trust, NULL); account != NULL;
         account = trust_next(trust, account))
        if (account->links != NULL) clear(account->links);
    for (struct account *account = trust_next(trust, NULL); account != NULL;
         account = trust_next(trust, account))
        if (account->file != NULL) make_links_of(trust, account, changed);
}
