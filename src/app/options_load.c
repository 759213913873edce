/* Brings the levels together. */
#include <stdlib.h>
#include <string.h>

#include "app/options_state.h"
#include "base/memory.h"

static bool apply_all(struct options *options, struct status *status) {
    if (!options_apply_flags(options, status)) return false;
    if (options->want_help) return true;
    if (options->command->section && !options_apply_files(options, status)) return false;
    return options_apply_environment(options, status);
}

struct options *options_load(const struct command_table *commands, const struct command *command,
                             int count, char *const *arguments, char *const *environment,
                             struct status *status) {
    struct options *options = options_new(commands, command, environment);
    options->flag_count = count > 0 ? (size_t)count : 0;
    options->flags = memory_new_array(options->flag_count + 1, sizeof *options->flags);
    for (size_t i = 0; i < options->flag_count; i++)
        options->flags[i] = memory_copy_text(arguments[i]);
    if (apply_all(options, status)) return options;
    options_free(options);
    return NULL;
}

struct options *options_load_like(const struct options *origin, const struct command *command,
                                  struct status *status) {
    struct options *options = options_new(origin->commands, command, origin->environment);
    const struct option_setting *folder = options_find(origin, "config_dir");
    struct option_setting *own_folder = options_find(options, "config_dir");
    bool loaded = true;
    if (folder && folder->level == LEVEL_FLAG && own_folder)
        loaded = options_set(own_folder, LEVEL_FLAG, folder->items[0], folder->origin, status);
    loaded = loaded && (!command->section || options_apply_files(options, status)) &&
             options_apply_environment(options, status);
    if (loaded) return options;
    options_free(options);
    return NULL;
}

static bool same_value(const struct option_setting *left, const struct option_setting *right) {
    if (left->count != right->count) return false;
    for (size_t i = 0; i < left->count; i++)
        if (strcmp(left->items[i], right->items[i]) != 0) return false;
    return true;
}

static void copy_setting(struct option_setting *to, const struct option_setting *from) {
    option_setting_clear(to);
    *to = *from;
    to->origin = memory_copy_text(from->origin);
    to->items = memory_new_array(from->count + 1, sizeof *to->items);
    for (size_t i = 0; i < from->count; i++)
        to->items[i] = memory_copy_text(from->items[i]);
}

struct options *options_load_again(const struct options *old, struct buffer *needs_restart,
                                   struct status *status) {
    struct options *options = options_load(old->commands, old->command, (int)old->flag_count,
                                           old->flags, old->environment, status);
    if (!options) return NULL;
    for (size_t i = 0; i < old->setting_count; i++) {
        const struct option_setting *before = &old->settings[i];
        bool overridden = before->level == LEVEL_OVERRIDE;
        bool fixed = before->row->change == OPTION_RESTART;
        if (same_value(before, &options->settings[i]) || (!overridden && !fixed)) continue;
        copy_setting(&options->settings[i], before);
        if (overridden) continue;
        char name[OPTION_FLAG_BYTES];
        option_flag_name(before->row, name, sizeof name);
        buffer_append_format(needs_restart, "%s--%s", needs_restart->length > 0 ? " " : "", name);
    }
    return options;
}
