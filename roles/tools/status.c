/* lsys status: what the license server and the license client on this machine say, and why. */
#include <stdio.h>

#include "app/ask.h"
#include "app/printable.h"
#include "app/role_options.h"
#include "codec/json_writer.h"
#include "roles/tools/tools.h"

/* Both answers, written anew. */
#define JSON_BYTES (4 * ASK_ANSWER_BYTES)

/* Deepest nesting of an explanation that is printed. */
#define INDENT_MAX 6

static const struct option options[] = {
    {.key = "server",
     .type = OPTION_TEXT,
     .value_name = "URL",
     .fallback = "http://127.0.0.1:8001",
     .environment = "LSYS_SERVER_URL",
     .help = "Where the license server answers"},
    {.key = "client",
     .type = OPTION_TEXT,
     .value_name = "URL",
     .fallback = "http://127.0.0.1:8002",
     .environment = "LSYS_CLIENT_URL",
     .help = "Where the license client answers"},
    {.key = "explain",
     .type = OPTION_BOOLEAN,
     .help = "Print which rule gave the present state, its inputs, and when it changes next"},
    {.key = "json", .type = OPTION_BOOLEAN, .help = "Print both answers as one JSON object"},
    {0},
};

static const struct option *const shared[] = {https_options, NULL};

/* One role and what it said. */
struct source {
    const char *name; /* and the key of its URL */
    struct answer answer;
    struct status status; /* why there is no answer */
};

static void print_scalar(const struct json_value *value) {
    int64_t integer;
    double number;
    bool boolean;
    if (json_value_text(value))
        printable_write(stdout, json_value_text(value));
    else if (json_value_integer(value, &integer))
        printf("%lld", (long long)integer);
    else if (json_value_number(value, &number))
        printf("%.15g", number);
    else if (json_value_boolean(value, &boolean))
        printf("%s", boolean ? "yes" : "no");
    else
        printf("-");
}

static bool is_nested(const struct json_value *value) {
    enum json_type type = json_value_type(value);
    return type == JSON_TYPE_OBJECT || type == JSON_TYPE_ARRAY;
}

/* Prints an object or array as indented lines "name: value". Bounded by INDENT_MAX. */
static void print_tree(const struct json_value *value, int indent) {
    struct json_member member = {0};
    if (indent > INDENT_MAX) return;
    while (json_value_next_member(value, &member)) {
        printf("%*s", 2 * indent, "");
        printable_write(stdout, member.name);
        printf(":");
        if (is_nested(member.value)) {
            printf("\n");
            print_tree(member.value, indent + 1);
            continue;
        }
        printf(" ");
        print_scalar(member.value);
        printf("\n");
    }
    if (json_value_type(value) != JSON_TYPE_ARRAY) return;
    for (size_t i = 0; i < json_value_count(value); i++) {
        const struct json_value *item = json_value_item(value, i);
        printf("%*s- ", 2 * indent, "");
        if (!is_nested(item)) print_scalar(item);
        printf("\n");
        if (is_nested(item)) print_tree(item, indent + 1);
    }
}

static void print_line(const struct json_value *root, const char *name) {
    const struct json_value *value = json_value_member(root, name);
    if (!value || json_value_type(value) == JSON_TYPE_NULL || is_nested(value)) return;
    printf("  %-12s ", name);
    print_scalar(value);
    printf("\n");
}

static void print_features(const struct json_value *features) {
    struct json_member member = {0};
    if (json_value_count(features) == 0) return;
    printf("  %-12s", "features");
    while (json_value_next_member(features, &member)) {
        bool boolean;
        printf(" ");
        printable_write(stdout, member.name);
        if (is_nested(member.value) || json_value_boolean(member.value, &boolean)) continue;
        printf("=");
        print_scalar(member.value);
    }
    printf("\n");
}

static void print_source(const struct source *source, const char *url, bool explain) {
    static const char *const lines[] = {"status", "edition",    "customer", "license_id",
                                        "serial", "expires_at", "source",   "reason"};
    printf("license-%s %s\n", source->name, url);
    if (!source->answer.document) {
        printf("  no answer    %s\n", source->status.text);
        return;
    }
    const struct json_value *root = json_document_root(source->answer.document);
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++)
        print_line(root, lines[i]);
    print_features(json_value_member(root, "features"));
    const struct json_value *explanation = json_value_member(root, "explain");
    if (!explain || !explanation) return;
    printf("  explain\n");
    print_tree(explanation, 2);
}

static bool print_json(const struct source *sources, size_t count, struct status *status) {
    struct buffer text;
    struct json_writer json;
    buffer_init(&text, JSON_BYTES);
    json_writer_init(&json, &text);
    json_writer_begin_object(&json);
    for (size_t i = 0; i < count; i++) {
        const struct json_document *document = sources[i].answer.document;
        json_writer_name(&json, sources[i].name);
        json_writer_value(&json, document ? json_document_root(document) : NULL);
    }
    json_writer_end_object(&json);
    bool written = json_writer_finish(&json, "the answers", status);
    if (written) puts(buffer_text(&text));
    buffer_free(&text);
    return written;
}

static bool ask_source(const struct options *values, struct source *source) {
    const char *url = options_text(values, source->name);
    if (!ask(values, url, "/v1/license", &source->answer, &source->status)) return false;
    if (source->answer.http_status == 200 && source->answer.document) return true;
    status_fail(&source->status, STATUS_PROTOCOL, "not a license %s (HTTP status %d)", source->name,
                source->answer.http_status);
    answer_free(&source->answer);
    return false;
}

static int run(const struct command_call *call) {
    struct source sources[] = {{.name = "server"}, {.name = "client"}};
    size_t count = sizeof sources / sizeof sources[0];
    struct status status = STATUS_INIT;
    bool answered = false;
    for (size_t i = 0; i < count; i++)
        answered |= ask_source(call->options, &sources[i]);
    if (options_boolean(call->options, "json")) {
        if (!print_json(sources, count, &status)) return command_failed(call->command, &status);
    } else {
        for (size_t i = 0; i < count; i++)
            print_source(&sources[i], options_text(call->options, sources[i].name),
                         options_boolean(call->options, "explain"));
    }
    for (size_t i = 0; i < count; i++)
        answer_free(&sources[i].answer);
    return command_finished(call->command, answered ? 0 : status_exit_code(STATUS_UNAVAILABLE));
}

const struct command status_command = {
    .name = "status",
    .summary = "show what the license server and client say, and why",
    .group = COMMAND_TOOLS,
    .examples = "  lsys status --explain\n"
                "  lsys status --json | jq .client.status\n",
    .exit_codes = "  69   neither of them answers\n",
    .options = options,
    .shared = shared,
    .run = run,
};
