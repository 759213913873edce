/* A page of a license feed, as a hostile master would write it: read, and every change on it. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "app/license_feed.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct status status = STATUS_INIT;
    struct license_feed_page page;
    if (!license_feed_page_read(bytes_of(data, size), &page, &status)) return 0;
    for (size_t i = 0; i < page.count; i++) {
        struct license_feed_change change;
        struct status why = STATUS_INIT;
        if (!license_feed_page_change(&page, i, &change, &why)) continue;
        if (!change.license_id || change.deleted == (change.token != NULL)) abort();
    }
    if (page.count > LICENSE_FEED_PAGE_CHANGES || page.through > page.sequence) abort();
    license_feed_page_free(&page);
    return 0;
}
