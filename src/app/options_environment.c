/* The environment: LSYS_<SECTION>_<KEY>, and the further names that rows have. */
#include <stdio.h>
#include <string.h>

#include "app/options_state.h"
#include "app/suggest.h"
#include "base/log.h"

/* Room for the longest LSYS_<SECTION>_<KEY>. */
#define VARIABLE_NAME_BYTES 96

const char *options_variable(const struct options *options, const char *name) {
    size_t length = strlen(name);
    for (char *const *entry = options->environment; entry && *entry; entry++)
        if (!strncmp(*entry, name, length) && (*entry)[length] == '=')
            return (*entry)[length + 1] ? *entry + length + 1 : NULL;
    return NULL;
}

/* Applies the variables of one row. */
static bool apply_row(struct options *options, struct option_setting *setting,
                      struct status *status) {
    char name[VARIABLE_NAME_BYTES];
    option_variable_name(options->command, setting->row, name, sizeof name);
    const char *further = setting->row->environment;
    const char *value = *name ? options_variable(options, name) : NULL;
    const char *further_value = further ? options_variable(options, further) : NULL;
    if (value && further_value)
        return status_fail(status, STATUS_CONFIG, "%s and %s are both set; unset one", name,
                           further);
    if (value)
        return options_set(setting, LEVEL_ENVIRONMENT, value, name, status) ||
               status_context(status, "%s", name);
    if (!further_value) return true;
    if (!options_set(setting, LEVEL_ENVIRONMENT, further_value, further, status))
        return status_context(status, "%s", further);
    if (setting->level == LEVEL_ENVIRONMENT)
        setting->secret_inside = setting->row->type == OPTION_SECRET_FILE;
    return true;
}

/* Whether some command knows the variable `name`; `*near` is set when one of our sections is
 * meant. */
static bool is_known(const struct command_table *commands, const char *name, bool *near,
                     struct suggestion *suggestion, char nearest[VARIABLE_NAME_BYTES]) {
    for (size_t i = 0; i < commands->count; i++) {
        const struct option *row;
        for (size_t n = 0; (row = option_row(commands->rows[i], n)); n++) {
            char known[VARIABLE_NAME_BYTES];
            option_variable_name(commands->rows[i], row, known, sizeof known);
            if (!strcmp(known, name) || (row->environment && !strcmp(row->environment, name)))
                return true;
            size_t prefix = strlen(known) - (*known ? strlen(row->key) : 0);
            if (*known && !strncmp(known, name, prefix)) *near = true;
            const char *before = suggestion->name;
            if (*known) suggestion_consider(suggestion, name, known);
            if (suggestion->name == before) continue;
            memcpy(nearest, known, VARIABLE_NAME_BYTES);
            suggestion->name = nearest;
        }
    }
    return false;
}

/* A misspelt variable of one of our sections is an error. LSYS_ names of other sections may belong
 * to somebody else (the build has some), so they are only pointed out. */
static bool check_name(const struct options *options, const char *name, struct status *status) {
    bool near = false;
    struct suggestion suggestion = {0};
    char nearest[VARIABLE_NAME_BYTES] = "";
    if (is_known(options->commands, name, &near, &suggestion, nearest)) return true;
    if (near)
        return status_fail(status, STATUS_CONFIG, "there is no variable %s%s%s", name,
                           *nearest ? "; did you mean " : "", nearest);
    if (*nearest)
        log_event(LOG_WARNING, options->command->name, "unknown environment variable ignored",
                  "name", name, "did_you_mean", nearest, NULL);
    return true;
}

bool options_apply_environment(struct options *options, struct status *status) {
    for (size_t i = 0; i < options->setting_count; i++)
        if (!apply_row(options, &options->settings[i], status)) return false;
    if (!options->command->section) return true;
    for (char *const *entry = options->environment; entry && *entry; entry++) {
        char name[VARIABLE_NAME_BYTES];
        size_t length = strcspn(*entry, "=");
        if (strncmp(*entry, "LSYS_", 5) != 0 || length >= sizeof name) continue;
        memcpy(name, *entry, length);
        name[length] = '\0';
        if (!check_name(options, name, status)) return false;
    }
    return true;
}
