#include "broker/name_table.h"

#include <stdlib.h>

#include "base/assertion.h"
#include "base/memory.h"

/* Most tables hold one or two names: one subscription, one token below another. */
#define FIRST_SLOTS 2

static struct name_link **slot_of(const struct name_table *table, uint64_t hash) {
    return &table->slots[hash & (table->slot_count - 1)];
}

struct name_link *name_table_find(const struct name_table *table, uint64_t hash,
                                  struct bytes name) {
    if (table->count == 0) return NULL;
    struct name_link *link = *slot_of(table, hash);
    while (link != NULL && !(link->hash == hash && bytes_equal(link->name, name)))
        link = link->next;
    return link;
}

static void table_grow(struct name_table *table) {
    struct name_table larger = {NULL, table->slot_count ? table->slot_count * 2 : FIRST_SLOTS, 0};
    larger.slots = memory_new_array(larger.slot_count, sizeof(struct name_link *));
    larger.count = table->count;
    for (uint32_t i = 0; i < table->slot_count; i++) {
        struct name_link *link = table->slots[i];
        while (link != NULL) {
            struct name_link *next = link->next;
            struct name_link **slot = slot_of(&larger, link->hash);
            link->next = *slot;
            *slot = link;
            link = next;
        }
    }
    free(table->slots);
    *table = larger;
}

void name_table_add(struct name_table *table, struct name_link *link) {
    if (table->count >= table->slot_count) table_grow(table);
    struct name_link **slot = slot_of(table, link->hash);
    link->next = *slot;
    *slot = link;
    table->count++;
}

void name_table_remove(struct name_table *table, struct name_link *link) {
    struct name_link **place = slot_of(table, link->hash);
    while (*place != link) {
        ASSERT(*place != NULL);
        place = &(*place)->next;
    }
    *place = link->next;
    link->next = NULL;
    if (--table->count == 0) {
        free(table->slots);
        *table = (struct name_table){NULL, 0, 0};
    }
}

struct name_link *name_table_next(const struct name_table *table,
                                  const struct name_link *previous) {
    if (table->count == 0) return NULL;
    uint64_t slot = 0;
    if (previous != NULL) {
        if (previous->next != NULL) return previous->next;
        slot = (previous->hash & (table->slot_count - 1)) + 1;
    }
    while (slot < table->slot_count && table->slots[slot] == NULL)
        slot++;
    return slot < table->slot_count ? table->slots[slot] : NULL;
}
