#include "rules/license_choice.h"

#include <string.h>

static struct license_choice choose(enum license_decision decision, const char *text) {
    struct license_choice choice = {0};
    choice.decision = decision;
    choice.code = STATUS_OK;
    choice.again_at_ms = LICENSE_NEVER;
    choice.text = text;
    return choice;
}

static struct license_choice refuse(enum status_code code, const char *text) {
    struct license_choice choice = choose(LICENSE_REFUSE, text);
    choice.code = code;
    return choice;
}

/* The rows about identity: which line, which serial. True when one of them decided. */
static bool decide_by_serial(const struct license_candidate *candidate, enum license_origin origin,
                             const struct license_candidate *present,
                             const struct serial_mark *mark, struct license_choice *choice) {
    bool same_line = present && strcmp(present->line, candidate->line) == 0;
    if (present && strcmp(present->digest, candidate->digest) == 0)
        *choice = choose(LICENSE_KEEP, "it is the license in force");
    else if (present && !same_line && origin == LICENSE_FROM_PEER)
        *choice = refuse(STATUS_WRONG_DEPLOYMENT,
                         "another server's license is for another product, customer or deployment");
    else if (mark->seen && candidate->serial < mark->serial)
        *choice = refuse(STATUS_OLD_SERIAL, "a license with a higher serial was in force before");
    else if (same_line && candidate->serial == present->serial && origin == LICENSE_FROM_PEER)
        *choice = choose(LICENSE_KEEP, "another server has another license with the same serial");
    else
        return false;
    return true;
}

/* The rows about time: does the candidate help, now or later? True when one of them decided. */
static bool decide_by_time(const struct license_judgement *judged,
                           const struct license_candidate *present, int64_t now_ms,
                           struct license_choice *choice) {
    if (!present) return false;
    bool present_grants =
        license_status_grants(license_status_judge(&present->facts, now_ms).status);
    if (judged->rule == LICENSE_RULE_REVOKED && present_grants)
        *choice = refuse(STATUS_REVOKED, "it is revoked, and the license in force is not");
    else if (judged->rule == LICENSE_RULE_EXPIRED && present_grants)
        *choice = refuse(STATUS_EXPIRED, "it has expired, and the license in force has not");
    else if (judged->rule == LICENSE_RULE_NOT_YET_VALID) {
        *choice = choose(LICENSE_WAIT, "it is not valid yet and takes over when it is");
        choice->again_at_ms = judged->next_change_at_ms;
    } else
        return false;
    return true;
}

static const char *why_taken(const struct license_candidate *candidate,
                             const struct license_candidate *present, bool changes_line) {
    if (!present) return "there was no license in force";
    if (changes_line) return "it is for another product, customer or deployment than before";
    if (candidate->serial > present->serial) return "it is newer than the license in force";
    return "it has the serial of the license in force, and the file decides between them";
}

struct license_choice license_choice_decide(const struct license_candidate *candidate,
                                            enum license_origin origin,
                                            const struct license_candidate *present,
                                            const struct serial_mark *mark, int64_t now_ms) {
    struct license_judgement judged = license_status_judge(&candidate->facts, now_ms);
    if (judged.rule == LICENSE_RULE_MISSING)
        return refuse(STATUS_NOT_FOUND, "there is no license in it");
    if (judged.rule == LICENSE_RULE_REFUSED)
        return refuse(candidate->facts.verdict, "verification refused it");

    struct license_choice choice;
    if (decide_by_serial(candidate, origin, present, mark, &choice)) return choice;
    if (decide_by_time(&judged, present, now_ms, &choice)) return choice;
    bool changes_line = present && strcmp(present->line, candidate->line) != 0;
    choice = choose(LICENSE_TAKE, why_taken(candidate, present, changes_line));
    choice.changes_line = changes_line;
    return choice;
}

const char *license_decision_name(enum license_decision decision) {
    switch (decision) {
    case LICENSE_TAKE: return "take";
    case LICENSE_KEEP: return "keep";
    case LICENSE_WAIT: return "wait";
    case LICENSE_REFUSE: break;
    }
    return "refuse";
}
