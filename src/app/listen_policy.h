/*
 * Where a role may listen. Loopback always; anywhere else only with TLS and a credential, or when
 * the operator said --insecure-listen aloud.
 */
#ifndef LSYS_APP_LISTEN_POLICY_H
#define LSYS_APP_LISTEN_POLICY_H

#include <stdbool.h>

#include "base/attributes.h"
#include "base/status.h"

/* What protects the listener. */
struct listen_protection {
    bool tls;
    bool credential;      /* callers prove who they are */
    bool insecure_listen; /* --insecure-listen was given */
};

/* True when `host` is a loopback address (127.0.0.0/8, ::1) or the name localhost. */
bool listen_is_loopback(const char *host);

/* False with STATUS_CONFIG, saying what is missing and naming `flag` ("--http"), when listening on
 * `host` is not allowed. An insecure listener that is allowed is logged as a warning with `role`. */
bool listen_policy_check(const char *role, const char *flag, const char *host,
                         struct listen_protection protection, struct status *status) MUST_CHECK;

#endif
