#include "app/health.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/assertion.h"
#include "base/memory.h"
#include "codec/json_writer.h"

struct condition {
    const char *name;
    bool met;
    char reason[HEALTH_REASON_BYTES];
};

struct health {
    struct condition conditions[HEALTH_CONDITIONS];
    size_t count;
};

struct health *health_new(void) {
    return memory_new(sizeof(struct health));
}

void health_free(struct health *health) {
    free(health);
}

static struct condition *find_condition(struct health *health, const char *name) {
    for (size_t i = 0; i < health->count; i++)
        if (!strcmp(health->conditions[i].name, name)) return &health->conditions[i];
    return NULL;
}

bool health_set(struct health *health, const char *name, bool met, const char *reason) {
    struct condition *condition = find_condition(health, name);
    bool changed = !condition || condition->met != met;
    if (!condition) {
        ASSERT(health->count < HEALTH_CONDITIONS);
        condition = &health->conditions[health->count++];
        condition->name = name;
    }
    condition->met = met;
    snprintf(condition->reason, sizeof condition->reason, "%s", reason ? reason : "");
    return changed;
}

void health_remove(struct health *health, const char *name) {
    struct condition *condition = find_condition(health, name);
    if (!condition) return;
    struct condition *last = &health->conditions[--health->count];
    memmove(condition, condition + 1, (size_t)(last - condition) * sizeof *condition);
}

static const struct condition *first_unmet(const struct health *health) {
    for (size_t i = 0; i < health->count; i++)
        if (!health->conditions[i].met) return &health->conditions[i];
    return NULL;
}

bool health_is_ready(const struct health *health) {
    return !first_unmet(health);
}

const char *health_first_reason(const struct health *health) {
    const struct condition *condition = first_unmet(health);
    return condition ? condition->reason : "";
}

void health_write_json(const struct health *health, struct buffer *out) {
    struct json_writer json;
    json_writer_init(&json, out);
    json_writer_begin_object(&json);
    json_writer_member_boolean(&json, "ready", health_is_ready(health));
    json_writer_name(&json, "conditions");
    json_writer_begin_array(&json);
    for (size_t i = 0; i < health->count; i++) {
        const struct condition *condition = &health->conditions[i];
        json_writer_begin_object(&json);
        json_writer_member_text(&json, "name", condition->name);
        json_writer_member_boolean(&json, "met", condition->met);
        json_writer_member_text(&json, "reason", condition->reason);
        json_writer_end_object(&json);
    }
    json_writer_end_array(&json);
    json_writer_end_object(&json);
}
