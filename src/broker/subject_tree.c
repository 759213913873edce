#include "broker/subject_tree.h"

#include <stdlib.h>
#include <string.h>

#include "base/assertion.h"
#include "base/list.h"
#include "base/memory.h"
#include "base/random.h"
#include "broker/hash.h"
#include "broker/subject.h"

#define NODE_OF(pointer)  LIST_ENTRY(pointer, struct subject_node, link)
#define GROUP_OF(pointer) LIST_ENTRY(pointer, struct subject_group, link)
#define QUEUE_OF(pointer) LIST_ENTRY(pointer, struct queue_name, link)

static void list_add(struct entry_list *list, struct subject_entry *entry) {
    if (list->count == list->capacity) {
        uint32_t capacity = list->capacity ? list->capacity * 2 : 1;
        list->entries = memory_try_resize(list->entries, capacity * sizeof(struct subject_entry *));
        ASSERT(list->entries != NULL);
        list->capacity = capacity;
    }
    entry->position = list->count;
    list->entries[list->count++] = entry;
}

static void list_take(struct entry_list *list, struct subject_entry *entry) {
    ASSERT(list->entries[entry->position] == entry);
    struct subject_entry *last = list->entries[--list->count];
    last->position = entry->position;
    list->entries[entry->position] = last;
    if (list->count == 0) {
        free(list->entries);
        *list = (struct entry_list){NULL, 0, 0};
    }
}

static struct subject_node *node_new(struct subject_node *parent, struct bytes token) {
    struct subject_node *node = memory_new(sizeof *node + token.length);
    node->parent = parent;
    if (token.length > 0) memcpy(node->token, token.data, token.length);
    node->link.name = bytes_of(node->token, token.length);
    return node;
}

static struct subject_node *node_below(struct subject_tree *tree, struct subject_node *node,
                                       struct bytes token) {
    if (token_is_any(token))
        return node->any != NULL ? node->any : (node->any = node_new(node, token));
    if (token_is_tail(token))
        return node->tail != NULL ? node->tail : (node->tail = node_new(node, token));
    uint64_t hash = hash_name(token, tree->hash_key);
    struct name_link *link = name_table_find(&node->children, hash, token);
    if (link != NULL) return NODE_OF(link);
    struct subject_node *child = node_new(node, token);
    child->link.hash = hash;
    name_table_add(&node->children, &child->link);
    return child;
}

static bool node_is_unused(const struct subject_node *node) {
    return node->plain.count == 0 && node->groups.count == 0 && node->children.count == 0 &&
           node->any == NULL && node->tail == NULL;
}

/* Frees the node and those above it that hold nothing any more; never the root. */
static void nodes_prune(struct subject_node *node) {
    while (node->parent != NULL && node_is_unused(node)) {
        struct subject_node *parent = node->parent;
        if (parent->any == node)
            parent->any = NULL;
        else if (parent->tail == node)
            parent->tail = NULL;
        else
            name_table_remove(&parent->children, &node->link);
        free(node);
        node = parent;
    }
}

static struct queue_name *queue_name_of(struct subject_tree *tree, struct bytes name,
                                        uint64_t hash) {
    struct name_link *link = name_table_find(&tree->queue_names, hash, name);
    if (link != NULL) return QUEUE_OF(link);
    struct queue_name *queue = memory_new(sizeof *queue + name.length);
    memcpy(queue->bytes, name.data, name.length);
    queue->link.hash = hash;
    queue->link.name = bytes_of(queue->bytes, name.length);
    name_table_add(&tree->queue_names, &queue->link);
    return queue;
}

static struct subject_group *group_at(struct subject_tree *tree, struct subject_node *node,
                                      struct bytes name) {
    uint64_t hash = hash_name(name, tree->hash_key);
    struct name_link *link = name_table_find(&node->groups, hash, name);
    if (link != NULL) return GROUP_OF(link);
    struct subject_group *group = memory_new(sizeof *group);
    group->name = queue_name_of(tree, name, hash);
    group->name->users++;
    group->link.hash = hash;
    group->link.name = group->name->link.name;
    name_table_add(&node->groups, &group->link);
    return group;
}

static void group_free(struct subject_tree *tree, struct subject_node *node,
                       struct subject_group *group) {
    name_table_remove(&node->groups, &group->link);
    if (--group->name->users == 0) {
        name_table_remove(&tree->queue_names, &group->name->link);
        free(group->name);
    }
    free(group);
}

void subject_tree_init(struct subject_tree *tree) {
    *tree = (struct subject_tree){.root = node_new(NULL, bytes_of(NULL, 0))};
    random_bytes(&tree->hash_key, sizeof tree->hash_key);
    tree->hash_key |= 1; /* a key of 0 would fold everything to 0 */
}

void subject_tree_free(struct subject_tree *tree) {
    ASSERT(tree->entry_count == 0 && node_is_unused(tree->root));
    free(tree->root);
}

void subject_tree_insert(struct subject_tree *tree, struct bytes subject, struct bytes queue,
                         struct subject_entry *entry) {
    struct subject_node *node = tree->root;
    struct bytes token;
    while (subject_next_token(&subject, &token))
        node = node_below(tree, node, token);
    entry->node = node;
    entry->group = queue.length > 0 ? group_at(tree, node, queue) : NULL;
    list_add(entry->group != NULL ? &entry->group->members : &node->plain, entry);
    tree->entry_count++;
}

void subject_tree_remove(struct subject_tree *tree, struct subject_entry *entry) {
    struct subject_node *node = entry->node;
    if (entry->group == NULL) {
        list_take(&node->plain, entry);
    } else {
        list_take(&entry->group->members, entry);
        if (entry->group->members.count == 0) group_free(tree, node, entry->group);
    }
    entry->node = NULL;
    entry->group = NULL;
    tree->entry_count--;
    nodes_prune(node);
}
