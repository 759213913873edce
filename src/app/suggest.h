/*
 * "Did you mean": finds the nearest of a few names to a mistyped one.
 */
#ifndef LSYS_APP_SUGGEST_H
#define LSYS_APP_SUGGEST_H

#include <stddef.h>

/* The search so far; zero-initialise it. */
struct suggestion {
    const char *name; /* the nearest so far; NULL: none near enough */
    size_t distance;
};

/* Compares one candidate, which must outlive the suggestion, with what was typed. Near enough is at
 * most one changed, missing, surplus or swapped letter for each three letters typed, or the typed
 * text being the beginning of the candidate. */
void suggestion_consider(struct suggestion *suggestion, const char *typed, const char *candidate);

#endif
