/*
 * The tree inside the subject index: nodes, queue groups and the changes to them. Private to the
 * index.
 */
#ifndef LSYS_BROKER_SUBJECT_TREE_H
#define LSYS_BROKER_SUBJECT_TREE_H

#include "broker/name_table.h"
#include "broker/subject_index.h"

/* An unordered list of entries; each knows its position, so that one is removed in constant
 * time. */
struct entry_list {
    struct subject_entry **entries;
    uint32_t count, capacity;
};

/* A queue group's name, once for the whole index: equal names at several nodes are one group. */
struct queue_name {
    struct name_link link;
    uint32_t users;   /* struct subject_group with this name */
    uint32_t slot;    /* its place in the match numbered `seen_in` */
    uint64_t seen_in; /* number of the match that met it last */
    uint8_t bytes[];
};

/* The members of a group at one node. */
struct subject_group {
    struct name_link link; /* in the node's `groups`; the name is that of `name` */
    struct queue_name *name;
    struct entry_list members;
};

struct subject_node {
    struct name_link link;       /* in the parent's `children`, when the token is literal */
    struct subject_node *parent; /* NULL: the root */
    struct name_table children;  /* literal tokens below */
    struct subject_node *any;    /* '*' below */
    struct subject_node *tail;   /* '>' below */
    struct entry_list plain;
    struct name_table groups;
    uint8_t token[];
};

struct subject_tree {
    struct subject_node *root;
    struct name_table queue_names;
    uint64_t hash_key;
    size_t entry_count;
};

/* Makes the empty tree, and frees it when it is empty again. */
void subject_tree_init(struct subject_tree *tree);
void subject_tree_free(struct subject_tree *tree);

/* Insert and remove as the index has them; the subject is valid. */
void subject_tree_insert(struct subject_tree *tree, struct bytes subject, struct bytes queue,
                         struct subject_entry *entry);
void subject_tree_remove(struct subject_tree *tree, struct subject_entry *entry);

#endif
