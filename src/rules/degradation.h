/*
 * What an application may do with one feature: the answer of `GET /v1/features/{name}`. While a
 * license grants, its features are on. When it stops granting, the license itself says for each
 * feature how gently that happens (`degrade`). Nothing is ever granted that the vendor did not
 * sign: without a verified license, or with one that was revoked or refused, features are off.
 *
 *     | situation                  | no such feature | `block`, no entry | `advise` | `readonly` |
 *     |----------------------------|-----------------|-------------------|----------|------------|
 *     | valid, expiring            | denied          | full              | full     | full       |
 *     | grace (with a notice)      | denied          | full              | full     | full       |
 *     | expired                    | denied          | denied            | advise   | readonly   |
 *     | no live server             | denied          | denied            | advise   | readonly   |
 *     | revoked, invalid, missing  | denied          | denied            | denied   | denied     |
 *
 * "No live server" is about the license verified last; the row below it wins.
 *
 *     [full] --exp--> [full + notice] --exp + grace--> [advise | readonly | denied]
 *       ^  \__________________ no live server ________________^       |
 *       +--------------------- good message --------------------------+
 *     [any] --revoked, invalid, missing--> [denied]
 */
#ifndef LSYS_RULES_DEGRADATION_H
#define LSYS_RULES_DEGRADATION_H

#include <stdbool.h>

#include "rules/license_status.h"
#include "verifier/license.h"

/* How an application may use a feature. */
enum feature_mode {
    FEATURE_DENIED,   /* "denied": not at all */
    FEATURE_READONLY, /* "readonly": show what is there, change nothing */
    FEATURE_ADVISE,   /* "advise": go on, and tell people that the license has lapsed */
    FEATURE_FULL,     /* "full" */
};

struct degradation_input {
    enum license_status
        status;          /* of the license last verified; LICENSE_MISSING when there is none */
    bool server_is_live; /* false: community for want of a server */
    bool licensed;       /* the license has the feature (present and not `false`) */
    enum license_degrade degrade; /* of the license's feature; ignored when not licensed */
};

struct feature_answer {
    enum feature_mode mode;
    bool allowed;     /* 200, else 403 */
    bool limit_holds; /* the license's number or text for the feature is to be shown and kept to */
    const char *code; /* stable: "licensed", "grace", "expired", "no_server", "not_licensed",
                         "revoked", "invalid", "missing" */
    const char *reason; /* one constant sentence without a period */
};

/* Decides. Total: every combination has an answer. */
struct feature_answer degradation_answer(const struct degradation_input *input);

/* "full", "advise", "readonly", "denied". */
const char *feature_mode_name(enum feature_mode mode);

#endif
