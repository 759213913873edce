/*
 * When a certificate is to be renewed. It has to be done before two thirds of its life are over:
 * then a third is left for an issuer that is down, for a clock that is wrong and for people to be
 * told. Renewal begins at half of its life; those who renew by themselves choose a moment between
 * the two by chance, so that certificates that were issued together are not renewed together.
 *
 *     | time, as a part of the life  | phase                       | what to do              |
 *     |------------------------------|-----------------------------|-------------------------|
 *     | before it begins             | CERTIFICATE_NOT_YET_VALID   | wait                    |
 *     | below 1/2                    | CERTIFICATE_FRESH           | wait                    |
 *     | 1/2 up to 2/3                | CERTIFICATE_DUE             | renew                   |
 *     | 2/3 up to its last second    | CERTIFICATE_OVERDUE         | renew, and alert        |
 *     | after its last second        | CERTIFICATE_EXPIRED         | renew, and alert        |
 *
 *     not yet valid --begins--> fresh --1/2--> due --2/3--> overdue --ends--> expired
 *                                 ^              |            |                 |
 *                                 +---renewed----+------------+-----------------+
 */
#ifndef LSYS_RULES_CERTIFICATE_RENEWAL_H
#define LSYS_RULES_CERTIFICATE_RENEWAL_H

#include <stdint.h>

enum certificate_phase {
    CERTIFICATE_NOT_YET_VALID,
    CERTIFICATE_FRESH,
    CERTIFICATE_DUE,
    CERTIFICATE_OVERDUE,
    CERTIFICATE_EXPIRED,
};

/* The life of a certificate: both seconds are part of it (RFC 5280, section 4.1.2.5). Milliseconds
 * since 1970. One that ends before it begins counts as expired from its end on. */
struct certificate_life {
    int64_t not_before_ms;
    int64_t not_after_ms;
};

/* The phase at a point in time. */
enum certificate_phase certificate_phase_at(struct certificate_life life, int64_t now_ms);

/* When renewal is due: half of its life. */
int64_t certificate_due_ms(struct certificate_life life);

/* When renewal is overdue: two thirds of its life. */
int64_t certificate_overdue_ms(struct certificate_life life);

/* When to renew by oneself: between the two, by `chance`, which is a random number. */
int64_t certificate_renewal_ms(struct certificate_life life, uint32_t chance);

/* "fresh", "due" ... */
const char *certificate_phase_name(enum certificate_phase phase);

#endif
