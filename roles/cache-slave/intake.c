#include "roles/cache-slave/intake.h"

#include <string.h>

#include "app/alerts.h"
#include "base/log.h"
#include "roles/cache-slave/cache_slave.h"

/* A change of the feed may be three of the shelf: delete, put, revoke. */
#define CHANGES_MAX (3 * LICENSE_FEED_PAGE_CHANGES)

struct batch {
    struct shelf_change changes[CHANGES_MAX];
    size_t count;
    struct license *licenses[LICENSE_FEED_PAGE_CHANGES]; /* owned; borrowed by the changes */
    size_t license_count;
};

/* ---- the vendor's lists ---- */

typedef enum adoption adopt_list(struct authority *, struct bytes, struct status *);

static void adopt(struct cache_slave *slave, const char *token, adopt_list *adopt_one,
                  const char *what) {
    struct status status = STATUS_INIT;
    if (!token) return;
    enum adoption adoption = adopt_one(slave->authority, bytes_of_text(token), &status);
    if (adoption == ADOPTION_TAKEN)
        log_event(LOG_INFO, CACHE_SLAVE_NAME, "a list of the vendor is in force", "what", what,
                  NULL);
    if (adoption == ADOPTION_REFUSED)
        log_event(LOG_WARNING, CACHE_SLAVE_NAME, "a list from the master was refused", "what", what,
                  "code", status_code_name(status.code), "why", status.text, NULL);
}

/* ---- licenses ---- */

static void refuse(struct cache_slave *slave, const struct license_feed_change *change,
                   const struct status *why) {
    metric_increment(slave->meters.refused);
    log_event(LOG_WARNING, CACHE_SLAVE_NAME, "a license from the master was refused", "license_id",
              change->license_id, "code", status_code_name(why->code), "why", why->text, NULL);
}

static void add(struct batch *batch, const struct shelf_change *change) {
    batch->changes[batch->count++] = *change;
}

/* The verified license of a change; NULL when it is refused. */
static struct license *verify(struct cache_slave *slave, const struct license_feed_change *change,
                              const struct shelf_entry *present) {
    struct status why = STATUS_INIT;
    struct license *license =
        authority_verify_license(slave->authority, bytes_of_text(change->token), &why);
    if (license && strcmp(license->license_id, change->license_id) != 0)
        status_fail(&why, STATUS_BAD_CLAIM, "it is the license %s", license->license_id);
    else if (license && present && license->serial < present->serial)
        status_fail(&why, STATUS_OLD_SERIAL, "its serial is %lld, and serial %lld was here before",
                    (long long)license->serial, (long long)present->serial);
    if (status_is_ok(&why)) return license;
    refuse(slave, change, &why);
    license_free(license);
    return NULL;
}

static void take_license(struct cache_slave *slave, struct batch *batch,
                         const struct license_feed_change *change) {
    const struct shelf_entry *present = license_shelf_find(slave->shelf, change->license_id);
    struct license *license = verify(slave, change, present);
    if (!license) return;
    batch->licenses[batch->license_count++] = license;
    bool is_here = present && !present->deleted;
    if (is_here && present->revoked_at_ms != 0 && !change->revoked)
        add(batch, &(struct shelf_change){.act = SHELF_DELETE, .license_id = present->license_id});
    add(batch, &(struct shelf_change){.act = SHELF_PUT,
                                      .license_id = license->license_id,
                                      .license = license,
                                      .token = bytes_of_text(change->token)});
    if (change->revoked)
        add(batch, &(struct shelf_change){.act = SHELF_REVOKE,
                                          .license_id = license->license_id,
                                          .revoked_at_ms = change->revoked_at_ms,
                                          .reason = change->reason});
}

static void take_deletion(struct cache_slave *slave, struct batch *batch,
                          const struct license_feed_change *change) {
    const struct shelf_entry *present = license_shelf_find(slave->shelf, change->license_id);
    if (!present || present->deleted) return;
    add(batch, &(struct shelf_change){.act = SHELF_DELETE, .license_id = present->license_id});
}

static bool collect(struct cache_slave *slave, const struct license_feed_page *page,
                    struct batch *batch, struct status *status) {
    for (size_t i = 0; i < page->count; i++) {
        struct license_feed_change change;
        if (!license_feed_page_change(page, i, &change, status)) return false;
        if (change.deleted)
            take_deletion(slave, batch, &change);
        else
            take_license(slave, batch, &change);
    }
    return true;
}

bool intake_page(struct cache_slave *slave, const struct license_feed_page *page,
                 struct status *status) {
    struct batch batch = {.count = 0};
    adopt(slave, page->keyring, authority_adopt_keyring, "key ring");
    adopt(slave, page->revocations, authority_adopt_revocations, "revocation list");
    bool taken = collect(slave, page, &batch, status) &&
                 license_shelf_apply(slave->shelf, batch.changes, batch.count, SHELF_BEST_EFFORT,
                                     NULL, status);
    for (size_t i = 0; i < batch.license_count; i++)
        license_free(batch.licenses[i]);
    return taken;
}
