/* What a user may do: the members of a user's token, and of the template of a scoped signing
 * key. */
#include <string.h>
#include <strings.h>

#include "verifier/nats_jwt_form.h"

static const struct {
    const char *name;
    enum nats_connection_type type;
} CONNECTION_TYPES[] = {
    {"STANDARD", NATS_CONNECTION_STANDARD}, {"WEBSOCKET", NATS_CONNECTION_WEBSOCKET},
    {"LEAFNODE", NATS_CONNECTION_LEAFNODE}, {"LEAFNODE_WS", NATS_CONNECTION_LEAFNODE_WEBSOCKET},
    {"MQTT", NATS_CONNECTION_MQTT},         {"MQTT_WS", NATS_CONNECTION_MQTT_WEBSOCKET},
};

#define CONNECTION_TYPE_COUNT (sizeof CONNECTION_TYPES / sizeof CONNECTION_TYPES[0])

bool nats_rights_are_open(const struct nats_rights *rights) {
    return rights->publish_allow.count == 0 && rights->publish_deny.count == 0 &&
           rights->subscribe_allow.count == 0 && rights->subscribe_deny.count == 0 &&
           !rights->allow_responses;
}

/* ---- reading ---- */

static bool read_subjects(const struct json_value *object, const char *name, struct nats_texts *out,
                          struct status *status) {
    const struct json_value *array = json_value_member(object, name);
    if (!nats_member_is(object, name, JSON_TYPE_ARRAY, status)) return false;
    if (json_value_count(array) > NATS_SUBJECTS_MAX)
        return status_fail(status, STATUS_TOO_LARGE, "\"%s\" has more than %d subjects", name,
                           NATS_SUBJECTS_MAX);
    for (size_t i = 0; i < json_value_count(array); i++) {
        const char *text = json_value_text(json_value_item(array, i));
        if (!text || !claims_text_is_fit(text, NATS_SUBJECT_BYTES_MAX))
            return status_fail(status, STATUS_BAD_CLAIM,
                               "\"%s\" has an entry that is no subject of 1 to %d bytes", name,
                               NATS_SUBJECT_BYTES_MAX);
        nats_texts_add(out, text);
    }
    return true;
}

static bool read_permission(const struct json_value *object, const char *name,
                            struct nats_texts *allow, struct nats_texts *deny,
                            struct status *status) {
    const struct json_value *permission = json_value_member(object, name);
    return nats_member_is(object, name, JSON_TYPE_OBJECT, status) &&
           read_subjects(permission, "allow", allow, status) &&
           read_subjects(permission, "deny", deny, status);
}

bool nats_permissions_read(const struct json_value *object, struct nats_rights *out,
                           struct status *status) {
    const struct json_value *responses = json_value_member(object, "resp");
    out->allow_responses = json_value_type(responses) == JSON_TYPE_OBJECT;
    return read_permission(object, "pub", &out->publish_allow, &out->publish_deny, status) &&
           read_permission(object, "sub", &out->subscribe_allow, &out->subscribe_deny, status) &&
           nats_member_is(object, "resp", JSON_TYPE_OBJECT, status) &&
           nats_limit_read(responses, "max", &out->responses_max, status) &&
           nats_limit_read(responses, "ttl", &out->response_ttl_ns, status);
}

/* Names that we do not know still restrict: they let in what we do not serve. */
static bool read_connection_types(const struct json_value *object, unsigned *out,
                                  struct status *status) {
    static const char name[] = "allowed_connection_types";
    const struct json_value *array = json_value_member(object, name);
    if (!nats_member_is(object, name, JSON_TYPE_ARRAY, status)) return false;
    for (size_t i = 0; i < json_value_count(array); i++) {
        const char *text = json_value_text(json_value_item(array, i));
        unsigned type = NATS_CONNECTION_OTHER;
        if (!text) return status_fail(status, STATUS_BAD_CLAIM, "\"%s\" has no texts", name);
        for (size_t k = 0; k < CONNECTION_TYPE_COUNT; k++)
            if (strcasecmp(text, CONNECTION_TYPES[k].name) == 0) type = CONNECTION_TYPES[k].type;
        *out |= type;
    }
    return true;
}

bool nats_rights_read(const struct json_value *object, struct nats_rights *out,
                      struct status *status) {
    out->has_restrictions = json_value_count(json_value_member(object, "src")) > 0 ||
                            json_value_count(json_value_member(object, "times")) > 0;
    return nats_member_is(object, "src", JSON_TYPE_ARRAY, status) &&
           nats_member_is(object, "times", JSON_TYPE_ARRAY, status) &&
           nats_limit_read(object, "subs", &out->subscriptions, status) &&
           nats_limit_read(object, "data", &out->data_bytes, status) &&
           nats_limit_read(object, "payload", &out->payload_bytes, status) &&
           nats_boolean_read(object, "bearer_token", &out->bearer_token, status) &&
           read_connection_types(object, &out->connection_types, status) &&
           nats_permissions_read(object, out, status);
}

/* ---- writing ---- */

static void write_permission(struct json_writer *json, const char *name,
                             const struct nats_texts *allow, const struct nats_texts *deny) {
    json_writer_name(json, name);
    json_writer_begin_object(json);
    if (allow->count > 0) nats_texts_write(json, "allow", allow);
    if (deny->count > 0) nats_texts_write(json, "deny", deny);
    json_writer_end_object(json);
}

void nats_permissions_write(struct json_writer *json, const struct nats_rights *rights) {
    write_permission(json, "pub", &rights->publish_allow, &rights->publish_deny);
    write_permission(json, "sub", &rights->subscribe_allow, &rights->subscribe_deny);
    if (!rights->allow_responses) return;
    json_writer_name(json, "resp");
    json_writer_begin_object(json);
    json_writer_member_integer(json, "max", rights->responses_max);
    json_writer_member_integer(json, "ttl", rights->response_ttl_ns);
    json_writer_end_object(json);
}

static void write_connection_types(struct json_writer *json, unsigned types) {
    json_writer_name(json, "allowed_connection_types");
    json_writer_begin_array(json);
    for (size_t i = 0; i < CONNECTION_TYPE_COUNT; i++)
        if (types & CONNECTION_TYPES[i].type) json_writer_text(json, CONNECTION_TYPES[i].name);
    json_writer_end_array(json);
}

void nats_rights_write(struct json_writer *json, const struct nats_rights *rights) {
    nats_permissions_write(json, rights);
    json_writer_member_integer(json, "subs", rights->subscriptions);
    json_writer_member_integer(json, "data", rights->data_bytes);
    json_writer_member_integer(json, "payload", rights->payload_bytes);
    if (rights->bearer_token) json_writer_member_boolean(json, "bearer_token", true);
    if (rights->connection_types) write_connection_types(json, rights->connection_types);
}

void nats_rights_free(struct nats_rights *rights) {
    nats_texts_free(&rights->publish_allow);
    nats_texts_free(&rights->publish_deny);
    nats_texts_free(&rights->subscribe_allow);
    nats_texts_free(&rights->subscribe_deny);
}
