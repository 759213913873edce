#include "app/listen_policy.h"

#include "base/log.h"

bool listen_policy_check(const char *role, const char *flag, const struct address *address,
                         struct listen_protection protection, struct status *status) {
    if (address_is_loopback(address) || (protection.tls && protection.credential)) return true;
    const char *missing = protection.tls          ? "a credential"
                          : protection.credential ? "TLS"
                                                  : "TLS and a credential";
    char text[ADDRESS_TEXT_BYTES];
    address_format(address, text);
    if (!protection.insecure_listen)
        return status_fail(status, STATUS_CONFIG,
                           "%s %s would be open to the network without %s: listen on 127.0.0.1, or "
                           "say --insecure-listen where the network can be trusted",
                           flag, text, missing);
    log_event(LOG_WARNING, role, "listening on the network without protection, as told", "flag",
              flag, "address", text, "missing", missing, NULL);
    return true;
}
