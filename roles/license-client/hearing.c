#include "roles/license-client/hearing.h"

struct row {
    const char *name;
    const char *text;
};

static const struct row rows[HEARING_COUNT] = {
    [HEARING_GOOD] = {"good", "the message counts"},
    [HEARING_UNPROVEN] = {"unproven", "the server must first answer a nonce"},
    [HEARING_UNKNOWN_LICENSE] = {"unknown_license",
                                 "it names a license that was not seen yet; a nonce fetches it"},
    [HEARING_MALFORMED] = {"malformed", "it is not what a license server sends"},
    [HEARING_NOT_NAMED] = {"not_named", "the license names its servers, and this key is not among "
                                        "them"},
    [HEARING_FROZEN] = {"frozen", "the server's key is not pinned and pinning is strict"},
    [HEARING_FULL] = {"full", "the server's key is not pinned and all places are taken"},
    [HEARING_REPLAYED] = {"replayed", "it was heard before"},
    [HEARING_OLDER] = {"older", "it is older than a message heard before"},
    [HEARING_WITHHELD] = {"withheld", "it was sent long ago and delivered now"},
    [HEARING_AHEAD] = {"ahead", "its clock ran ahead of the server's own before"},
    [HEARING_WRONG_NONCE] = {"wrong_nonce", "it answers a nonce that is not open"},
    [HEARING_OVER_BUDGET] = {"over_budget", "too many messages to check in one second"},
    [HEARING_BAD_SIGNATURE] = {"bad_signature", "its proof is forged"},
    [HEARING_NO_LICENSE] = {"no_license", "an unknown server has to show a license that verifies"},
    [HEARING_OLD_SERIAL] = {"old_serial", "its license is older than one seen before"},
    [HEARING_OTHER_LINE] = {"other_line", "its license is for another product or customer than the "
                                          "one in force"},
};

static const struct row *row_of(enum hearing hearing) {
    return &rows[(unsigned)hearing < HEARING_COUNT ? hearing : HEARING_MALFORMED];
}

const char *hearing_name(enum hearing hearing) {
    return row_of(hearing)->name;
}

const char *hearing_text(enum hearing hearing) {
    return row_of(hearing)->text;
}

bool hearing_is_ordinary(enum hearing hearing) {
    return hearing == HEARING_GOOD || hearing == HEARING_UNPROVEN ||
           hearing == HEARING_UNKNOWN_LICENSE;
}

enum hearing hearing_of_pinning(enum pinning_verdict verdict) {
    switch (verdict) {
    case PINNING_ASK: return HEARING_UNPROVEN;
    case PINNING_FROZEN: return HEARING_FROZEN;
    case PINNING_FULL: return HEARING_FULL;
    default: return HEARING_NOT_NAMED;
    }
}

enum hearing hearing_of_freshness(enum freshness_verdict verdict) {
    switch (verdict) {
    case FRESHNESS_NEEDS_NONCE: return HEARING_UNPROVEN;
    case FRESHNESS_REPLAYED: return HEARING_REPLAYED;
    case FRESHNESS_OLDER: return HEARING_OLDER;
    case FRESHNESS_WITHHELD: return HEARING_WITHHELD;
    case FRESHNESS_AHEAD: return HEARING_AHEAD;
    case FRESHNESS_WRONG_NONCE: return HEARING_WRONG_NONCE;
    default: return HEARING_MALFORMED;
    }
}
