#include "broker/answers.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/random.h"
#include "broker/hash.h"
#include "broker/limits.h"
#include "codec/base64url.h"

struct owed {
    struct name_link link; /* its name is `subject` */
    struct list order;
    struct answer_way way; /* `reply` lies in `text` */
    int64_t expires_ms;    /* monotonic */
    char subject[ANSWERS_SUBJECT_BYTES];
    uint8_t text[];
};

static struct owed *oldest(const struct answers *answers) {
    return LIST_ENTRY(answers->order.next, struct owed, order);
}

static void forget(struct answers *answers, struct owed *owed) {
    name_table_remove(&answers->by_subject, &owed->link);
    list_remove(&owed->order);
    free(owed);
}

static void begin(struct answers *answers) {
    if (answers->order.next != NULL) return;
    list_init(&answers->order);
    random_bytes(&answers->hash_key, sizeof answers->hash_key);
    answers->hash_key |= 1;
}

static void make_subject(char out[ANSWERS_SUBJECT_BYTES]) {
    uint8_t random[16];
    random_bytes(random, sizeof random);
    memcpy(out, ANSWERS_PREFIX, sizeof ANSWERS_PREFIX);
    base64url_encode(bytes_of(random, sizeof random), out + sizeof ANSWERS_PREFIX - 1);
}

/* Those whose time is over go from the front, where most of them are. */
static void make_room(struct answers *answers, int64_t now_ms) {
    while (!list_is_empty(&answers->order) && (answers->by_subject.count >= LIMIT_ANSWERS_OWED ||
                                               oldest(answers)->expires_ms <= now_ms))
        forget(answers, oldest(answers));
}

void answers_owe(struct answers *answers, const struct answer_way *way, int64_t now_ms,
                 char subject[ANSWERS_SUBJECT_BYTES]) {
    begin(answers);
    make_room(answers, now_ms);
    struct owed *owed = memory_new(sizeof *owed + way->reply.length);
    make_subject(owed->subject);
    memcpy(owed->text, way->reply.data, way->reply.length);
    owed->way = *way;
    owed->way.reply = bytes_of(owed->text, way->reply.length);
    owed->expires_ms = now_ms + way->threshold_ms;
    owed->link.name = bytes_of_text(owed->subject);
    owed->link.hash = hash_name(owed->link.name, answers->hash_key);
    list_init(&owed->order);
    list_append(&answers->order, &owed->order);
    name_table_add(&answers->by_subject, &owed->link);
    memcpy(subject, owed->subject, sizeof owed->subject);
}

static struct owed *find(const struct answers *answers, struct bytes subject) {
    struct name_link *link =
        name_table_find(&answers->by_subject, hash_name(subject, answers->hash_key), subject);
    return link != NULL ? LIST_ENTRY(link, struct owed, link) : NULL;
}

bool answers_take(struct answers *answers, struct bytes subject, int64_t now_ms,
                  struct answer_way *out, void *text, size_t size_bytes) {
    struct owed *owed = find(answers, subject);
    if (owed == NULL || owed->way.reply.length > size_bytes) return false;
    bool in_time = owed->expires_ms > now_ms;
    *out = owed->way;
    memcpy(text, owed->way.reply.data, owed->way.reply.length);
    out->reply.data = text;
    owed->expires_ms = now_ms + owed->way.threshold_ms;
    if (!in_time || !owed->way.many) forget(answers, owed);
    return in_time;
}

void answers_forget(struct answers *answers, const char *subject) {
    struct owed *owed = find(answers, bytes_of_text(subject));
    if (owed != NULL) forget(answers, owed);
}

void answers_free(struct answers *answers) {
    while (answers->order.next != NULL && !list_is_empty(&answers->order))
        forget(answers, oldest(answers));
}
