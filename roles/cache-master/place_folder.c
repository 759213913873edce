/* A place that is a data folder: the shelf itself, while no master runs on it. */
#include <stdio.h>

#include "app/role_http.h"
#include "codec/json_writer.h"
#include "roles/cache-master/intake.h"
#include "roles/cache-master/master.h"
#include "roles/cache-master/place_inside.h"

bool folder_open(struct place *place, const struct options *options, struct status *status) {
    const char *keys = options_text(options, "keys");
    if (!keys)
        return status_fail(status, STATUS_CONFIG,
                           "--keys is missing: no master runs on this folder, and without the "
                           "vendor's public keys nothing can be verified");
    place->ledger = ledger_open(place->store, CACHE_MASTER_NAME);
    place->authority = authority_open(place->ledger);
    if (!authority_load(place->authority, keys, options_text(options, "root"), status))
        return false;
    place->shelf = license_shelf_open(place->store, CACHE_MASTER_NAME, status);
    return place->shelf != NULL;
}

bool folder_add(struct place *place, struct bytes text, struct place_added *added,
                struct status *status) {
    struct shelf_entry *entry = NULL;
    enum intake_result result =
        intake_offer(place->shelf, place->authority, text, PLACE_ACTOR, &entry, status);
    if (result == INTAKE_REFUSED) return false;
    snprintf(added->result, sizeof added->result, "%s", intake_result_name(result));
    snprintf(added->license_id, sizeof added->license_id, "%s", entry->license_id);
    added->serial = entry->serial;
    return true;
}

/* The same summary as the admin API's, so that one visitor serves both places. */
static bool visit_entry(struct place *place, struct shelf_entry *entry, bool with_token,
                        place_visitor *visit, void *context, struct status *status) {
    struct buffer text;
    struct json_writer json;
    struct json_document *document = NULL;
    buffer_init(&text, ROLE_HTTP_ANSWER_BYTES);
    json_writer_init(&json, &text);
    intake_write_summary(place->shelf, place->authority, entry, with_token, &json);
    if (json_writer_finish(&json, "a summary", status))
        document = json_document_parse(buffer_bytes(&text), ROLE_HTTP_ANSWER_BYTES, status);
    bool visited = document && visit(context, json_document_root(document), status);
    json_document_free(document);
    buffer_free(&text);
    return visited;
}

bool folder_each(struct place *place, bool with_token, place_visitor *visit, void *context,
                 struct status *status) {
    struct shelf_entry *entry;
    for (size_t i = 0; (entry = license_shelf_at(place->shelf, i)); i++)
        if (!entry->deleted && !visit_entry(place, entry, with_token, visit, context, status))
            return false;
    return true;
}

bool folder_change(struct place *place, const struct shelf_change *change, struct status *status) {
    return license_shelf_apply(place->shelf, change, 1, SHELF_DURABLE, PLACE_ACTOR, status);
}
