/* lsys audit: the log of who did what, from the state of a role; and whether it was tampered
 * with. */
#include <inttypes.h>
#include <stdio.h>

#include "codec/hex.h"
#include "codec/json_writer.h"
#include "codec/rfc3339.h"
#include "roles/tools/tools.h"
#include "store/audit.h"

/* One entry as JSON: its detail, and four short texts. */
#define ENTRY_BYTES (2 * AUDIT_DETAIL_BYTES_MAX)

static const struct option options[] = {
    {.key = "data_dir",
     .type = OPTION_PATH,
     .value_name = "DIR",
     .fallback = "lsys-data",
     .help = "Folder of the role's state"},
    {.key = "after",
     .type = OPTION_INTEGER,
     .fallback = "0",
     .minimum = 0,
     .maximum = INT64_MAX,
     .help = "Begin after the entry with this number"},
    {.key = "limit",
     .type = OPTION_INTEGER,
     .fallback = "1000",
     .minimum = 1,
     .maximum = AUDIT_ENTRIES_MAX,
     .help = "Print at most so many entries"},
    {.key = "verify",
     .type = OPTION_BOOLEAN,
     .help = "Recompute the chain of hashes instead of printing entries"},
    {.key = "head",
     .type = OPTION_BOOLEAN,
     .help = "Print the newest entry's number and hash, to be kept in another place"},
    {.key = "json", .type = OPTION_BOOLEAN, .help = "Print one JSON object a line"},
    {0},
};

static bool print_entry(void *context, const struct audit_entry *entry) {
    char time[RFC3339_BYTES];
    (void)context;
    rfc3339_format(entry->time_ms, time);
    printf("%6" PRIu64 "  %s  %-20s %-28s %s\n", entry->number, time, entry->actor, entry->action,
           entry->detail);
    return true;
}

static bool print_entry_json(void *context, const struct audit_entry *entry) {
    struct status *status = context;
    char hash[2 * AUDIT_HASH_BYTES + 1];
    struct buffer text;
    struct json_writer json;
    buffer_init(&text, ENTRY_BYTES);
    hex_encode(bytes_of(entry->hash, sizeof entry->hash), hash);
    json_writer_init(&json, &text);
    json_writer_begin_object(&json);
    json_writer_member_integer(&json, "number", (int64_t)entry->number);
    json_writer_member_time(&json, "time", entry->time_ms);
    json_writer_member_text(&json, "actor", entry->actor);
    json_writer_member_text(&json, "action", entry->action);
    json_writer_name(&json, "detail");
    json_writer_raw(&json, bytes_of_text(entry->detail));
    json_writer_member_text(&json, "hash", hash);
    json_writer_end_object(&json);
    bool written = json_writer_finish(&json, "an entry", status);
    if (written) puts(buffer_text(&text));
    buffer_free(&text);
    return written;
}

static bool print_head(struct store *store, struct status *status) {
    struct audit_head head;
    char hash[2 * AUDIT_HASH_BYTES + 1];
    if (!audit_head(store, &head, status)) return false;
    hex_encode(bytes_of(head.hash, sizeof head.hash), hash);
    printf("%" PRIu64 " %s\n", head.number, hash);
    return true;
}

static bool verify_chain(struct store *store, struct status *status) {
    uint64_t checked;
    if (!audit_verify(store, &checked, status)) return false;
    printf("the audit log is unbroken: %" PRIu64 " entries\n", checked);
    return true;
}

static bool show(const struct options *values, struct store *store, struct status *status) {
    if (options_boolean(values, "head")) return print_head(store, status);
    if (options_boolean(values, "verify")) return verify_chain(store, status);
    audit_visitor *visit = options_boolean(values, "json") ? print_entry_json : print_entry;
    return audit_list(store, (uint64_t)options_integer(values, "after"),
                      (size_t)options_integer(values, "limit"), visit, status, status) &&
           status_is_ok(status);
}

static int run(const struct command_call *call) {
    struct status status = STATUS_INIT;
    struct store *store = NULL;
    bool done = store_open_to_read(options_text(call->options, "data_dir"), &store, &status) &&
                show(call->options, store, &status);
    store_close(store);
    return done ? command_finished(call->command, 0) : command_failed(call->command, &status);
}

const struct command audit_command = {
    .name = "audit",
    .summary = "print the audit log of a role's state, or prove that it is unbroken",
    .group = COMMAND_TOOLS,
    .description =
        "Each entry's hash covers the one before. Somebody who can write the state file can\n"
        "rewrite the whole log; to notice that, keep the output of --head in another place\n"
        "and compare.",
    .examples = "  lsys audit --data-dir /var/lib/lsys\n"
                "  lsys audit --verify\n",
    .exit_codes = "  65   --verify: the log was changed\n",
    .options = options,
    .run = run,
};
