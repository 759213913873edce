#include "app/metrics.h"

#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/assertion.h"
#include "base/list.h"
#include "base/memory.h"

/* Room for the labels of one series as they are written, "{role=\"...\"}". */
#define LABELS_BYTES 512

/* Whole numbers up to here are written without an exponent: all of them are exact in a double. */
#define EXACT_LIMIT 9007199254740992.0

struct series {
    struct metric metric; /* first, so that the pointer given out is the series */
    struct series *next;  /* of the same family, in the order of registration */
    char *labels;         /* owned: as written, or "" */
};

struct family {
    const char *name;
    const char *help;
    const char *type;
    struct series *first;
    struct family *next;
};

struct refresh {
    struct list link;
    void (*refresh)(void *owner);
    void *owner;
};

struct metrics {
    struct family *first;
    size_t series_count;
    struct list refreshes;
};

struct metrics *metrics_new(void) {
    struct metrics *metrics = memory_new(sizeof *metrics);
    list_init(&metrics->refreshes);
    return metrics;
}

static void free_family(struct family *family) {
    while (family->first) {
        struct series *series = family->first;
        family->first = series->next;
        free(series->labels);
        free(series);
    }
    free(family);
}

static void free_refresh(struct refresh *refresh) {
    list_remove(&refresh->link);
    free(refresh);
}

void metrics_free(struct metrics *metrics) {
    if (!metrics) return;
    while (metrics->first) {
        struct family *family = metrics->first;
        metrics->first = family->next;
        free_family(family);
    }
    while (!list_is_empty(&metrics->refreshes))
        free_refresh(LIST_ENTRY(metrics->refreshes.next, struct refresh, link));
    free(metrics);
}

/* Appends a label value, escaped as the format wants it. */
static void append_escaped(struct buffer *out, const char *value) {
    for (; *value; value++) {
        if (*value == '\n') {
            buffer_append_text(out, "\\n");
            continue;
        }
        if (*value == '\\' || *value == '"') buffer_append_text(out, "\\");
        buffer_append(out, value, 1);
    }
}

static char *format_labels(va_list pairs) {
    struct buffer out;
    buffer_init(&out, LABELS_BYTES);
    const char *name;
    while ((name = va_arg(pairs, const char *))) {
        buffer_append_text(&out, out.length > 0 ? "," : "{");
        buffer_append_format(&out, "%s=\"", name);
        append_escaped(&out, va_arg(pairs, const char *));
        buffer_append_text(&out, "\"");
    }
    if (out.length > 0) buffer_append_text(&out, "}");
    ASSERT(!out.failed);
    return buffer_take_text(&out);
}

static struct family *find_or_add_family(struct metrics *metrics, const char *name,
                                         const char *help, const char *type) {
    struct family **place = &metrics->first;
    for (; *place; place = &(*place)->next) {
        if (strcmp((*place)->name, name) != 0) continue;
        ASSERT(!strcmp((*place)->type, type));
        return *place;
    }
    struct family *family = memory_new(sizeof *family);
    family->name = name;
    family->help = help;
    family->type = type;
    *place = family;
    return family;
}

static struct metric *find_or_add(struct metrics *metrics, struct family *family, char *labels) {
    struct series **place = &family->first;
    for (; *place; place = &(*place)->next) {
        if (strcmp((*place)->labels, labels) != 0) continue;
        free(labels);
        return &(*place)->metric;
    }
    ASSERT(metrics->series_count < METRICS_SERIES);
    metrics->series_count++;
    struct series *series = memory_new(sizeof *series);
    series->labels = labels;
    *place = series;
    return &series->metric;
}

struct metric *metrics_counter(struct metrics *metrics, const char *name, const char *help, ...) {
    va_list pairs;
    va_start(pairs, help);
    char *labels = format_labels(pairs);
    va_end(pairs);
    return find_or_add(metrics, find_or_add_family(metrics, name, help, "counter"), labels);
}

struct metric *metrics_gauge(struct metrics *metrics, const char *name, const char *help, ...) {
    va_list pairs;
    va_start(pairs, help);
    char *labels = format_labels(pairs);
    va_end(pairs);
    return find_or_add(metrics, find_or_add_family(metrics, name, help, "gauge"), labels);
}

void metrics_add_refresh(struct metrics *metrics, void (*refresh)(void *owner), void *owner) {
    struct refresh *added = memory_new(sizeof *added);
    added->refresh = refresh;
    added->owner = owner;
    list_append(&metrics->refreshes, &added->link);
}

void metrics_remove_refresh(struct metrics *metrics, void *owner) {
    struct list *next;
    for (struct list *link = metrics->refreshes.next; link != &metrics->refreshes; link = next) {
        struct refresh *refresh = LIST_ENTRY(link, struct refresh, link);
        next = link->next;
        if (refresh->owner == owner) free_refresh(refresh);
    }
}

static void append_value(struct buffer *out, double value) {
    if (isnan(value))
        buffer_append_text(out, "NaN");
    else if (isinf(value))
        buffer_append_text(out, value > 0 ? "+Inf" : "-Inf");
    else if (fabs(value) <= EXACT_LIMIT && value == trunc(value))
        buffer_append_format(out, "%" PRId64, (int64_t)value);
    else
        buffer_append_format(out, "%.15g", value);
}

void metrics_write(struct metrics *metrics, struct buffer *out) {
    struct list *link = metrics->refreshes.next;
    for (; link != &metrics->refreshes; link = link->next) {
        struct refresh *refresh = LIST_ENTRY(link, struct refresh, link);
        refresh->refresh(refresh->owner);
    }
    for (const struct family *family = metrics->first; family; family = family->next) {
        buffer_append_format(out, "# HELP %s %s\n# TYPE %s %s\n", family->name, family->help,
                             family->name, family->type);
        for (const struct series *series = family->first; series; series = series->next) {
            buffer_append_format(out, "%s%s ", family->name, series->labels);
            append_value(out, series->metric.value);
            buffer_append_text(out, "\n");
        }
    }
}
