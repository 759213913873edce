/* What a user may do, as the flags of `user add` and of a role say it. */
#include "roles/nats/rights.h"

#include <string.h>

#include "app/nats_templates.h"
#include "broker/subject.h"

#define SECOND_NS INT64_C(1000000000)

bool rights_check_subject(const char *flag, const char *text, bool may_name_queue,
                          struct status *status) {
    const char *blank = strchr(text, ' ');
    size_t length = blank ? (size_t)(blank - text) : strlen(text);
    bool good = length <= NATS_SUBJECT_BYTES_MAX && !strpbrk(text, "\t\r\n") &&
                subject_is_valid(bytes_of(text, length));
    if (good && blank)
        good =
            may_name_queue && !strchr(blank + 1, ' ') && subject_is_valid(bytes_of_text(blank + 1));
    return good ||
           status_fail(status, STATUS_USAGE, "--%s: \"%.80s\" is not a subject", flag, text);
}

static bool take_subjects(const struct options *options, const char *key, const char *flag,
                          bool may_name_queue, struct nats_texts *out, struct status *status) {
    for (size_t i = 0; i < options_count(options, key); i++) {
        const char *text = options_item(options, key, i);
        if (!rights_check_subject(flag, text, may_name_queue, status)) return false;
        nats_texts_add(out, text);
    }
    return true;
}

static const struct {
    const char *name;
    enum nats_connection_type type;
} CONNECTIONS[] = {
    {"standard", NATS_CONNECTION_STANDARD},
    {"websocket", NATS_CONNECTION_WEBSOCKET},
    {"leafnode", NATS_CONNECTION_LEAFNODE},
    {"leafnode-websocket", NATS_CONNECTION_LEAFNODE_WEBSOCKET},
};

static bool take_connections(const struct options *options, unsigned *out, struct status *status) {
    for (size_t i = 0; i < options_count(options, "connection"); i++) {
        const char *name = options_item(options, "connection", i);
        unsigned type = 0;
        for (size_t k = 0; k < sizeof CONNECTIONS / sizeof CONNECTIONS[0]; k++)
            if (strcmp(CONNECTIONS[k].name, name) == 0) type = CONNECTIONS[k].type;
        if (!type)
            return status_fail(status, STATUS_USAGE,
                               "--connection: one of standard, websocket, leafnode, "
                               "leafnode-websocket");
        *out |= type;
    }
    return true;
}

static void take_limit(const struct options *options, const char *key, int64_t *limit) {
    *limit = options_is_given(options, key) ? options_integer(options, key) : NATS_NO_LIMIT;
}

bool rights_take(const struct options *options, struct nats_rights *rights, struct status *status) {
    const char *template = options_text(options, "template");
    take_limit(options, "max_subscriptions", &rights->subscriptions);
    take_limit(options, "max_payload", &rights->payload_bytes);
    rights->data_bytes = NATS_NO_LIMIT;
    rights->bearer_token = options_boolean(options, "bearer");
    if (template && !nats_template_apply(template, rights, status)) return false;
    if (options_is_given(options, "allow_responses")) {
        rights->allow_responses = true;
        rights->responses_max = options_integer(options, "allow_responses");
        rights->response_ttl_ns = options_duration_ms(options, "response_ttl") * (SECOND_NS / 1000);
    }
    return take_subjects(options, "allow_pub", "allow-pub", false, &rights->publish_allow,
                         status) &&
           take_subjects(options, "deny_pub", "deny-pub", false, &rights->publish_deny, status) &&
           take_subjects(options, "allow_sub", "allow-sub", true, &rights->subscribe_allow,
                         status) &&
           take_subjects(options, "deny_sub", "deny-sub", true, &rights->subscribe_deny, status) &&
           take_connections(options, &rights->connection_types, status);
}

bool rights_beyond_limits(const struct options *options) {
    static const char *const keys[] = {"template",     "allow_pub",  "allow_sub",
                                       "deny_pub",     "deny_sub",   "allow_responses",
                                       "response_ttl", "connection", "bearer"};
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
        if (options_is_given(options, keys[i])) return true;
    return false;
}

bool rights_are_given(const struct options *options) {
    return rights_beyond_limits(options) || options_is_given(options, "max_payload") ||
           options_is_given(options, "max_subscriptions");
}
