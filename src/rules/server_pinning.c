#include "rules/server_pinning.h"

#include <string.h>

struct verdict_row {
    const char *name;
    const char *text;
};

static const struct verdict_row verdict_rows[PINNING_VERDICT_COUNT] = {
    [PINNING_ACCEPT] = {"accept", "the server's key is accepted"},
    [PINNING_PIN] = {"pin", "a new license server proved itself and its key is pinned"},
    [PINNING_ASK] = {"ask", "an unknown license server must first answer a nonce"},
    [PINNING_NOT_NAMED] = {"not_named", "the license names its servers (server_jkts), and this "
                                        "key is not among them"},
    [PINNING_FROZEN] = {"frozen", "the key is not pinned and pinning is strict; "
                                  "`lsys client keys add` accepts it"},
    [PINNING_FULL] = {"full", "the key is not pinned and all places are taken; "
                              "`lsys client keys rm` makes room"},
};

static struct server_pin *find_pin(const struct server_pins *pins, const char *key_id) {
    for (size_t i = 0; i < pins->count && i < SERVER_PINS_MAX; i++)
        if (strcmp(pins->items[i].key_id, key_id) == 0) return (struct server_pin *)&pins->items[i];
    return NULL;
}

enum pinning_verdict server_pinning_judge(const struct server_pins *pins,
                                          const struct license *license, enum pinning_policy policy,
                                          const char *key_id, bool answered_nonce) {
    if (license && license->server_jkts_count > 0)
        return license_accepts_server(license, key_id) ? PINNING_ACCEPT : PINNING_NOT_NAMED;
    if (find_pin(pins, key_id)) return PINNING_ACCEPT;
    if (policy == PINNING_STRICT) return PINNING_FROZEN;
    if (pins->count >= SERVER_PINS_MAX) return PINNING_FULL;
    return answered_nonce ? PINNING_PIN : PINNING_ASK;
}

bool server_key_id_is_plausible(struct bytes text) {
    static const char alphabet[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    if (text.length != SHA256_TEXT_BYTES - 1) return false;
    for (size_t i = 0; i < text.length; i++)
        if (text.data[i] == '\0' || !strchr(alphabet, text.data[i])) return false;
    return true;
}

bool server_pins_add(struct server_pins *pins, const char *key_id, int64_t now_wall_ms) {
    if (!server_key_id_is_plausible(bytes_of_text(key_id))) return false;
    if (find_pin(pins, key_id)) return true;
    if (pins->count >= SERVER_PINS_MAX) return false;
    struct server_pin *pin = &pins->items[pins->count++];
    memcpy(pin->key_id, key_id, SHA256_TEXT_BYTES);
    pin->pinned_at_ms = now_wall_ms;
    return true;
}

void server_pins_merge(struct server_pins *pins, const struct server_pins *other) {
    for (size_t i = 0; i < other->count && i < SERVER_PINS_MAX; i++)
        if (!server_pins_add(pins, other->items[i].key_id, other->items[i].pinned_at_ms)) return;
}

bool server_pins_remove(struct server_pins *pins, const char *key_id) {
    struct server_pin *pin = find_pin(pins, key_id);
    if (!pin) return false;
    struct server_pin *last = &pins->items[--pins->count];
    if (pin != last) *pin = *last;
    memset(last, 0, sizeof *last);
    return true;
}

const char *pinning_verdict_name(enum pinning_verdict verdict) {
    return (unsigned)verdict < PINNING_VERDICT_COUNT ? verdict_rows[verdict].name : "not_named";
}

const char *pinning_verdict_text(enum pinning_verdict verdict) {
    return (unsigned)verdict < PINNING_VERDICT_COUNT ? verdict_rows[verdict].text
                                                     : "the key is not accepted";
}
