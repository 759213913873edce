#include "app/license_shelf_index.h"

#include <stdlib.h>
#include <string.h>

#include "app/license_shelf_record.h"
#include "base/memory.h"

/* Where the id is, or where it would be inserted. */
static size_t position_of(const struct license_shelf *shelf, const char *license_id, bool *found) {
    size_t low = 0, high = shelf->count;
    *found = false;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = strcmp(shelf->entries[middle]->license_id, license_id);
        if (order == 0) {
            *found = true;
            return middle;
        }
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

void license_shelf_index_add(struct license_shelf *shelf, struct shelf_entry *entry) {
    bool found;
    size_t position = position_of(shelf, entry->license_id, &found);
    shelf->entries = memory_grow_array(shelf->entries, shelf->count, &shelf->capacity,
                                       sizeof(struct shelf_entry *));
    memmove(shelf->entries + position + 1, shelf->entries + position,
            (shelf->count - position) * sizeof(struct shelf_entry *));
    shelf->entries[position] = entry;
    shelf->count++;
    shelf->edits++;
    shelf->deleted += entry->deleted;
    list_append(&shelf->by_change, &entry->by_change);
}

void license_shelf_index_replace(struct license_shelf *shelf, struct shelf_entry *entry) {
    bool found;
    size_t position = position_of(shelf, entry->license_id, &found);
    if (!found) {
        license_shelf_index_add(shelf, entry);
        return;
    }
    shelf->deleted -= shelf->entries[position]->deleted;
    shelf->deleted += entry->deleted;
    license_shelf_entry_free(shelf->entries[position]);
    shelf->entries[position] = entry;
    shelf->edits++;
    list_append(&shelf->by_change, &entry->by_change);
}

void license_shelf_index_remove(struct license_shelf *shelf, struct shelf_entry *entry) {
    bool found;
    size_t position = position_of(shelf, entry->license_id, &found);
    if (!found) return;
    shelf->deleted -= entry->deleted;
    shelf->count--;
    shelf->edits++;
    memmove(shelf->entries + position, shelf->entries + position + 1,
            (shelf->count - position) * sizeof(struct shelf_entry *));
    license_shelf_entry_free(entry);
}

static int compare_changes(const void *left, const void *right) {
    const struct shelf_entry *const *one = left;
    const struct shelf_entry *const *other = right;
    return ((*one)->change > (*other)->change) - ((*one)->change < (*other)->change);
}

void license_shelf_index_order(struct license_shelf *shelf) {
    if (shelf->count == 0) return;
    struct shelf_entry **sorted = memory_new_array(shelf->count, sizeof(struct shelf_entry *));
    memcpy(sorted, shelf->entries, shelf->count * sizeof(struct shelf_entry *));
    qsort(sorted, shelf->count, sizeof(struct shelf_entry *), compare_changes);
    for (size_t i = 0; i < shelf->count; i++) {
        list_remove(&sorted[i]->by_change);
        list_append(&shelf->by_change, &sorted[i]->by_change);
    }
    free(sorted);
}

/* ---- finding ---- */

struct shelf_entry *license_shelf_find(struct license_shelf *shelf, const char *license_id) {
    bool found;
    size_t position = position_of(shelf, license_id, &found);
    return found ? shelf->entries[position] : NULL;
}

struct shelf_entry *license_shelf_at(struct license_shelf *shelf, size_t index) {
    return index < shelf->count ? shelf->entries[index] : NULL;
}

struct shelf_entry *license_shelf_next(struct license_shelf *shelf,
                                       const struct shelf_entry *entry) {
    struct list *link = entry->by_change.next;
    return link == &shelf->by_change ? NULL : LIST_ENTRY(link, struct shelf_entry, by_change);
}

/* From the newest backwards: who asks is usually a few changes behind. */
struct shelf_entry *license_shelf_since(struct license_shelf *shelf, uint64_t since) {
    struct shelf_entry *found = NULL;
    for (struct list *link = shelf->by_change.previous; link != &shelf->by_change;
         link = link->previous) {
        struct shelf_entry *entry = LIST_ENTRY(link, struct shelf_entry, by_change);
        if (entry->change <= since) break;
        found = entry;
    }
    return found;
}
