#include "broker/permissions.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "broker/subject.h"

static size_t first_blank(struct bytes text) {
    size_t at = 0;
    while (at < text.length && text.data[at] != ' ' && text.data[at] != '\t')
        at++;
    return at;
}

bool pattern_list_add(struct pattern_list *list, const char *entry, struct status *status) {
    struct bytes text = bytes_trim(bytes_of_text(entry));
    struct bytes subject = text, queue = bytes_of(NULL, 0);
    size_t blank = first_blank(text);
    if (blank < text.length) {
        subject.length = blank;
        queue = bytes_trim(bytes_of(text.data + blank, text.length - blank));
    }
    bool good =
        subject_is_valid(subject) &&
        (queue.data == NULL || (subject_is_valid(queue) && first_blank(queue) == queue.length));
    if (!good) return status_fail(status, STATUS_CONFIG, "\"%s\" is not a subject", entry);
    struct subject_pattern *larger =
        memory_new_array(list->count + 1, sizeof(struct subject_pattern));
    if (list->count > 0) memcpy(larger, list->patterns, list->count * sizeof *larger);
    free(list->patterns);
    list->patterns = larger;
    list->patterns[list->count++] = (struct subject_pattern){
        .subject = memory_copy_bytes(subject.data, subject.length),
        .queue = queue.data != NULL ? memory_copy_bytes(queue.data, queue.length) : NULL,
    };
    list->given = true;
    return true;
}

static void pattern_list_free(struct pattern_list *list) {
    for (size_t i = 0; i < list->count; i++) {
        free(list->patterns[i].subject);
        free(list->patterns[i].queue);
    }
    free(list->patterns);
    *list = (struct pattern_list){0};
}

void permissions_free(struct permissions *permissions) {
    pattern_list_free(&permissions->publish_allow);
    pattern_list_free(&permissions->publish_deny);
    pattern_list_free(&permissions->subscribe_allow);
    pattern_list_free(&permissions->subscribe_deny);
}

/* What a list says about a subject. */
struct verdict {
    bool plain;        /* an entry without group contains it */
    bool queue_named;  /* an entry with some group contains it */
    bool queue_agrees; /* ... and the group is the one asked for */
};

static struct verdict list_ask(const struct pattern_list *list, struct bytes subject,
                               struct bytes queue) {
    struct verdict verdict = {false, false, false};
    for (size_t i = 0; i < list->count; i++) {
        const struct subject_pattern *pattern = &list->patterns[i];
        if (!subject_contains(bytes_of_text(pattern->subject), subject)) continue;
        if (pattern->queue == NULL) {
            verdict.plain = true;
            continue;
        }
        verdict.queue_named = true;
        if (queue.length > 0 && subject_contains(bytes_of_text(pattern->queue), queue))
            verdict.queue_agrees = true;
    }
    return verdict;
}

/* For a subscription with a group, entries that name groups decide where there are any. */
static bool list_has(const struct pattern_list *list, struct bytes subject, struct bytes queue) {
    struct verdict verdict = list_ask(list, subject, queue);
    return queue.length > 0 && verdict.queue_named ? verdict.queue_agrees : verdict.plain;
}

bool permissions_may_publish(const struct permissions *permissions, struct bytes subject) {
    struct bytes no_queue = bytes_of(NULL, 0);
    if (permissions->publish_allow.given &&
        !list_has(&permissions->publish_allow, subject, no_queue))
        return false;
    return !list_has(&permissions->publish_deny, subject, no_queue);
}

bool permissions_may_subscribe(const struct permissions *permissions, struct bytes subject,
                               struct bytes queue) {
    if (permissions->subscribe_allow.given &&
        !list_has(&permissions->subscribe_allow, subject, queue))
        return false;
    return !list_has(&permissions->subscribe_deny, subject, queue);
}

bool permissions_filter_needed(const struct permissions *permissions, struct bytes subject) {
    const struct pattern_list *deny = &permissions->subscribe_deny;
    if (deny->count == 0 || !subject_has_wildcard(subject)) return false;
    for (size_t i = 0; i < deny->count; i++)
        if (deny->patterns[i].queue == NULL &&
            subjects_overlap(bytes_of_text(deny->patterns[i].subject), subject))
            return true;
    return false;
}

bool permissions_may_receive(const struct permissions *permissions, struct bytes subject) {
    return !list_has(&permissions->subscribe_deny, subject, bytes_of(NULL, 0));
}

static bool text_equal(const char *left, const char *right) {
    if (left == NULL || right == NULL) return left == right;
    return strcmp(left, right) == 0;
}

static bool lists_equal(const struct pattern_list *left, const struct pattern_list *right) {
    if (left->given != right->given || left->count != right->count) return false;
    for (size_t i = 0; i < left->count; i++)
        if (!text_equal(left->patterns[i].subject, right->patterns[i].subject) ||
            !text_equal(left->patterns[i].queue, right->patterns[i].queue))
            return false;
    return true;
}

bool permissions_equal(const struct permissions *left, const struct permissions *right) {
    return lists_equal(&left->publish_allow, &right->publish_allow) &&
           lists_equal(&left->publish_deny, &right->publish_deny) &&
           lists_equal(&left->subscribe_allow, &right->subscribe_allow) &&
           lists_equal(&left->subscribe_deny, &right->subscribe_deny) &&
           left->allow_responses == right->allow_responses &&
           left->responses_max == right->responses_max &&
           left->response_expires_ms == right->response_expires_ms;
}
