#include "rules/license_status.h"

#include <stdio.h>

#include "base/text.h"

static const char *const status_words[LICENSE_STATUS_COUNT] = {
    [LICENSE_MISSING] = "missing", [LICENSE_INVALID] = "invalid", [LICENSE_REVOKED] = "revoked",
    [LICENSE_EXPIRED] = "expired", [LICENSE_GRACE] = "grace",     [LICENSE_EXPIRING] = "expiring",
    [LICENSE_VALID] = "valid",
};

static const char *const rule_names[] = {
    [LICENSE_RULE_MISSING] = "no_license",     [LICENSE_RULE_REFUSED] = "refused",
    [LICENSE_RULE_REVOKED] = "revoked",        [LICENSE_RULE_NOT_YET_VALID] = "not_yet_valid",
    [LICENSE_RULE_PERPETUAL] = "perpetual",    [LICENSE_RULE_IN_TERM] = "in_term",
    [LICENSE_RULE_LAST_DAYS] = "last_30_days", [LICENSE_RULE_GRACE] = "grace",
    [LICENSE_RULE_EXPIRED] = "expired",
};

/* A sum that stops at the ends of time instead of wrapping: claims hold any number. */
static int64_t add_saturating(int64_t left, int64_t right) {
    int64_t sum;
    if (!__builtin_add_overflow(left, right, &sum)) return sum;
    return right > 0 ? INT64_MAX : INT64_MIN;
}

static int64_t grace_end_ms(const struct license_facts *facts) {
    return add_saturating(facts->expires_at_ms, facts->grace_ms > 0 ? facts->grace_ms : 0);
}

/* The rule, without what comes next. */
static enum license_rule find_rule(const struct license_facts *facts, int64_t now_ms) {
    if (!facts->present) return LICENSE_RULE_MISSING;
    if (facts->verdict != STATUS_OK) return LICENSE_RULE_REFUSED;
    if (facts->revoked) return LICENSE_RULE_REVOKED;
    if (now_ms < add_saturating(facts->not_before_ms, -LICENSE_NOT_BEFORE_LEEWAY_MS))
        return LICENSE_RULE_NOT_YET_VALID;
    if (facts->expires_at_ms == LICENSE_NEVER) return LICENSE_RULE_PERPETUAL;
    if (now_ms < add_saturating(facts->expires_at_ms, -LICENSE_EXPIRING_WINDOW_MS))
        return LICENSE_RULE_IN_TERM;
    if (now_ms < facts->expires_at_ms) return LICENSE_RULE_LAST_DAYS;
    if (now_ms < grace_end_ms(facts)) return LICENSE_RULE_GRACE;
    return LICENSE_RULE_EXPIRED;
}

static enum license_status status_of_rule(enum license_rule rule) {
    switch (rule) {
    case LICENSE_RULE_REFUSED:
    case LICENSE_RULE_NOT_YET_VALID: return LICENSE_INVALID;
    case LICENSE_RULE_REVOKED: return LICENSE_REVOKED;
    case LICENSE_RULE_PERPETUAL:
    case LICENSE_RULE_IN_TERM: return LICENSE_VALID;
    case LICENSE_RULE_LAST_DAYS: return LICENSE_EXPIRING;
    case LICENSE_RULE_GRACE: return LICENSE_GRACE;
    case LICENSE_RULE_EXPIRED: return LICENSE_EXPIRED;
    case LICENSE_RULE_MISSING: break;
    }
    return LICENSE_MISSING;
}

static int64_t end_of_rule_ms(const struct license_facts *facts, enum license_rule rule) {
    switch (rule) {
    case LICENSE_RULE_NOT_YET_VALID:
        return add_saturating(facts->not_before_ms, -LICENSE_NOT_BEFORE_LEEWAY_MS);
    case LICENSE_RULE_IN_TERM:
        return add_saturating(facts->expires_at_ms, -LICENSE_EXPIRING_WINDOW_MS);
    case LICENSE_RULE_LAST_DAYS: return facts->expires_at_ms;
    case LICENSE_RULE_GRACE: return grace_end_ms(facts);
    case LICENSE_RULE_MISSING:
    case LICENSE_RULE_REFUSED:
    case LICENSE_RULE_REVOKED:
    case LICENSE_RULE_PERPETUAL:
    case LICENSE_RULE_EXPIRED: break;
    }
    return LICENSE_NEVER;
}

struct license_judgement license_status_judge(const struct license_facts *facts, int64_t now_ms) {
    struct license_judgement judgement;
    judgement.rule = find_rule(facts, now_ms);
    judgement.status = status_of_rule(judgement.rule);
    judgement.next_change_at_ms = end_of_rule_ms(facts, judgement.rule);
    judgement.next_status = judgement.status;
    if (judgement.next_change_at_ms != LICENSE_NEVER)
        judgement.next_status = status_of_rule(find_rule(facts, judgement.next_change_at_ms));
    return judgement;
}

struct license_facts license_status_facts(const struct license *license, enum status_code checked) {
    struct license_facts facts = {0};
    facts.present = license || (checked != STATUS_OK && checked != STATUS_NOT_FOUND);
    facts.verdict = checked;
    if (!license) return facts;
    if (checked == STATUS_EXPIRED || checked == STATUS_GRACE || checked == STATUS_NOT_YET_VALID ||
        checked == STATUS_REVOKED)
        facts.verdict = STATUS_OK;
    facts.revoked = checked == STATUS_REVOKED;
    facts.not_before_ms = license->not_before_ms;
    facts.expires_at_ms = license->expires_at_ms;
    facts.grace_ms = license_grace_ends_at_ms(license) - license->expires_at_ms;
    return facts;
}

const char *license_status_word(enum license_status status) {
    return (unsigned)status < LICENSE_STATUS_COUNT ? status_words[status] : "missing";
}

bool license_status_read(struct bytes word, enum license_status *out) {
    for (int i = 0; i < LICENSE_STATUS_COUNT; i++)
        if (bytes_equal_text(word, status_words[i])) {
            *out = (enum license_status)i;
            return true;
        }
    return false;
}

bool license_status_grants(enum license_status status) {
    return status == LICENSE_VALID || status == LICENSE_EXPIRING || status == LICENSE_GRACE;
}

const char *license_rule_name(enum license_rule rule) {
    return (unsigned)rule <= LICENSE_RULE_EXPIRED ? rule_names[rule] : "no_license";
}

enum status_code license_status_code(const struct license_facts *facts,
                                     const struct license_judgement *judgement) {
    switch (judgement->rule) {
    case LICENSE_RULE_REFUSED: return facts->verdict;
    case LICENSE_RULE_REVOKED: return STATUS_REVOKED;
    case LICENSE_RULE_NOT_YET_VALID: return STATUS_NOT_YET_VALID;
    case LICENSE_RULE_GRACE: return STATUS_GRACE;
    case LICENSE_RULE_EXPIRED: return STATUS_EXPIRED;
    case LICENSE_RULE_PERPETUAL:
    case LICENSE_RULE_IN_TERM:
    case LICENSE_RULE_LAST_DAYS: return STATUS_OK;
    case LICENSE_RULE_MISSING: break;
    }
    return STATUS_NOT_FOUND;
}

/* "3d 4h" between two moments, whichever is later. */
static void format_distance(int64_t from_ms, int64_t to_ms, char out[TEXT_DURATION_BYTES]) {
    int64_t distance_ms;
    if (__builtin_sub_overflow(to_ms, from_ms, &distance_ms) || distance_ms == INT64_MIN)
        distance_ms = LICENSE_NEVER;
    if (distance_ms < 0) distance_ms = -distance_ms;
    text_format_duration(distance_ms, out);
}

void license_status_explain(const struct license_facts *facts,
                            const struct license_judgement *judgement, int64_t now_ms,
                            char out[LICENSE_STATUS_TEXT_BYTES]) {
    char until_change[TEXT_DURATION_BYTES];
    char since_expiry[TEXT_DURATION_BYTES];
    format_distance(now_ms, judgement->next_change_at_ms, until_change);
    format_distance(facts->expires_at_ms, now_ms, since_expiry);
    size_t size = LICENSE_STATUS_TEXT_BYTES;
    switch (judgement->rule) {
    case LICENSE_RULE_MISSING: snprintf(out, size, "there is no license"); return;
    case LICENSE_RULE_REFUSED:
        snprintf(out, size, "verification refused the license (%s)",
                 status_code_name(facts->verdict));
        return;
    case LICENSE_RULE_REVOKED: snprintf(out, size, "the vendor revoked the license"); return;
    case LICENSE_RULE_NOT_YET_VALID:
        snprintf(out, size, "the license is not valid yet: it begins in %s", until_change);
        return;
    case LICENSE_RULE_PERPETUAL: snprintf(out, size, "the license does not expire"); return;
    case LICENSE_RULE_IN_TERM:
        snprintf(out, size, "the license is within its term; its last 30 days begin in %s",
                 until_change);
        return;
    case LICENSE_RULE_LAST_DAYS:
        snprintf(out, size, "the license is in its last 30 days: it expires in %s", until_change);
        return;
    case LICENSE_RULE_GRACE:
        snprintf(out, size, "the license expired %s ago and its grace ends in %s", since_expiry,
                 until_change);
        return;
    case LICENSE_RULE_EXPIRED:
        snprintf(out, size, "the license expired %s ago%s", since_expiry,
                 facts->grace_ms > 0 ? ", and its grace is over" : "");
        return;
    }
    snprintf(out, size, "there is no license");
}
