#include "roles/license-client/shelf.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

static void free_item(struct shelf_item *item) {
    license_free(item->license);
    free(item->token);
    memset(item, 0, sizeof *item);
}

struct shelf_item *shelf_find(struct shelf *shelf, const char *token_sha256) {
    for (size_t i = 0; i < SHELF_LICENSES; i++) {
        struct shelf_item *item = &shelf->items[i];
        if (!item->license || strcmp(item->license->token_sha256, token_sha256) != 0) continue;
        item->used = ++shelf->uses;
        return item;
    }
    return NULL;
}

struct shelf_item *shelf_put(struct shelf *shelf, struct license *license, struct bytes token) {
    struct shelf_item *place = NULL;
    for (size_t i = 0; i < SHELF_LICENSES; i++) {
        struct shelf_item *item = &shelf->items[i];
        if (item != shelf->kept && (!place || item->used < place->used)) place = item;
    }
    free_item(place);
    place->license = license;
    place->token = memory_copy_bytes(token.data, token.length);
    place->used = ++shelf->uses;
    license_serial_line(license, place->line);
    return place;
}

void shelf_clear(struct shelf *shelf) {
    for (size_t i = 0; i < SHELF_LICENSES; i++)
        free_item(&shelf->items[i]);
    shelf->kept = NULL;
}
