#include "app/option_check.h"

#include <inttypes.h>
#include <string.h>
#include <strings.h>

#include "base/text.h"
#include "codec/rfc3339.h"
#include "net/address.h"

static const char *const type_value_names[] = {
    [OPTION_TEXT] = "TEXT",         [OPTION_PATH] = "PATH",      [OPTION_INTEGER] = "NUMBER",
    [OPTION_DURATION] = "DURATION", [OPTION_BOOLEAN] = "yes|no", [OPTION_ADDRESS] = "HOST:PORT",
    [OPTION_LIST] = "TEXT",         [OPTION_ENUM] = NULL,        [OPTION_TIME] = "DATE",
    [OPTION_SECRET_FILE] = "FILE",
};

const char *option_value_name(const struct option *row) {
    if (row->value_name) return row->value_name;
    return row->type == OPTION_ENUM ? row->choices : type_value_names[row->type];
}

bool option_is_choice(const char *choices, const char *word) {
    size_t length = strlen(word);
    for (const char *choice = choices; choice; choice = strchr(choice, '|')) {
        if (*choice == '|') choice++;
        if (length > 0 && strcspn(choice, "|") == length && !memcmp(choice, word, length))
            return true;
    }
    return false;
}

static bool read_boolean(const char *text, int64_t *number) {
    static const char *const words[] = {"false", "true", "no", "yes", "off", "on", "0", "1"};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (strcasecmp(text, words[i]) != 0) continue;
        *number = (int64_t)(i & 1);
        return true;
    }
    return false;
}

static bool in_bounds(const struct option *row, int64_t number) {
    if (row->minimum == 0 && row->maximum == 0) return true;
    return number >= row->minimum && number <= row->maximum;
}

static bool check_integer(const struct option *row, const char *text, int64_t *number,
                          struct status *status) {
    if (!text_read_integer(bytes_of_text(text), number))
        return status_fail(status, STATUS_CONFIG, "\"%s\" is not a whole number", text);
    if (!in_bounds(row, *number))
        return status_fail(status, STATUS_CONFIG, "%s is not between %" PRId64 " and %" PRId64,
                           text, row->minimum, row->maximum);
    return true;
}

static bool check_duration(const struct option *row, const char *text, int64_t *number,
                           struct status *status) {
    if (!text_read_duration(bytes_of_text(text), row->bare_unit_ms, number))
        return status_fail(status, STATUS_CONFIG,
                           "\"%s\" is not a duration: write a number and a unit, as in 500ms, 30s, "
                           "15m, 2h, 7d, 1y",
                           text);
    if (in_bounds(row, *number)) return true;
    char lowest[TEXT_DURATION_BYTES], highest[TEXT_DURATION_BYTES];
    text_format_duration(row->minimum, lowest);
    text_format_duration(row->maximum, highest);
    return status_fail(status, STATUS_CONFIG, "%s is not between %s and %s", text, lowest, highest);
}

bool option_check(const struct option *row, const char *text, int64_t *number,
                  struct status *status) {
    struct address address;
    struct status why = STATUS_INIT;
    *number = 0;
    if (strlen(text) >= OPTION_VALUE_BYTES)
        return status_fail(status, STATUS_CONFIG, "the value is longer than %d bytes",
                           OPTION_VALUE_BYTES - 1);
    if (!bytes_are_utf8(bytes_of_text(text)))
        return status_fail(status, STATUS_CONFIG, "the value is not UTF-8 text");
    if (*text == '\0' && row->type != OPTION_TEXT && row->type != OPTION_LIST)
        return status_fail(status, STATUS_CONFIG, "the value is empty");
    switch (row->type) {
    case OPTION_TEXT:
    case OPTION_PATH:
    case OPTION_LIST:
    case OPTION_SECRET_FILE: return true;
    case OPTION_INTEGER: return check_integer(row, text, number, status);
    case OPTION_DURATION: return check_duration(row, text, number, status);
    case OPTION_BOOLEAN:
        if (read_boolean(text, number)) return true;
        return status_fail(status, STATUS_CONFIG, "\"%s\" is neither yes nor no", text);
    case OPTION_ADDRESS:
        if (address_parse(bytes_of_text(text), ADDRESS_PORT_REQUIRED, &address, &why)) return true;
        return status_fail(status, STATUS_CONFIG, "%s; write HOST:PORT, [IPv6]:PORT or unix:/path",
                           why.text);
    case OPTION_ENUM:
        if (option_is_choice(row->choices, text)) return true;
        return status_fail(status, STATUS_CONFIG, "\"%s\" is not one of %s", text, row->choices);
    case OPTION_TIME:
        if (rfc3339_parse_date_or_time(bytes_of_text(text), number)) return true;
        return status_fail(status, STATUS_CONFIG,
                           "\"%s\" is not a date: write 2027-01-31 or 2027-01-31T12:00:00Z", text);
    }
    return status_fail(status, STATUS_INTERNAL, "an option of unknown type");
}

bool option_check_flags(const struct options *values, const struct option *rows, const char *keys,
                        const char *action, struct status *status) {
    for (const struct option *row = rows; row->key; row++) {
        char flag[32];
        if (!options_is_given(values, row->key) || option_is_choice(keys, row->key)) continue;
        option_flag_name(row, flag, sizeof flag);
        return status_fail(status, STATUS_USAGE, "--%s means nothing to \"%s\"", flag, action);
    }
    return true;
}
