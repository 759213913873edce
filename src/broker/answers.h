/*
 * Answers that an account's services still owe to other accounts. A request that comes through a
 * service import gets a reply subject of its own, "_R_." and 22 random characters; what is
 * published on it in the exporter's account goes to the reply subject that the requester named.
 * Bounded; the oldest are forgotten first. Private to src/broker.
 */
#ifndef LSYS_BROKER_ANSWERS_H
#define LSYS_BROKER_ANSWERS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/list.h"
#include "broker/name_table.h"

struct account;

/* What those reply subjects begin with, as in nats-server. */
#define ANSWERS_PREFIX "_R_."

/* With 16 random bytes as base64url, and a NUL. */
#define ANSWERS_SUBJECT_BYTES (sizeof ANSWERS_PREFIX + 22)

struct answers {
    struct name_table by_subject;
    struct list order; /* oldest first; `next` is NULL while nothing was ever owed */
    uint64_t hash_key;
};

/* Where an answer goes. */
struct answer_way {
    struct account *to;
    uint64_t only_client; /* no other client may receive it; 0: all */
    bool many;            /* more than one may come */
    int64_t threshold_ms; /* for how long the first, and then the next one, is waited for */
    struct bytes reply;   /* what the requester named */
};

/* Notes that an answer is owed; what is in `way` is copied. Writes the subject for it. */
void answers_owe(struct answers *answers, const struct answer_way *way, int64_t now_ms,
                 char subject[ANSWERS_SUBJECT_BYTES]);

/* An answer has come: true with the way in `out` when it is owed. It is owed no more unless there
 * may be many. `reply` (of `out`) is copied into `text`, which has room for any subject of the
 * protocol. */
bool answers_take(struct answers *answers, struct bytes subject, int64_t now_ms,
                  struct answer_way *out, void *text, size_t size_bytes);

/* The request reached nobody. */
void answers_forget(struct answers *answers, const char *subject);

void answers_free(struct answers *answers);

#endif
