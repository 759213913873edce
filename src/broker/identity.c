#include "broker/identity.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

#define MILLISECOND_NS 1000000

/* ---- templates ---- */

/* The value of a variable, or NULL. */
static const char *variable_value(struct bytes name, const struct nats_user *user,
                                  const struct account *account) {
    if (bytes_equal_text(name, "name()")) return user->jwt.name;
    if (bytes_equal_text(name, "subject()")) return user->jwt.subject;
    if (bytes_equal_text(name, "account-name()")) return account->claims.jwt.name;
    if (bytes_equal_text(name, "account-subject()")) return account->claims.jwt.subject;
    return NULL;
}

/* Appends the subject with its variables, "{{name()}}" and others, replaced. A value that would
 * bring wildcards or further tokens into the subject is refused: a user's name is not to widen its
 * rights. */
static bool expand(const char *subject, const struct nats_user *user, const struct account *account,
                   struct buffer *out) {
    const char *at = subject;
    for (const char *open; (open = strstr(at, "{{")) != NULL;) {
        const char *close = strstr(open, "}}");
        if (close == NULL) return false;
        const char *value = variable_value(
            bytes_trim(bytes_of(open + 2, (size_t)(close - open - 2))), user, account);
        if (value == NULL || value[0] == '\0' || strpbrk(value, " .*>{}") != NULL) return false;
        buffer_append(out, at, (size_t)(open - at));
        buffer_append_text(out, value);
        at = close + 2;
    }
    return buffer_append_text(out, at);
}

/* ---- permissions ---- */

static bool add_subjects(const struct nats_texts *texts, bool may_name_queue,
                         const struct nats_user *user, const struct account *account,
                         struct pattern_list *out, struct status *status) {
    struct buffer subject;
    bool good = true;
    buffer_init(&subject, 2 * NATS_SUBJECT_BYTES_MAX);
    for (size_t i = 0; good && i < texts->count; i++) {
        buffer_clear(&subject);
        if (!expand(texts->items[i], user, account, &subject) ||
            (!may_name_queue && strchr(buffer_text(&subject), ' ') != NULL))
            good = status_fail(status, STATUS_CONFIG, "\"%s\" cannot be used as a permission",
                               texts->items[i]);
        else
            good = pattern_list_add(out, buffer_text(&subject), status);
    }
    buffer_free(&subject);
    return good;
}

/* Who may answer may publish nothing else unless it is allowed, as nats-server has it. */
static void set_responses(const struct nats_rights *rights, struct permissions *out) {
    if (!rights->allow_responses) return;
    out->allow_responses = true;
    out->publish_allow.given = true;
    out->responses_max =
        rights->responses_max == 0 ? PERMISSIONS_RESPONSES_DEFAULT : rights->responses_max;
    if (rights->response_ttl_ns == 0)
        out->response_expires_ms = PERMISSIONS_RESPONSE_EXPIRY_MS;
    else if (rights->response_ttl_ns < 0)
        out->response_expires_ms = -1;
    else
        out->response_expires_ms = rights->response_ttl_ns / MILLISECOND_NS;
}

static bool read_permissions(const struct nats_user *user, const struct account *account,
                             struct permissions *out, bool *are_open, struct status *status) {
    const struct nats_rights *rights = nats_user_rights(user, &account->claims);
    *out = (struct permissions){0};
    if (rights->has_restrictions)
        return status_fail(
            status, STATUS_CONFIG,
            "its token limits addresses or times of day, which only nats-server checks");
    if (nats_rights_are_open(rights)) rights = &account->claims.default_rights;
    *are_open = nats_rights_are_open(rights);
    bool good =
        add_subjects(&rights->publish_allow, false, user, account, &out->publish_allow, status) &&
        add_subjects(&rights->publish_deny, false, user, account, &out->publish_deny, status) &&
        add_subjects(&rights->subscribe_allow, true, user, account, &out->subscribe_allow,
                     status) &&
        add_subjects(&rights->subscribe_deny, true, user, account, &out->subscribe_deny, status);
    set_responses(rights, out);
    if (!good) permissions_free(out);
    return good;
}

bool identity_renew(struct identity *identity, const struct account *account,
                    struct status *status) {
    struct permissions fresh;
    bool are_open = false;
    if (!read_permissions(&identity->claims, account, &fresh, &are_open, status)) return false;
    permissions_free(&identity->permissions);
    identity->permissions = fresh;
    identity->user.permissions = are_open ? NULL : &identity->permissions;
    return true;
}

/* ---- life ---- */

struct identity *identity_new(struct nats_user *claims, const struct account *account,
                              struct status *status) {
    struct identity *identity = memory_new(sizeof *identity);
    identity->claims = *claims;
    *claims = (struct nats_user){0};
    identity->user.kind = BROKER_USER_JWT;
    identity->user.name = identity->claims.jwt.subject;
    if (identity_renew(identity, account, status)) return identity;
    identity_free(identity);
    return NULL;
}

void identity_free(struct identity *identity) {
    if (identity == NULL) return;
    permissions_free(&identity->permissions);
    nats_user_free(&identity->claims);
    free(identity);
}
