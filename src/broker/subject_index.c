#include "broker/subject_index.h"

#include <stdlib.h>
#include <string.h>

#include "base/assertion.h"
#include "base/list.h"
#include "base/memory.h"
#include "broker/hash.h"
#include "broker/subject.h"
#include "broker/subject_tree.h"

#define NODE_OF(pointer)  LIST_ENTRY(pointer, struct subject_node, link)
#define GROUP_OF(pointer) LIST_ENTRY(pointer, struct subject_group, link)

/* Subjects whose receivers are remembered: more than the subjects that one site keeps busy. */
#define CACHE_SLOTS 1024

/* Longer subjects are looked up in the tree each time. */
#define CACHE_SUBJECT_BYTES 104

/* Entries that all remembered results may hold together (8 MiB of pointers): past it, the cache
 * begins anew. A few subjects with very many subscribers must not keep that list a thousand
 * times. */
#define CACHE_ENTRIES (1024 * 1024)

/* A result holds as long as nothing changed that could matter to it: a change of a literal subject
 * clears that subject's slot, a change of a wildcard ends the era and so empties the whole
 * cache. */
struct cache_slot {
    uint64_t hash;
    uint64_t era; /* 0: empty */
    struct subject_match match;
    uint32_t subject_length;
    uint8_t subject[CACHE_SUBJECT_BYTES];
};

struct subject_index {
    struct subject_tree tree;
    uint64_t era;
    uint64_t match_number;    /* of the present walk, for queue_name.seen_in */
    size_t cached_entries;    /* capacity of all slots' arrays */
    struct subject_match big; /* result for subjects too long for the cache */
    struct cache_slot *slots;
};

/* ---- the result's arrays ---- */

/* Makes room for `more` elements of `element_bytes` behind `count`. */
static void *array_grow(void *array, uint32_t count, uint32_t more, uint32_t *capacity,
                        size_t element_bytes) {
    if (*capacity - count >= more) return array;
    uint32_t wanted = *capacity ? *capacity : 2;
    while (wanted - count < more)
        wanted *= 2;
    void *larger = memory_try_resize(array, wanted * element_bytes);
    ASSERT(larger != NULL);
    *capacity = wanted;
    return larger;
}

static void match_free(struct subject_match *match) {
    free(match->plain);
    free(match->queued);
    free(match->queues);
    *match = (struct subject_match){0};
}

static void add_plain(struct subject_match *match, const struct entry_list *list) {
    match->plain = array_grow(match->plain, match->plain_count, list->count, &match->plain_capacity,
                              sizeof(struct subject_entry *));
    memcpy(match->plain + match->plain_count, list->entries,
           list->count * sizeof(struct subject_entry *));
    match->plain_count += list->count;
}

/* ---- the walk ---- */

/* What to do with a node whose subscriptions match. */
struct walk {
    struct subject_index *index;
    struct subject_match *match;
    bool place; /* second pass: the groups are counted, put their members in place */
};

/* First pass: counts the members of each group name. Second pass: writes them behind each other. */
static void meet_groups(struct walk *walk, const struct subject_node *node) {
    struct subject_match *match = walk->match;
    for (struct name_link *link = name_table_next(&node->groups, NULL); link != NULL;
         link = name_table_next(&node->groups, link)) {
        struct subject_group *group = GROUP_OF(link);
        if (group->name->seen_in != walk->index->match_number) {
            group->name->seen_in = walk->index->match_number;
            group->name->slot = match->queue_count;
            match->queues = array_grow(match->queues, match->queue_count, 1, &match->queue_capacity,
                                       sizeof(struct subject_queue));
            match->queues[match->queue_count++] = (struct subject_queue){0, 0};
        }
        struct subject_queue *queue = &match->queues[group->name->slot];
        if (walk->place)
            memcpy(match->queued + queue->first + queue->count, group->members.entries,
                   group->members.count * sizeof(struct subject_entry *));
        queue->count += group->members.count;
    }
}

static void meet(struct walk *walk, const struct subject_node *node) {
    if (node->plain.count > 0 && !walk->place) add_plain(walk->match, &node->plain);
    if (node->groups.count > 0) meet_groups(walk, node);
}

/* Walks down from `node` with what is left of the subject, meeting each node that matches it.
 * Literal tokens are followed in the loop, '*' by recursion, whose depth is the number of
 * tokens. */
static void walk_from(struct walk *walk, const struct subject_node *node, struct bytes rest) {
    struct bytes token;
    while (subject_next_token(&rest, &token)) {
        if (node->tail != NULL) meet(walk, node->tail);
        if (node->any != NULL) {
            if (rest.data == NULL)
                meet(walk, node->any);
            else
                walk_from(walk, node->any, rest);
        }
        if (node->children.count == 0) return;
        uint64_t hash = hash_name(token, walk->index->tree.hash_key);
        struct name_link *link = name_table_find(&node->children, hash, token);
        if (link == NULL) return;
        node = NODE_OF(link);
    }
    meet(walk, node);
}

/* An empty token anywhere means that nobody receives it, not even '>'. */
static bool has_empty_token(struct bytes subject) {
    struct bytes token;
    while (subject_next_token(&subject, &token))
        if (token.length == 0) return true;
    return false;
}

static void match_fill(struct subject_index *index, struct bytes subject,
                       struct subject_match *match) {
    match->plain_count = match->queued_count = match->queue_count = 0;
    if (index->tree.entry_count == 0 || has_empty_token(subject)) return;
    struct walk walk = {index, match, false};
    index->match_number++;
    walk_from(&walk, index->tree.root, subject);
    if (match->queue_count == 0) return;
    for (uint32_t i = 0; i < match->queue_count; i++) {
        match->queues[i].first = match->queued_count;
        match->queued_count += match->queues[i].count;
        match->queues[i].count = 0;
    }
    match->queued = array_grow(match->queued, 0, match->queued_count, &match->queued_capacity,
                               sizeof(struct subject_entry *));
    walk.place = true;
    walk_from(&walk, index->tree.root, subject);
}

/* ---- the cache ---- */

static struct cache_slot *slot_of(struct subject_index *index, uint64_t hash) {
    return &index->slots[hash & (CACHE_SLOTS - 1)];
}

static size_t match_capacity(const struct subject_match *match) {
    return (size_t)match->plain_capacity + match->queued_capacity + match->queue_capacity;
}

static void cache_clear(struct subject_index *index) {
    for (size_t i = 0; i < CACHE_SLOTS; i++) {
        match_free(&index->slots[i].match);
        index->slots[i].era = 0;
    }
    index->cached_entries = 0;
}

/* Called for each change: forgets the results that it can alter. */
static void cache_forget(struct subject_index *index, struct bytes subject, bool wildcard) {
    if (wildcard)
        index->era++;
    else
        slot_of(index, hash_name(subject, index->tree.hash_key))->era = 0;
}

const struct subject_match *subject_index_match(struct subject_index *index, struct bytes subject) {
    if (subject.length > CACHE_SUBJECT_BYTES) {
        match_fill(index, subject, &index->big);
        return &index->big;
    }
    uint64_t hash = hash_name(subject, index->tree.hash_key);
    struct cache_slot *slot = slot_of(index, hash);
    if (slot->hash == hash && slot->era == index->era && slot->subject_length == subject.length &&
        memcmp(slot->subject, subject.data, subject.length) == 0)
        return &slot->match;
    if (index->cached_entries > CACHE_ENTRIES) cache_clear(index);
    index->cached_entries -= match_capacity(&slot->match);
    match_fill(index, subject, &slot->match);
    index->cached_entries += match_capacity(&slot->match);
    slot->hash = hash;
    slot->era = index->era;
    slot->subject_length = (uint32_t)subject.length;
    if (subject.length > 0) memcpy(slot->subject, subject.data, subject.length);
    return &slot->match;
}

bool subject_index_has_interest(struct subject_index *index, struct bytes subject) {
    const struct subject_match *match = subject_index_match(index, subject);
    return match->plain_count > 0 || match->queue_count > 0;
}

/* ---- changes and questions ---- */

struct subject_index *subject_index_new(void) {
    struct subject_index *index = memory_new(sizeof *index);
    subject_tree_init(&index->tree);
    index->slots = memory_new_array(CACHE_SLOTS, sizeof(struct cache_slot));
    index->era = 1;
    return index;
}

void subject_index_free(struct subject_index *index) {
    if (index == NULL) return;
    cache_clear(index);
    match_free(&index->big);
    subject_tree_free(&index->tree);
    free(index->slots);
    free(index);
}

bool subject_index_insert(struct subject_index *index, struct bytes subject, struct bytes queue,
                          struct subject_entry *entry) {
    ASSERT(entry->node == NULL);
    if (!subject_is_valid(subject)) return false;
    subject_tree_insert(&index->tree, subject, queue, entry);
    cache_forget(index, subject, subject_has_wildcard(subject));
    return true;
}

/* A node's place in the tree tells its subject, so that no subscription needs to keep the text. */
size_t subject_index_subject(const struct subject_entry *entry, char *out, size_t size_bytes) {
    size_t length = 0;
    for (const struct subject_node *node = entry->node; node->parent != NULL; node = node->parent)
        length += node->link.name.length + (node->parent->parent != NULL ? 1 : 0);
    size_t end = length;
    for (const struct subject_node *node = entry->node; node->parent != NULL; node = node->parent) {
        struct bytes token = node->link.name;
        for (size_t i = token.length; i-- > 0;)
            if (--end < size_bytes) out[end] = (char)token.data[i];
        if (node->parent->parent != NULL && --end < size_bytes) out[end] = '.';
    }
    return length;
}

static bool node_is_under_wildcard(const struct subject_node *node) {
    for (; node->parent != NULL; node = node->parent)
        if (node == node->parent->any || node == node->parent->tail) return true;
    return false;
}

void subject_index_remove(struct subject_index *index, struct subject_entry *entry) {
    if (entry->node == NULL) return;
    char subject[CACHE_SUBJECT_BYTES];
    size_t length = subject_index_subject(entry, subject, sizeof subject);
    bool wildcard = node_is_under_wildcard(entry->node);
    subject_tree_remove(&index->tree, entry);
    if (wildcard || length <= sizeof subject)
        cache_forget(index, bytes_of(subject, wildcard ? 0 : length), wildcard);
}

size_t subject_index_count(const struct subject_index *index) {
    return index->tree.entry_count;
}

struct bytes subject_index_queue(const struct subject_entry *entry) {
    return entry->group != NULL ? entry->group->link.name : bytes_of(NULL, 0);
}
