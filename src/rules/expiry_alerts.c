#include "rules/expiry_alerts.h"

#include <stddef.h>

#include "rules/license_status.h"

#define DAY_MS 86400000LL

struct alert_row {
    enum expiry_alert alert;
    int64_t before_expiry_ms; /* negative: after it */
    const char *name;
    const char *text;
};

/* Earliest first. The end of grace is not at a fixed distance and is handled apart. */
static const struct alert_row rows[] = {
    {EXPIRY_ALERT_30_DAYS, 30 * DAY_MS, "30_days", "the license expires in less than 30 days"},
    {EXPIRY_ALERT_7_DAYS, 7 * DAY_MS, "7_days", "the license expires in less than 7 days"},
    {EXPIRY_ALERT_1_DAY, DAY_MS, "1_day", "the license expires in less than a day"},
    {EXPIRY_ALERT_EXPIRED, 0, "expired", "the license has expired"},
    {EXPIRY_ALERT_GRACE_OVER, 0, "grace_over", "the grace of the expired license is over"},
};
#define ROW_COUNT (sizeof rows / sizeof rows[0])

/* When the row's alert begins; LICENSE_NEVER when it does not apply. */
static int64_t row_starts_ms(const struct alert_row *row, int64_t expires_at_ms, int64_t grace_ms) {
    int64_t at_ms;
    if (expires_at_ms == LICENSE_NEVER) return LICENSE_NEVER;
    if (row->alert != EXPIRY_ALERT_GRACE_OVER)
        return __builtin_sub_overflow(expires_at_ms, row->before_expiry_ms, &at_ms) ? INT64_MIN
                                                                                    : at_ms;
    if (grace_ms <= 0 || __builtin_add_overflow(expires_at_ms, grace_ms, &at_ms))
        return LICENSE_NEVER;
    return at_ms;
}

struct expiry_alert_due expiry_alerts_check(enum expiry_alert announced, int64_t expires_at_ms,
                                            int64_t grace_ms, int64_t now_ms) {
    struct expiry_alert_due due = {EXPIRY_ALERT_NONE, LICENSE_NEVER};
    for (size_t i = 0; i < ROW_COUNT; i++) {
        int64_t starts_ms = row_starts_ms(&rows[i], expires_at_ms, grace_ms);
        if (starts_ms == LICENSE_NEVER) continue;
        if (now_ms < starts_ms) {
            due.next_at_ms = starts_ms;
            break;
        }
        due.alert = rows[i].alert;
    }
    if (due.alert <= announced) due.alert = EXPIRY_ALERT_NONE;
    return due;
}

static const struct alert_row *find_row(enum expiry_alert alert) {
    for (size_t i = 0; i < ROW_COUNT; i++)
        if (rows[i].alert == alert) return &rows[i];
    return NULL;
}

const char *expiry_alert_name(enum expiry_alert alert) {
    const struct alert_row *row = find_row(alert);
    return row ? row->name : "none";
}

bool expiry_alert_read(struct bytes name, enum expiry_alert *out) {
    for (int i = EXPIRY_ALERT_NONE; i <= EXPIRY_ALERT_GRACE_OVER; i++)
        if (bytes_equal_text(name, expiry_alert_name((enum expiry_alert)i))) {
            *out = (enum expiry_alert)i;
            return true;
        }
    return false;
}

const char *expiry_alert_text(enum expiry_alert alert) {
    const struct alert_row *row = find_row(alert);
    return row ? row->text : "nothing to announce";
}
