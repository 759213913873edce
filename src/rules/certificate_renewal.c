#include "rules/certificate_renewal.h"

#define MS_PER_SECOND 1000

/* The first moment that is no longer part of the life: its last second is. */
static int64_t end_ms(struct certificate_life life) {
    return life.not_after_ms + MS_PER_SECOND;
}

/* Lives are below 2^48 ms (the year 9999), so that small factors do not overflow. */
static int64_t part_ms(struct certificate_life life, int numerator, int denominator) {
    int64_t length_ms = end_ms(life) - life.not_before_ms;
    return length_ms <= 0 ? end_ms(life) : life.not_before_ms + length_ms * numerator / denominator;
}

int64_t certificate_due_ms(struct certificate_life life) {
    return part_ms(life, 1, 2);
}

int64_t certificate_overdue_ms(struct certificate_life life) {
    return part_ms(life, 2, 3);
}

int64_t certificate_renewal_ms(struct certificate_life life, uint32_t chance) {
    int64_t due_ms = certificate_due_ms(life);
    int64_t span_ms = certificate_overdue_ms(life) - due_ms;
    /* In steps of 1/65536, so that the product stays below 2^63. */
    return due_ms + span_ms * (chance >> 16) / 65536;
}

enum certificate_phase certificate_phase_at(struct certificate_life life, int64_t now_ms) {
    if (now_ms >= end_ms(life)) return CERTIFICATE_EXPIRED;
    if (now_ms < life.not_before_ms) return CERTIFICATE_NOT_YET_VALID;
    if (now_ms >= certificate_overdue_ms(life)) return CERTIFICATE_OVERDUE;
    if (now_ms >= certificate_due_ms(life)) return CERTIFICATE_DUE;
    return CERTIFICATE_FRESH;
}

const char *certificate_phase_name(enum certificate_phase phase) {
    switch (phase) {
    case CERTIFICATE_NOT_YET_VALID: return "not yet valid";
    case CERTIFICATE_FRESH: return "fresh";
    case CERTIFICATE_DUE: return "due";
    case CERTIFICATE_OVERDUE: return "overdue";
    case CERTIFICATE_EXPIRED: break;
    }
    return "expired";
}
