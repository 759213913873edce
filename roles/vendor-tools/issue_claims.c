#include "roles/vendor-tools/issue_claims.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/random.h"
#include "codec/json_writer.h"
#include "roles/vendor-tools/issue_lists.h"

const struct option issue_claims_options[] = {
    {.key = "claims",
     .type = OPTION_PATH,
     .value_name = "FILE",
     .help = "Read claims from this JSON object (names as in the token); flags win"},
    {.key = "customer", .type = OPTION_TEXT, .help = "Who the license is for (claim sub)"},
    {.key = "edition",
     .type = OPTION_TEXT,
     .help = "community, professional, enterprise, or your own word"},
    {.key = "product", .type = OPTION_TEXT, .help = "Which of your products it is for"},
    {.key = "issuer", .type = OPTION_TEXT, .help = "Who issues it (claim iss; default vendor)"},
    {.key = "feature",
     .type = OPTION_LIST,
     .value_name = "NAME[=VALUE]",
     .help = "Grant a feature: sso, nodes=50 (a limit), tier=gold; may be repeated"},
    {.key = "degrade",
     .type = OPTION_LIST,
     .value_name = "NAME=HOW",
     .help = "What becomes of a feature without license: advise, readonly or block; may be "
             "repeated"},
    {.key = "seats",
     .type = OPTION_INTEGER,
     .minimum = 1,
     .maximum = CLAIM_INTEGER_MAX,
     .help = "How many users may work at once"},
    {.key = "valid_for",
     .type = OPTION_DURATION,
     .minimum = 1000,
     .maximum = INT64_C(3153600000000),
     .help = "How long it is valid from its beginning, as in 30d or 1y"},
    {.key = "expires", .type = OPTION_TIME, .help = "Instead of --valid-for: when it ends"},
    {.key = "not_before", .type = OPTION_TIME, .help = "When it begins (default: now)"},
    {.key = "grace_days",
     .type = OPTION_INTEGER,
     .minimum = 0,
     .maximum = LICENSE_GRACE_DAYS_MAX,
     .help = "Days after its end in which it still counts, with status grace"},
    {.key = "deployment_id",
     .type = OPTION_TEXT,
     .value_name = "ID",
     .help = "Bind it to the license servers with this --deployment-id"},
    {.key = "fingerprint",
     .type = OPTION_LIST,
     .value_name = "DIGEST",
     .help = "Bind it to a machine's component (from lsys fingerprint); may be repeated"},
    {.key = "fingerprint_file",
     .type = OPTION_PATH,
     .value_name = "FILE",
     .help = "Bind it to all components in this file (of lsys fingerprint --json)"},
    {.key = "fingerprint_match",
     .type = OPTION_INTEGER,
     .minimum = 1,
     .maximum = FINGERPRINT_COMPONENTS_MAX,
     .help = "How many of the components must be there (default: all)"},
    {.key = "server_key",
     .type = OPTION_LIST,
     .value_name = "THUMBPRINT",
     .help = "Clients believe only license servers with these keys; may be repeated"},
    {.key = "serial",
     .type = OPTION_INTEGER,
     .minimum = 1,
     .maximum = CLAIM_INTEGER_MAX,
     .help = "A higher serial replaces a lower one (default: the seconds since 1970, so that "
             "later replaces earlier)"},
    {.key = "license_id",
     .type = OPTION_TEXT,
     .value_name = "ID",
     .help = "Names this license, for revoking it (claim jti; default: a random UUID)"},
    {0},
};

/* Room for a UUID and its NUL. */
#define UUID_BYTES 37

/* A claim that one flag sets. */
struct claim_row {
    const char *claim;
    const char *key; /* of the option; NULL: only the file or the default */
    enum option_type type;
};

static const struct claim_row scalar_claims[] = {
    {"iss", "issuer", OPTION_TEXT},       {"sub", "customer", OPTION_TEXT},
    {"jti", "license_id", OPTION_TEXT},   {"product", "product", OPTION_TEXT},
    {"edition", "edition", OPTION_TEXT},  {"deployment_id", "deployment_id", OPTION_TEXT},
    {"seats", "seats", OPTION_INTEGER},   {"grace_days", "grace_days", OPTION_INTEGER},
    {"serial", "serial", OPTION_INTEGER}, {"iat", NULL, OPTION_TIME},
    {"nbf", "not_before", OPTION_TIME},   {"exp", "expires", OPTION_TIME},
};

/* Claims that hold lists: the file's are taken first, and flags add to them or replace them. */
static const char *const list_claims[] = {"features", "degrade", "fingerprints",
                                          "fingerprint_match", "server_jkts"};

#define SCALARS (sizeof scalar_claims / sizeof scalar_claims[0])
#define LISTS   (sizeof list_claims / sizeof list_claims[0])

static void make_uuid(char out[UUID_BYTES]) {
    uint8_t bytes[16];
    random_bytes(bytes, sizeof bytes);
    bytes[6] = (uint8_t)((bytes[6] & 0x0f) | 0x40); /* version 4 (RFC 9562, section 5.4) */
    bytes[8] = (uint8_t)((bytes[8] & 0x3f) | 0x80);
    char *place = out;
    for (size_t i = 0; i < sizeof bytes; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10) *place++ = '-';
        place += sprintf(place, "%02x", bytes[i]);
    }
}

/* Writes what a claim is when neither a flag nor the file says. A license that has ended already is
 * dated at its beginning, since nothing can be issued after its end. */
static void write_default(const char *claim, const struct options *options, int64_t now_ms,
                          int64_t begins_ms, int64_t ends_ms, struct json_writer *json) {
    char uuid[UUID_BYTES];
    int64_t valid_for_ms = options_duration_ms(options, "valid_for");
    if (!strcmp(claim, "iss")) {
        json_writer_member_text(json, claim, "vendor");
    } else if (!strcmp(claim, "jti")) {
        make_uuid(uuid);
        json_writer_member_text(json, claim, uuid);
    } else if (!strcmp(claim, "iat")) {
        claims_write_time(json, claim, ends_ms <= now_ms ? begins_ms : now_ms);
    } else if (!strcmp(claim, "serial")) {
        json_writer_member_integer(json, claim, now_ms / 1000);
    } else if (!strcmp(claim, "exp") && valid_for_ms > 0) {
        claims_write_time(json, claim, begins_ms + valid_for_ms);
    }
}

static void write_flag(const struct claim_row *row, const struct options *options,
                       struct json_writer *json) {
    if (row->type == OPTION_TEXT)
        json_writer_member_text(json, row->claim, options_text(options, row->key));
    else if (row->type == OPTION_INTEGER)
        json_writer_member_integer(json, row->claim, options_integer(options, row->key));
    else
        claims_write_time(json, row->claim, options_time_ms(options, row->key));
}

/* The moment that --valid-for counts from. */
static int64_t find_beginning(const struct json_value *file, const struct options *options,
                              int64_t now_ms) {
    double seconds;
    if (options_is_given(options, "not_before")) return options_time_ms(options, "not_before");
    if (json_member_number(file, "nbf", &seconds) && fabs(seconds) <= (double)CLAIM_TIME_MAX_S)
        return (int64_t)(seconds * 1000);
    return now_ms;
}

/* The moment at which the license ends; the far future when nothing says. */
static int64_t find_end(const struct json_value *file, const struct options *options,
                        int64_t begins_ms) {
    double seconds;
    if (options_is_given(options, "expires")) return options_time_ms(options, "expires");
    if (options_is_given(options, "valid_for"))
        return begins_ms + options_duration_ms(options, "valid_for");
    if (json_member_number(file, "exp", &seconds) && fabs(seconds) <= (double)CLAIM_TIME_MAX_S)
        return (int64_t)(seconds * 1000);
    return INT64_MAX;
}

/* Writes the claims of file, flags and defaults as one object. `file` may be NULL. */
static void write_merged(const struct json_value *file, const struct options *options,
                         int64_t now_ms, struct json_writer *json) {
    int64_t begins_ms = find_beginning(file, options, now_ms);
    bool has_end = options_is_given(options, "valid_for");
    int64_t ends_ms = find_end(file, options, begins_ms);
    json_writer_begin_object(json);
    for (size_t i = 0; i < SCALARS; i++) {
        const struct claim_row *row = &scalar_claims[i];
        const struct json_value *value = json_value_member(file, row->claim);
        if (row->key && options_is_given(options, row->key)) {
            write_flag(row, options, json);
        } else if (value && !(has_end && !strcmp(row->claim, "exp"))) {
            json_writer_name(json, row->claim);
            json_writer_value(json, value);
        } else {
            write_default(row->claim, options, now_ms, begins_ms, ends_ms, json);
        }
    }
    for (size_t i = 0; i < LISTS; i++) {
        const struct json_value *value = json_value_member(file, list_claims[i]);
        if (!value) continue;
        json_writer_name(json, list_claims[i]);
        json_writer_value(json, value);
    }
    json_writer_end_object(json);
}

/* A name that no reader knows is a mistake in the file: `feature` for `features`. */
static bool check_names(const struct json_value *file, struct status *status) {
    struct json_member member = {0};
    while (json_value_next_member(file, &member)) {
        bool known = false;
        for (size_t i = 0; i < SCALARS; i++)
            known |= !strcmp(member.name, scalar_claims[i].claim);
        for (size_t i = 0; i < LISTS; i++)
            known |= !strcmp(member.name, list_claims[i]);
        if (!known)
            return status_fail(status, STATUS_BAD_CLAIM, "there is no claim \"%.60s\"",
                               member.name);
    }
    return true;
}

static struct json_document *read_file(const char *path, struct status *status) {
    struct buffer text;
    struct json_document *document = NULL;
    buffer_init(&text, ISSUE_CLAIMS_BYTES);
    if (file_read(path, &text, status)) {
        document = json_document_parse(buffer_bytes(&text), ISSUE_CLAIMS_BYTES, status);
        if (!document || !check_names(json_document_root(document), status)) {
            status_context(status, "%s", path);
            json_document_free(document);
            document = NULL;
        }
    }
    buffer_free(&text);
    return document;
}

/* Reads the merged claims, after what a person forgot has been said in terms of flags. */
static struct license *read_merged(struct bytes text, struct status *status) {
    static const char *const wanted[][2] = {
        {"sub", "--customer"}, {"edition", "--edition"}, {"exp", "--valid-for or --expires"}};
    struct json_document *document = json_document_parse(text, ISSUE_CLAIMS_BYTES, status);
    if (!document) return NULL;
    struct license *license = NULL;
    for (size_t i = 0; i < sizeof wanted / sizeof wanted[0]; i++)
        if (!json_value_member(json_document_root(document), wanted[i][0]))
            status_fail(status, STATUS_USAGE, "%s is missing", wanted[i][1]);
    if (status_is_ok(status)) license = license_read_claims(json_document_root(document), status);
    json_document_free(document);
    return license;
}

struct license *issue_claims_make(const struct options *options, int64_t now_ms,
                                  struct status *status) {
    const char *path = options_text(options, "claims");
    struct json_document *file = NULL;
    struct json_writer json;
    struct buffer merged;
    if (options_is_given(options, "valid_for") && options_is_given(options, "expires")) {
        status_fail(status, STATUS_USAGE, "give --valid-for or --expires, not both");
        return NULL;
    }
    if (path && !(file = read_file(path, status))) return NULL;
    buffer_init(&merged, 2 * ISSUE_CLAIMS_BYTES);
    json_writer_init(&json, &merged);
    write_merged(file ? json_document_root(file) : NULL, options, now_ms / 1000 * 1000, &json);
    struct license *license = NULL;
    struct status why = STATUS_INIT;
    if (json_writer_finish(&json, "the claims", &why))
        license = read_merged(buffer_bytes(&merged), &why);
    /* Without a file it was a flag that made the claim what it is. */
    bool by_flag = !file && why.code == STATUS_BAD_CLAIM;
    if (!license) status_fail(status, by_flag ? STATUS_USAGE : why.code, "%s", why.text);
    buffer_free(&merged);
    json_document_free(file);
    if (!license || issue_lists_apply(license, options, status)) return license;
    license_free(license);
    return NULL;
}
