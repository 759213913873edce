/* Operator mode: the token of the operator, which may change its signing keys while the broker
 * runs. */
#include "broker/trust_state.h"

#include <string.h>

#include "base/file.h"
#include "base/log.h"

bool trust_read_operator(struct broker_trust *trust, struct nats_operator *out,
                         struct status *status) {
    struct buffer text;
    buffer_init(&text, NATS_JWT_BYTES_MAX);
    trust->operator_read_ns = file_stamp_now_ns();
    bool read = file_read(trust->operator_path, &text, status) &&
                nats_operator_read(bytes_trim(buffer_bytes(&text)), out, status);
    if (read && !nats_operator_check(out, trust_now_s(), status)) {
        nats_operator_free(out);
        read = false;
    }
    buffer_free(&text);
    return read || status_context(status, "--operator %s", trust->operator_path);
}

/* Another operator, or another system account, is another deployment: that needs a restart. */
static bool check_same_operator(const struct broker_trust *trust, const struct nats_operator *fresh,
                                struct status *status) {
    if (strcmp(fresh->jwt.subject, trust->operator.jwt.subject) == 0 &&
        strcmp(fresh->system_account, trust->operator.system_account) == 0)
        return true;
    return status_fail(status, STATUS_CONFIG,
                       "--operator %s names another operator or system account: restart the broker "
                       "for that",
                       trust->operator_path);
}

/* Its signing keys may have changed: whom one of them signed is looked at again. Takes `fresh`
 * over. */
static void take_over(struct broker_trust *trust, struct nats_operator *fresh) {
    struct nats_operator *own = &trust->operator;
    nats_operator_free(own);
    *own = *fresh;
    log_event(LOG_INFO, trust_role(trust), "operator taken over", "file", trust->operator_path,
              NULL);
    resolver_read_again(trust->resolver);
    resolver_poll(trust->resolver);
    trust_check_clients(trust, NULL);
    links_make(trust, NULL);
}

static void look_into_operator(struct broker_trust *trust) {
    struct nats_operator fresh = {0};
    struct status status = STATUS_INIT;
    bool read = trust_read_operator(trust, &fresh, &status);
    bool is_same = read && fresh.jwt.id[0] && strcmp(fresh.jwt.id, trust->operator.jwt.id) == 0;
    if (read && !is_same && check_same_operator(trust, &fresh, &status)) {
        take_over(trust, &fresh);
        return;
    }
    if (read) nats_operator_free(&fresh);
    if (!status_is_ok(&status))
        log_event(LOG_WARNING, trust_role(trust), "operator not taken over", "code",
                  status_code_name(status.code), "why", status.text, NULL);
}

void trust_look_at_operator(struct broker_trust *trust) {
    struct file_stamp now;
    if (!file_stamp_read(trust->operator_path, &now) ||
        file_stamp_is_same(&trust->operator_stamp, &now, trust->operator_read_ns))
        return;
    trust->operator_stamp = now;
    look_into_operator(trust);
}
