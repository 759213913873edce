/*
 * The license in force: takes tokens that the file, a peer or the state of an earlier run offer,
 * lets rules/license_choice decide, persists what must survive, and judges the result by the
 * guarded time. No I/O of its own but the ledger's.
 *
 *     saved (start) --+
 *     file -----------+--> verify --> check place --> license_choice --> ledger --> in force
 *     peer -----------+                                                                |
 *                                                          clock guard, lists --> judgement
 */
#ifndef LSYS_ROLES_LICENSE_SERVER_KEEPER_H
#define LSYS_ROLES_LICENSE_SERVER_KEEPER_H

#include <stdbool.h>
#include <stdint.h>

#include "app/authority.h"
#include "app/ledger.h"
#include "base/buffer.h"
#include "base/bytes.h"
#include "base/status.h"
#include "rules/clock_guard.h"
#include "rules/license_choice.h"
#include "rules/license_status.h"
#include "verifier/fingerprint.h"
#include "verifier/license.h"

/* The clock guard wants to see the clocks this often. */
#define KEEPER_OBSERVE_MS 1000

/* Where the license in force came from. */
enum keeper_source { KEEPER_NONE, KEEPER_FILE, KEEPER_PEER, KEEPER_SAVED };

struct keeper {
    struct ledger *ledger;          /* borrowed */
    struct authority *authority;    /* borrowed */
    const char *deployment_id;      /* borrowed; "": this place has none */
    struct fingerprint fingerprint; /* of this machine */
    struct clock_guard clock;
    struct clock_reading reading; /* of the last observation */
    int64_t monotonic_ms;         /* of the last observation */
    int64_t clock_kept_ms;        /* monotonic; when the guard went to the ledger */

    struct license *license;      /* in force; NULL while there is none */
    struct buffer token;          /* its token */
    char line[SHA256_TEXT_BYTES]; /* its line of serials */
    enum keeper_source source;
    struct status file_problem; /* why the license file was refused last; STATUS_OK */

    struct license_facts facts;         /* of what is in force, or of what is wrong ... */
    struct status check;                /* ... with the sentence of license_check ... */
    struct license_judgement judgement; /* ... judged at the last observation */
};

/* What became of a token that was offered. */
struct keeper_answer {
    enum license_decision decision;
    struct status status; /* of a refusal: code and sentence */
    bool changes_line;    /* with LICENSE_TAKE: for another product or customer than before */
    int64_t again_at_ms;  /* with LICENSE_WAIT: guarded wall time; LICENSE_NEVER otherwise */
    const char *text;     /* one constant sentence: why */
};

/* Begins with nothing in force. The fingerprint is copied. */
void keeper_init(struct keeper *keeper, struct ledger *ledger, struct authority *authority,
                 const char *deployment_id, const struct fingerprint *fingerprint);

/* Persists the clock guard and frees. */
void keeper_free(struct keeper *keeper);

/* Reads both clocks and moves the guard. keeper_judge goes by this moment. */
void keeper_observe(struct keeper *keeper);

/* Writes what the disk refused before. When a state that could not be read at the start can be read
 * now, it counts: higher serials, a later clock, newer lists. */
void keeper_save(struct keeper *keeper);

/* Puts the license of an earlier run in force, if there is one and the keys in force verify it.
 * Harmless when there is a license already. */
void keeper_restore(struct keeper *keeper);

/* Offers a bare token. Marks and the token are in the ledger before it is in force. */
struct keeper_answer keeper_offer(struct keeper *keeper, struct bytes token,
                                  enum license_origin origin);

/* Judges anew what is in force, at the moment of the last observation. */
void keeper_judge(struct keeper *keeper);

/* Milliseconds until the judgement changes by time or the clocks want to be observed. */
int64_t keeper_wait_ms(const struct keeper *keeper);

/* True while edition and features are granted. */
bool keeper_grants(const struct keeper *keeper);

/* The license's edition while it grants, else "community". */
const char *keeper_edition(const struct keeper *keeper);

/* Writes the sentence that says why the status is what it is. */
void keeper_explain(const struct keeper *keeper, char out[STATUS_TEXT_BYTES]);

/* "none", "file", "peer", "saved". */
const char *keeper_source_name(enum keeper_source source);

#endif
