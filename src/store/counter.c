/* Counters: records whose value is a number that only grows. */
#include "store/store_private.h"

/* A counter's value: 8 bytes, big endian. */
#define COUNTER_BYTES 8

static bool read_counter(struct store *store, const char *name_space, const char *key,
                         uint64_t *value, struct status *status) {
    struct buffer buffer;
    struct status error = STATUS_INIT;
    *value = 0;
    buffer_init(&buffer, COUNTER_BYTES);
    bool ok = store_get(store, name_space, key, &buffer, &error);
    if (ok && buffer.length == COUNTER_BYTES) {
        for (size_t i = 0; i < COUNTER_BYTES; i++)
            *value = *value << 8 | buffer.data[i];
    } else if (ok || error.code == STATUS_TOO_LARGE) {
        ok = status_fail(status, STATUS_DAMAGED, "the record %s/%s is not a counter", name_space,
                         key);
    } else if (error.code == STATUS_NOT_FOUND) {
        ok = true;
    } else {
        status_fail(status, error.code, "%s", error.text);
    }
    buffer_free(&buffer);
    return ok;
}

bool store_increment(struct store *store, const char *name_space, const char *key, uint64_t amount,
                     uint64_t *value, struct status *status) {
    uint64_t old;
    if (!read_counter(store, name_space, key, &old, status)) return false;
    if (amount > INT64_MAX || old > INT64_MAX - amount) {
        return status_fail(status, STATUS_TOO_LARGE, "the counter %s/%s is at its end", name_space,
                           key);
    }
    uint64_t new_value = old + amount;
    uint8_t bytes[COUNTER_BYTES];
    for (int i = 0; i < COUNTER_BYTES; i++)
        bytes[i] = (uint8_t)(new_value >> (56 - 8 * i));
    if (!store_put(store, name_space, key, bytes_of(bytes, sizeof bytes), status)) return false;
    *value = new_value;
    return true;
}
