/* Flags and arguments of the command line. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/option_check.h"
#include "app/options_state.h"
#include "app/suggest.h"
#include "base/memory.h"

/* One flag as it was typed. */
struct typed_flag {
    const char *name; /* after the dashes; ends at '=' or at the end */
    size_t name_length;
    const char *value; /* after '=', or NULL */
};

static struct typed_flag read_typed(const char *text) {
    struct typed_flag typed = {.name = text + 2};
    typed.name_length = strcspn(typed.name, "=");
    if (typed.name[typed.name_length] == '=') typed.value = typed.name + typed.name_length + 1;
    return typed;
}

static bool name_is(const struct typed_flag *typed, const char *prefix, const char *name) {
    size_t prefix_length = strlen(prefix);
    return typed->name_length == prefix_length + strlen(name) &&
           !memcmp(typed->name, prefix, prefix_length) &&
           !memcmp(typed->name + prefix_length, name, strlen(name));
}

/* The setting that was meant; `*negated` when it was written --no-NAME. */
static struct option_setting *find_setting(struct options *options, const struct typed_flag *typed,
                                           bool *negated) {
    for (size_t i = 0; i < options->setting_count; i++) {
        struct option_setting *setting = &options->settings[i];
        char name[OPTION_FLAG_BYTES];
        option_flag_name(setting->row, name, sizeof name);
        *negated = setting->row->type == OPTION_BOOLEAN && name_is(typed, "no-", name);
        if (*negated || name_is(typed, "", name)) return setting;
    }
    return NULL;
}

static bool fail_unknown(const struct options *options, const struct typed_flag *typed,
                         struct status *status) {
    struct suggestion suggestion = {0};
    char nearest[OPTION_FLAG_BYTES] = "";
    char *name = memory_copy_bytes(typed->name, typed->name_length);
    for (size_t i = 0; i < options->setting_count; i++) {
        char candidate[OPTION_FLAG_BYTES];
        const char *before = suggestion.name;
        option_flag_name(options->settings[i].row, candidate, sizeof candidate);
        suggestion_consider(&suggestion, name, candidate);
        if (suggestion.name == before) continue;
        memcpy(nearest, candidate, sizeof nearest);
        suggestion.name = nearest;
    }
    status_fail(status, STATUS_USAGE, "there is no flag --%.60s%s%s%s", name,
                *nearest ? "; did you mean --" : "", nearest, *nearest ? "?" : "");
    free(name);
    return false;
}

/* Applies one flag; `next` is the text after it or NULL, and `*took_next` says that it was the
 * value. */
static bool apply_flag(struct options *options, const char *text, const char *next, bool *took_next,
                       struct status *status) {
    struct typed_flag typed = read_typed(text);
    bool negated = false;
    struct option_setting *setting = find_setting(options, &typed, &negated);
    if (!setting) return fail_unknown(options, &typed, status);

    char origin[OPTION_FLAG_BYTES + 2] = "--";
    option_flag_name(setting->row, origin + 2, sizeof origin - 2);
    if (setting->level == LEVEL_FLAG && setting->row->type != OPTION_LIST)
        return status_fail(status, STATUS_USAGE, "%s is given twice", origin);

    const char *value = typed.value;
    if (setting->row->type == OPTION_BOOLEAN) {
        if (negated && value)
            return status_fail(status, STATUS_USAGE, "--no-%s takes no value", origin + 2);
        if (!value) value = negated ? "no" : "yes";
    } else if (!value) {
        if (!next || !strncmp(next, "--", 2))
            return status_fail(status, STATUS_USAGE, "%s needs a value: %s %s", origin, origin,
                               option_value_name(setting->row));
        value = next;
        *took_next = true;
    }
    struct status why = STATUS_INIT;
    if (options_set(setting, LEVEL_FLAG, value, origin, &why)) return true;
    return status_fail(status, STATUS_USAGE, "%s: %s", origin, why.text);
}

static bool add_argument(struct options *options, const char *text, struct status *status) {
    if (options->argument_count == options->command->arguments_maximum)
        return status_fail(status, STATUS_USAGE, "\"%.60s\" is one argument too many", text);
    options->arguments[options->argument_count++] = memory_copy_text(text);
    return true;
}

static bool check_arguments(const struct options *options, struct status *status) {
    const struct command *command = options->command;
    if (options->argument_count < command->arguments_minimum)
        return status_fail(status, STATUS_USAGE, "an argument is missing: %s", command->arguments);
    if (!command->actions || options->argument_count == 0) return true;
    if (option_is_choice(command->actions, options->arguments[0])) return true;
    return status_fail(status, STATUS_USAGE, "\"%.60s\" is not one of %s", options->arguments[0],
                       command->actions);
}

bool options_apply_flags(struct options *options, struct status *status) {
    bool only_arguments = false; /* after "--" */
    options->arguments = memory_new_array(options->flag_count + 1, sizeof *options->arguments);
    for (size_t i = 0; i < options->flag_count; i++) {
        const char *text = options->flags[i];
        const char *next = i + 1 < options->flag_count ? options->flags[i + 1] : NULL;
        bool took_next = false;
        if (only_arguments || text[0] != '-' || text[1] == '\0') {
            if (!add_argument(options, text, status)) return false;
        } else if (!strcmp(text, "--")) {
            only_arguments = true;
        } else if (!strcmp(text, "--help") || !strcmp(text, "-h")) {
            options->want_help = true;
            return true;
        } else if (text[1] != '-') {
            return status_fail(status, STATUS_USAGE, "\"%.60s\" is not a flag: flags begin with --",
                               text);
        } else if (!apply_flag(options, text, next, &took_next, status)) {
            return false;
        }
        if (took_next) i++;
    }
    return check_arguments(options, status);
}
