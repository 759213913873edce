#include "rules/degradation.h"

static struct feature_answer deny(const char *code, const char *reason) {
    return (struct feature_answer){FEATURE_DENIED, false, false, code, reason};
}

static struct feature_answer allow(enum feature_mode mode, const char *code, const char *reason) {
    return (struct feature_answer){mode, true, true, code, reason};
}

/* A license that lapsed: it says itself how gently each feature ends. */
static struct feature_answer lapse(enum license_degrade degrade, const char *code,
                                   const char *const reasons[3]) {
    switch (degrade) {
    case LICENSE_DEGRADE_ADVISE: return allow(FEATURE_ADVISE, code, reasons[1]);
    case LICENSE_DEGRADE_READONLY: return allow(FEATURE_READONLY, code, reasons[2]);
    case LICENSE_DEGRADE_BLOCK: break;
    }
    return deny(code, reasons[0]);
}

static const char *const expired_reasons[3] = {
    "the license has expired",
    "the license has expired; the feature goes on for now, please renew",
    "the license has expired; the feature is read-only until it is renewed",
};

static const char *const no_server_reasons[3] = {
    "no license server is heard",
    "no license server is heard; the feature goes on for now",
    "no license server is heard; the feature is read-only until one is back",
};

struct feature_answer degradation_answer(const struct degradation_input *input) {
    switch (input->status) {
    case LICENSE_REVOKED: return deny("revoked", "the vendor revoked the license");
    case LICENSE_INVALID: return deny("invalid", "the license is not valid");
    case LICENSE_VALID:
    case LICENSE_EXPIRING:
    case LICENSE_GRACE:
    case LICENSE_EXPIRED:
        if (!input->licensed) return deny("not_licensed", "the license does not have this feature");
        if (input->status == LICENSE_EXPIRED)
            return lapse(input->degrade, "expired", expired_reasons);
        if (!input->server_is_live) return lapse(input->degrade, "no_server", no_server_reasons);
        if (input->status == LICENSE_GRACE)
            return allow(FEATURE_FULL, "grace",
                         "the license has expired and is in its grace period, please renew");
        return allow(FEATURE_FULL, "licensed", "the license has this feature");
    case LICENSE_MISSING: break;
    }
    return deny("missing", input->server_is_live ? "there is no license"
                                                 : "no license was received from a server yet");
}

const char *feature_mode_name(enum feature_mode mode) {
    switch (mode) {
    case FEATURE_FULL: return "full";
    case FEATURE_ADVISE: return "advise";
    case FEATURE_READONLY: return "readonly";
    case FEATURE_DENIED: break;
    }
    return "denied";
}
