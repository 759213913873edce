/*
 * From subjects of one account to those of another, as an import of NATS names them: a subject of
 * the exporter, and one of the importer in which "$2" is the token that the exporter's second '*'
 * stands for. A '*' of the importer's subject is the next one of the exporter's that is its own.
 *
 *     exporter      importer         a message there    is here
 *     orders.*.*    shop.$2.$1       orders.eu.new      shop.new.eu
 *     orders.>      from.shop.>      orders.eu.new      from.shop.eu.new
 *
 * It goes both ways, so each '*' has to be used exactly once, and '>' in both or in none.
 */
#ifndef LSYS_BROKER_SUBJECT_MAP_H
#define LSYS_BROKER_SUBJECT_MAP_H

#include <stdbool.h>
#include <stddef.h>

#include "base/attributes.h"
#include "base/bytes.h"
#include "base/status.h"

/* Wildcards of one subject. */
#define SUBJECT_MAP_WILDCARDS_MAX 32

enum subject_map_direction { SUBJECT_MAP_TO_IMPORTER, SUBJECT_MAP_TO_EXPORTER };

struct subject_map {
    char *from; /* the pattern of the subjects that it is for; owned */
    char *to;   /* the pattern of those that come out; owned */
    /* For each '*' of `to`, in order, which '*' of `from` it is; from 0 on. */
    unsigned char source[SUBJECT_MAP_WILDCARDS_MAX];
};

/* `exporter` is a valid subject, `importer` may have "$1". STATUS_CONFIG when they do not belong
 * together. Freed by subject_map_free. */
bool subject_map_make(const char *exporter, const char *importer,
                      enum subject_map_direction direction, struct subject_map *out,
                      struct status *status) MUST_CHECK;
void subject_map_free(struct subject_map *map);

/* Writes what a literal subject that `from` matches becomes into `out`. The result lies in `out`;
 * empty when it does not fit or `from` does not match. */
struct bytes subject_map_apply(const struct subject_map *map, struct bytes subject, void *out,
                               size_t size_bytes);

#endif
