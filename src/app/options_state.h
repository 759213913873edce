/*
 * What `struct options` holds, and the one way to give a setting a value. Shared by the files that
 * implement app/options.h; nobody else includes it.
 */
#ifndef LSYS_APP_OPTIONS_STATE_H
#define LSYS_APP_OPTIONS_STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "app/command.h"
#include "app/options.h"

/* Room for the name of a flag, without dashes, with its NUL. */
#define OPTION_FLAG_BYTES 64

/* A higher level replaces the value of a lower one. */
enum options_level {
    LEVEL_DEFAULT,
    LEVEL_FILE,
    LEVEL_ENVIRONMENT,
    LEVEL_FLAG,
    LEVEL_OVERRIDE,
};

struct option_setting {
    const struct option *row;
    enum options_level level;
    char *origin; /* owned; NULL: the row's default */
    char **items; /* owned texts: one, or as many as a LIST has */
    size_t count;
    int64_t number;     /* what the text says, for rows that are not text */
    bool secret_inside; /* SECRET_FILE: the item is the secret itself, not a path */
};

struct options {
    const struct command_table *commands;
    const struct command *command;
    char *const *environment; /* borrowed: the process's own */
    char **flags;             /* owned copies of what followed the command's name, for a reload */
    size_t flag_count;
    char **arguments; /* owned */
    size_t argument_count;
    struct option_setting *settings; /* one a row, in the order of option_row */
    size_t setting_count;
    char *folder; /* of the configuration that was read, or NULL */
    bool want_help;
};

/* A set in which every row has its default. Never NULL. */
struct options *options_new(const struct command_table *commands, const struct command *command,
                            char *const *environment);

/* Gives a setting the value `text` from a place called `origin`, unless a higher level has set it
 * already; checks it in any case. In files and variables the items of a LIST are separated by
 * commas; a flag adds one item. False with STATUS_CONFIG; the text does not say the place. */
bool options_set(struct option_setting *setting, enum options_level level, const char *text,
                 const char *origin, struct status *status) MUST_CHECK;

/* Frees the value of a setting, overwriting it, and leaves it without one. */
void option_setting_clear(struct option_setting *setting);

/* The setting with this key, or NULL. */
struct option_setting *options_find(const struct options *options, const char *key);

/* Applies the flags of `options` (options_flags.c): fills arguments, want_help and LEVEL_FLAG. */
bool options_apply_flags(struct options *options, struct status *status) MUST_CHECK;

/* Applies the folder of the configuration (options_files.c). */
bool options_apply_files(struct options *options, struct status *status) MUST_CHECK;

/* Applies the environment (options_environment.c). */
bool options_apply_environment(struct options *options, struct status *status) MUST_CHECK;

/* The value of a variable in the environment that was given to the options; NULL when it is not
 * there or empty. */
const char *options_variable(const struct options *options, const char *name);

#endif
