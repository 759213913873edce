#include "roles/vendor-tools/issue_lists.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "app/machine.h"
#include "base/memory.h"

/* Adds one --feature NAME or NAME=VALUE. */
static bool add_feature(struct license *license, const char *text, struct status *status) {
    size_t length = strcspn(text, "=");
    const char *value = text[length] == '=' ? text + length + 1 : "true";
    char *name = memory_copy_bytes(text, length);
    char *end;
    double number = strtod(value, &end);
    bool is_number = *value && *end == '\0' && isfinite(number) && *value != ' ';
    bool added;
    if (!strcmp(value, "true"))
        added = license_add_feature(license, name, LICENSE_FEATURE_FLAG, 0, NULL, status);
    else if (!strcmp(value, "false") || !*value)
        added = status_fail(status, STATUS_USAGE,
                            "a feature that is not granted is left out, not set to \"%s\"", value);
    else if (is_number)
        added = license_add_feature(license, name, LICENSE_FEATURE_NUMBER, number, NULL, status);
    else
        added = license_add_feature(license, name, LICENSE_FEATURE_TEXT, 0, value, status);
    free(name);
    return added || status_context(status, "--feature %.80s", text);
}

static struct license_feature *find_feature(struct license *license, const char *name,
                                            size_t length) {
    for (size_t i = 0; i < license->features_count; i++)
        if (strlen(license->features[i].name) == length &&
            !memcmp(license->features[i].name, name, length))
            return &license->features[i];
    return NULL;
}

/* Applies one --degrade NAME=HOW. */
static bool set_degrade(struct license *license, const char *text, struct status *status) {
    size_t length = strcspn(text, "=");
    struct license_feature *feature = find_feature(license, text, length);
    if (text[length] != '=' || !feature)
        return status_fail(status, STATUS_USAGE,
                           "--degrade %.80s: write NAME=HOW with the name of a granted feature",
                           text);
    if (!license_degrade_find(text + length + 1, &feature->degrade))
        return status_fail(status, STATUS_USAGE,
                           "--degrade %.80s: write advise, readonly or block after '='", text);
    return true;
}

static bool add_digest(struct fingerprint_demand *demand, const char *digest,
                       struct status *status) {
    if (!fingerprint_digest_is_fit(digest))
        return status_fail(status, STATUS_USAGE,
                           "--fingerprint %.60s: not a digest that lsys fingerprint prints",
                           digest);
    if (demand->count == FINGERPRINT_COMPONENTS_MAX)
        return status_fail(status, STATUS_USAGE, "more than %d components",
                           FINGERPRINT_COMPONENTS_MAX);
    memcpy(demand->digests[demand->count++], digest, SHA256_TEXT_BYTES);
    return true;
}

static bool set_fingerprints(struct license *license, const struct options *options,
                             struct status *status) {
    struct fingerprint_demand *demand = &license->fingerprints;
    const char *path = options_text(options, "fingerprint_file");
    size_t count = options_count(options, "fingerprint");
    if (path || count > 0) memset(demand, 0, sizeof *demand);
    for (size_t i = 0; i < count; i++)
        if (!add_digest(demand, options_item(options, "fingerprint", i), status)) return false;
    if (path) {
        struct fingerprint machine;
        if (!machine_read_file(path, &machine, status)) return false;
        for (size_t i = 0; i < machine.count; i++)
            if (!add_digest(demand, machine.components[i].digest, status)) return false;
    }
    if (options_is_given(options, "fingerprint_match")) {
        demand->match = (size_t)options_integer(options, "fingerprint_match");
        if (demand->count == 0)
            return status_fail(status, STATUS_USAGE,
                               "--fingerprint-match needs --fingerprint or --fingerprint-file");
    } else if (demand->match == 0) {
        demand->match = demand->count;
    }
    return true;
}

static bool set_servers(struct license *license, const struct options *options,
                        struct status *status) {
    size_t count = options_count(options, "server_key");
    if (count > LICENSE_SERVERS_MAX)
        return status_fail(status, STATUS_USAGE, "more than %d times --server-key",
                           LICENSE_SERVERS_MAX);
    for (size_t i = 0; i < count; i++) {
        const char *thumbprint = options_item(options, "server_key", i);
        if (!fingerprint_digest_is_fit(thumbprint))
            return status_fail(status, STATUS_USAGE,
                               "--server-key %.60s: not a thumbprint (RFC 7638) of 43 characters",
                               thumbprint);
        memcpy(license->server_jkts[i], thumbprint, SHA256_TEXT_BYTES);
        license->server_jkts_count = i + 1;
    }
    return true;
}

/* A flag may override the file, but two flags for one feature are a slip of which either may be
 * meant. */
static bool check_named_once(const struct options *options, size_t index, struct status *status) {
    const char *text = options_item(options, "feature", index);
    size_t length = strcspn(text, "=");
    for (size_t i = 0; i < index; i++) {
        const char *before = options_item(options, "feature", i);
        if (strcspn(before, "=") == length && !memcmp(before, text, length))
            return status_fail(status, STATUS_USAGE,
                               "--feature %.80s and --feature %.80s: give one", before, text);
    }
    return true;
}

bool issue_lists_apply(struct license *license, const struct options *options,
                       struct status *status) {
    for (size_t i = 0; i < options_count(options, "feature"); i++)
        if (!check_named_once(options, i, status) ||
            !add_feature(license, options_item(options, "feature", i), status))
            return false;
    for (size_t i = 0; i < options_count(options, "degrade"); i++)
        if (!set_degrade(license, options_item(options, "degrade", i), status)) return false;
    return set_fingerprints(license, options, status) && set_servers(license, options, status);
}
