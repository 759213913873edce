/*
 * What became of a message that claimed to be a license server's: its name in the metric
 * lsys_client_messages_total{verdict}, in the log and in `explain`.
 */
#ifndef LSYS_ROLES_LICENSE_CLIENT_HEARING_H
#define LSYS_ROLES_LICENSE_CLIENT_HEARING_H

#include "rules/server_freshness.h"
#include "rules/server_pinning.h"

enum hearing {
    HEARING_GOOD,            /* verified, accepted, fresh: it counts */
    HEARING_UNPROVEN,        /* believable, but its server must first answer a nonce */
    HEARING_UNKNOWN_LICENSE, /* names a license that we have not seen: a nonce fetches it */
    HEARING_MALFORMED,       /* too large, not JSON, not our format, or it contradicts its proof */
    HEARING_NOT_NAMED,       /* the license names its servers, and not this one */
    HEARING_FROZEN,          /* pinning is strict */
    HEARING_FULL,            /* all places for pinned keys are taken */
    HEARING_REPLAYED,
    HEARING_OLDER,
    HEARING_WITHHELD,
    HEARING_AHEAD,
    HEARING_WRONG_NONCE,
    HEARING_OVER_BUDGET,   /* too many signatures to check in this second */
    HEARING_BAD_SIGNATURE, /* the proof is forged */
    HEARING_NO_LICENSE,    /* from a server not known yet, without a license that verifies */
    HEARING_OLD_SERIAL,    /* its license is older than one seen before */
    HEARING_OTHER_LINE,    /* another product or customer than the server we follow */
};
#define HEARING_COUNT 17

/* The stable name in snake_case. */
const char *hearing_name(enum hearing hearing);

/* A sentence without a period that says what it means. */
const char *hearing_text(enum hearing hearing);

/* True for what happens in an ordinary life and is not worth a warning. */
bool hearing_is_ordinary(enum hearing hearing);

/* The refusals of the two rules as hearings. Not for PINNING_ACCEPT, PINNING_PIN and FRESHNESS_OK,
 * which refuse nothing. */
enum hearing hearing_of_pinning(enum pinning_verdict verdict);
enum hearing hearing_of_freshness(enum freshness_verdict verdict);

#endif
