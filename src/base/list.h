/*
 * An intrusive doubly linked list: the links live inside the elements, so that linking allocates
 * nothing and an element can take itself out in constant time. A head links to itself when empty.
 */
#ifndef LSYS_BASE_LIST_H
#define LSYS_BASE_LIST_H

#include <stdbool.h>
#include <stddef.h>

struct list {
    struct list *previous;
    struct list *next;
};

/* The structure that holds the link `pointer` as its member `member`. */
#define LIST_ENTRY(pointer, type, member)                                                          \
    ((type *)(void *)((char *)(pointer)-offsetof(type, member)))

/* Makes an empty head, or a link that is in no list. */
static inline void list_init(struct list *list) {
    list->previous = list;
    list->next = list;
}

/* True when nothing is linked to this head. */
static inline bool list_is_empty(const struct list *list) {
    return list->next == list;
}

/* Links `link`, which is in no list, as the last one of `list`. */
static inline void list_append(struct list *list, struct list *link) {
    link->previous = list->previous;
    link->next = list;
    list->previous->next = link;
    list->previous = link;
}

/* Takes the link out of its list; harmless when it is in none. */
static inline void list_remove(struct list *link) {
    link->previous->next = link->next;
    link->next->previous = link->previous;
    list_init(link);
}

#endif
