#include "roles/cache-master/place.h"

#include <stdlib.h>
#include <string.h>

#include "app/api_keys.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/memory.h"
#include "roles/cache-master/place_inside.h"

/* ---- opening and closing ---- */

/* The key for the master; none is fine here, and the master then says what is missing. */
static bool read_key(struct place *place, const struct options *options, const char *folder,
                     struct status *status) {
    buffer_init(&place->key, API_KEY_BYTES_MAX);
    return api_keys_first(options, folder, &place->key, status) || status_is_ok(status);
}

/* The folder is taken: by its master, whose address is in it. */
static bool find_master(struct place *place, const char *folder, struct status *status) {
    struct status ignored = STATUS_INIT;
    struct buffer text;
    char *path = file_join(folder, MASTER_URL_FILE_NAME);
    buffer_init(&text, MASTER_URL_BYTES_MAX);
    bool found = status->code == STATUS_BUSY && file_read(path, &text, &ignored);
    if (found) {
        struct bytes url = bytes_trim(buffer_bytes(&text));
        place->url = memory_copy_bytes(url.data, url.length);
        status_clear(status);
    }
    buffer_free(&text);
    free(path);
    return found;
}

static bool open_folder(struct place *place, const struct options *options, struct status *status) {
    const char *folder = options_text(options, "data_dir");
    if (!store_open(folder, &place->store, NULL, status))
        return find_master(place, folder, status) && read_key(place, options, folder, status);
    return folder_open(place, options, status);
}

struct place *place_open(const struct options *options, struct status *status) {
    struct place *place = memory_new(sizeof *place);
    const char *master = options_text(options, "master");
    bool opened;
    if (master) {
        place->url = memory_copy_text(master);
        opened = read_key(place, options, options_text(options, "data_dir"), status);
    } else {
        opened = open_folder(place, options, status);
    }
    if (opened) return place;
    place_close(place);
    return NULL;
}

void place_close(struct place *place) {
    if (!place) return;
    license_shelf_close(place->shelf);
    authority_close(place->authority);
    ledger_close(place->ledger);
    store_close(place->store);
    buffer_wipe(&place->key);
    free(place->url);
    free(place);
}

/* ---- one door for both ---- */

bool place_add(struct place *place, struct bytes text, struct place_added *added,
               struct status *status) {
    memset(added, 0, sizeof *added);
    return place->url ? master_add(place, text, added, status)
                      : folder_add(place, text, added, status);
}

bool place_each(struct place *place, bool with_token, place_visitor *visit, void *context,
                struct status *status) {
    return place->url ? master_each(place, with_token, visit, context, status)
                      : folder_each(place, with_token, visit, context, status);
}

bool place_remove(struct place *place, const char *license_id, struct status *status) {
    const struct shelf_change change = {.act = SHELF_DELETE, .license_id = license_id};
    return place->url ? master_remove(place, license_id, status)
                      : folder_change(place, &change, status);
}

bool place_revoke(struct place *place, const char *license_id, const char *reason,
                  struct status *status) {
    const struct shelf_change change = {.act = SHELF_REVOKE,
                                        .license_id = license_id,
                                        .revoked_at_ms = clock_wall_ms(),
                                        .reason = reason};
    return place->url ? master_revoke(place, license_id, reason, status)
                      : folder_change(place, &change, status);
}
