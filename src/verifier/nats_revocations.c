/* Lists of tokens that are taken back: of an account's users, and of an export's activations. */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "verifier/nats_jwt_form.h"

#define EVERYBODY "*"

static int compare(const void *left, const void *right) {
    return strcmp(((const struct nats_revocation *)left)->key,
                  ((const struct nats_revocation *)right)->key);
}

static void sort(struct nats_revocations *list) {
    qsort(list->items, list->count, sizeof *list->items, compare);
}

static struct nats_revocation *find(const struct nats_revocations *list, const char *key) {
    struct nats_revocation wanted;
    if (list->count == 0 || strlen(key) >= sizeof wanted.key) return NULL;
    memcpy(wanted.key, key, strlen(key) + 1);
    return bsearch(&wanted, list->items, list->count, sizeof *list->items, compare);
}

static bool read_one(const struct json_member *member, enum nkey_kind kind,
                     struct nats_revocation *out, struct status *status) {
    enum nkey_kind found;
    uint8_t key[NKEY_KEY_BYTES];
    bool known =
        strcmp(member->name, EVERYBODY) == 0 ||
        (nkey_decode_public(bytes_of_text(member->name), &found, key, NULL) && found == kind);
    if (!known || !json_value_integer(member->value, &out->at_s))
        return status_fail(status, STATUS_BAD_CLAIM,
                           "\"revocations\" has an entry that is no key with a time");
    memcpy(out->key, member->name, strlen(member->name) + 1);
    return true;
}

bool nats_revocations_read(const struct json_value *object, enum nkey_kind kind,
                           struct nats_revocations *out, struct status *status) {
    const struct json_value *members = json_value_member(object, "revocations");
    struct json_member member = {0};
    size_t count = json_value_count(members);
    if (!nats_member_is(object, "revocations", JSON_TYPE_OBJECT, status)) return false;
    if (count > NATS_REVOCATIONS_MAX)
        return status_fail(status, STATUS_TOO_LARGE, "a list has at most %d revocations",
                           NATS_REVOCATIONS_MAX);
    if (count == 0) return true;
    out->items = memory_new_array(count, sizeof *out->items);
    while (json_value_next_member(members, &member))
        if (!read_one(&member, kind, &out->items[out->count++], status)) return false;
    sort(out);
    return true;
}

void nats_revocations_write(struct json_writer *json, const struct nats_revocations *list) {
    if (list->count == 0) return;
    json_writer_name(json, "revocations");
    json_writer_begin_object(json);
    for (size_t i = 0; i < list->count; i++)
        json_writer_member_integer(json, list->items[i].key, list->items[i].at_s);
    json_writer_end_object(json);
}

bool nats_revocations_have(const struct nats_revocations *list, const char *key,
                           int64_t issued_at_s) {
    const struct nats_revocation *all = find(list, EVERYBODY);
    const struct nats_revocation *one = find(list, key);
    return (all && issued_at_s <= all->at_s) || (one && issued_at_s <= one->at_s);
}

bool nats_revocations_add(struct nats_revocations *list, const char *key, int64_t at_s,
                          struct status *status) {
    struct nats_revocation *known = find(list, key);
    size_t count = list->count;
    if (known) {
        if (known->at_s < at_s) known->at_s = at_s;
        return true;
    }
    if (count >= NATS_REVOCATIONS_MAX)
        return status_fail(status, STATUS_TOO_LARGE, "a list has at most %d revocations",
                           NATS_REVOCATIONS_MAX);
    struct nats_revocation *larger = memory_new_array(count + 1, sizeof *larger);
    if (count > 0) memcpy(larger, list->items, count * sizeof *larger);
    free(list->items);
    list->items = larger;
    larger[count].at_s = at_s;
    memcpy(larger[count].key, key, strlen(key) + 1);
    list->count++;
    sort(list);
    return true;
}
