/*
 * What `lsys` can be asked to do. Each role and each tool is one constant record in its own file,
 * and one row in the table of src/main.c. Help, man page, shell completion and the parser are made
 * from the record.
 */
#ifndef LSYS_APP_COMMAND_H
#define LSYS_APP_COMMAND_H

#include <stdbool.h>
#include <stddef.h>

#include "app/options.h"
#include "base/status.h"

struct role;
struct command_table;

/* Under which heading `lsys help` lists it. */
enum command_group { COMMAND_ROLES, COMMAND_VENDOR_TOOLS, COMMAND_TOOLS };

/* One run of a command. */
struct command_call {
    const struct command *command;
    const struct command_table *commands; /* everything that lsys knows, for help and config */
    const struct options *options;
};

struct command {
    const char *name;    /* as typed, and the name of the symlink: "license-server" */
    const char *summary; /* one line for `lsys help`, no final period */
    enum command_group group;
    const char *arguments; /* for the usage line: "FILE", "[FEATURE]"; NULL: takes none */
    size_t arguments_minimum;
    size_t arguments_maximum;
    const char *actions;     /* what the first argument may be, "show|check"; NULL: anything. It is
                            checked by the parser and offered by the completion */
    const char *description; /* paragraphs for --help and the man page; lines at most 96 columns */
    const char *examples;    /* lines for --help, each indented by two blanks; NULL: none */
    const char *exit_codes;  /* what differs from the common table, as lines; NULL: nothing */
    const char *section;     /* its section in conf.d; NULL: flags only, no file is read */
    const struct option *options;       /* its own rows, ended by a row without key; may be NULL */
    const struct option *const *shared; /* tables of rows that several have (app/role_options.h),
                                           ended by NULL; may be NULL */
    /* Runs it and returns the exit code. NULL for a role, which role_main runs. */
    int (*run)(const struct command_call *call);
    const struct role *role; /* how to start and stop it; NULL for a tool */
};

/* Every command, in the order of the help. */
struct command_table {
    const struct command *const *rows;
    size_t count;
};

/* The command with this name, or NULL. */
const struct command *command_find(const struct command_table *commands, const char *name);

/* The command's name that is nearest to what was typed, or NULL when none is near. */
const char *command_suggest(const struct command_table *commands, const char *typed);

/* Parses flags, answers --help, runs the tool or the role. `count` and `arguments` are what follows
 * the name. Returns the exit code. */
int command_main(const struct command_table *commands, const struct command *command, int count,
                 char *const *arguments);

/* Prints "lsys NAME: text" on stderr, adds a hint to --help for usage errors, and returns the exit
 * code of the status. For the end of a tool's run function. */
int command_failed(const struct command *command, const struct status *status);

/* Flushes stdout and returns `exit_code`; or, when standard output could not be written (a full
 * disk), says so and returns the exit code for that; for a pipe whose reader has left, without a
 * word. Every tool that prints ends with it. */
int command_finished(const struct command *command, int exit_code);

#endif
