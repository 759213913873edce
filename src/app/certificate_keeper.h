/*
 * Keeps one certificate of this process fresh, where the deployment's CA is at hand: makes
 * PREFIX.pem and PREFIX.key.pem when they are missing, and replaces the certificate between half
 * and two thirds of its life, or when it is not what is wanted any more. The CA's key is in memory
 * only while it signs.
 */
#ifndef LSYS_APP_CERTIFICATE_KEEPER_H
#define LSYS_APP_CERTIFICATE_KEEPER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attributes.h"
#include "base/status.h"
#include "loop/loop.h"

/* The longest wait until the keeper looks again: clocks are set, files are changed, machines
 * sleep. */
#define CERTIFICATE_KEEPER_LOOK_MS INT64_C(3600000)

/* What is wanted. */
struct certificate_keeper_wish {
    const char *role;         /* for the log; a constant */
    const char *folder;       /* of the CA (app/certificate_authority.h) */
    const char *prefix;       /* the files are PREFIX.pem and PREFIX.key.pem */
    const char *const *names; /* as x509_alt_name_parse reads them; the first is the common name */
    size_t name_count;        /* at least 1 */
    uint32_t purposes;        /* X509_PURPOSE_SERVER, X509_PURPOSE_CLIENT or both */
    int64_t life_ms;          /* of each certificate */
};

struct certificate_keeper;

/* Called on the loop thread when a new certificate has taken the old one's place in the file. */
typedef void certificate_keeper_callback(void *context);

/* Sees to the files at once, and then for ever. The wish is copied. `renewed` and `context` must
 * stay valid until certificate_keeper_stop; `renewed` is not called for what happens here. NULL
 * when there is no good certificate and none can be made: the errors of certificate_authority_open,
 * of certificate_authority_issue and of files. Owned by the caller. */
struct certificate_keeper *certificate_keeper_start(struct loop *loop,
                                                    const struct certificate_keeper_wish *wish,
                                                    certificate_keeper_callback *renewed,
                                                    void *context,
                                                    struct status *status) MUST_CHECK;

/* Stops and frees. NULL is harmless. */
void certificate_keeper_stop(struct certificate_keeper *keeper);

/* One look at the files, without a loop: makes what is missing, replaces what has to be. `*changed`
 * tells whether the certificate is a new one; `*next_ms` when to look again at the latest, in wall
 * time, chosen by `chance`, a random number. When a certificate that still counts could not be
 * replaced, this fails. */
bool certificate_keeper_look(const struct certificate_keeper_wish *wish, int64_t now_ms,
                             uint32_t chance, bool *changed, int64_t *next_ms,
                             struct status *status) MUST_CHECK;

#endif
