/*
 * The configuration table and the values that come out of it. A command describes each of its
 * settings once, as a row; the parser of flags, the reader of conf.d and of the environment,
 * --help, the man page, shell completion and `lsys config` all work from these rows and so cannot
 * disagree.
 *
 * Lowest to highest: the row's default, the `*.conf` files of the configuration folder in the order
 * of their names, the environment, flags. A level replaces the value of the level below it as a
 * whole, also for lists. An unknown name, a bad value or a duplicate is an error that names the
 * file and line, the variable or the flag, and nothing starts.
 */
#ifndef LSYS_APP_OPTIONS_H
#define LSYS_APP_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attributes.h"
#include "base/buffer.h"
#include "base/status.h"

struct address;
struct command;
struct command_table;

enum option_type {
    OPTION_TEXT,
    OPTION_PATH,     /* a file or folder; whether it exists is for its reader to say */
    OPTION_INTEGER,  /* `minimum` to `maximum` when they differ */
    OPTION_DURATION, /* with a unit ("30s", "2h", "7d", "1y"); bounds in milliseconds */
    OPTION_BOOLEAN,  /* true/yes/on/1 or false/no/off/0; as a flag: --name or --no-name */
    OPTION_ADDRESS,  /* HOST:PORT, [IPv6]:PORT or unix:/path; port 0: any free one */
    OPTION_LIST,     /* texts: a flag is repeated; in files and variables separated by commas */
    OPTION_ENUM,     /* one of `choices` */
    OPTION_TIME,     /* RFC 3339 ("2026-01-31T12:00:00Z") or a date ("2026-01-31", midnight UTC) */
    OPTION_SECRET_FILE, /* path of a file (0600) that holds the secret */
};

/* Whether a new value is taken over at SIGHUP, or at the next start only. */
enum option_change { OPTION_RESTART, OPTION_RELOAD };

struct option {
    const char *key;     /* "heartbeat_interval": the name in conf.d; NULL ends a table */
    const char *flag;    /* without dashes; NULL: the key with '-' for '_' and '.' */
    const char *section; /* in conf.d; NULL: the command's own */
    enum option_type type;
    const char *value_name; /* for usage: "DIR", "URL"; NULL: by type */
    const char *fallback;   /* the default, written as in a file; NULL: no value */
    int64_t minimum;        /* INTEGER, DURATION (ms): inclusive bounds, unless both are 0 */
    int64_t maximum;
    int64_t bare_unit_ms;    /* DURATION: what a bare number counts in; 0: a unit is required */
    const char *choices;     /* ENUM: "strict|open" */
    const char *environment; /* one more variable beside LSYS_<SECTION>_<KEY>. For SECRET_FILE it
                                holds the secret itself. NULL: none */
    bool flag_only;          /* neither in conf.d nor in LSYS_<SECTION>_<KEY> */
    enum option_change change;
    const char *help; /* one sentence, no final period */
};

/* The values of one command. */
struct options;

/* Reads everything for `command`: flags from `arguments` (the `count` texts after the command's
 * name, which must outlive nothing: they are copied), the environment `environment` (as environ),
 * and conf.d, whose folder is --config-dir, else LSYS_CONFIG_DIR, else /etc/lsys/conf.d, else
 * ./conf.d. Commands without a section read no files. Returns NULL and a status of STATUS_USAGE,
 * STATUS_CONFIG or the file's own error. The result is the caller's, to be given to
 * options_free. */
struct options *options_load(const struct command_table *commands, const struct command *command,
                             int count, char *const *arguments, char *const *environment,
                             struct status *status) MUST_CHECK;

/* The values of another command from the same folder and environment as `origin`, without flags:
 * what `up` gives to the roles that it runs. */
struct options *options_load_like(const struct options *origin, const struct command *command,
                                  struct status *status) MUST_CHECK;

/* Reads files and environment again and keeps the flags, for SIGHUP. A row that only a restart can
 * change keeps its old value, and its flag is appended to `needs_restart` (initialised; flags are
 * separated by blanks) when the configuration now says something else. NULL when the new
 * configuration is wrong; the old options are untouched in any case. */
struct options *options_load_again(const struct options *old, struct buffer *needs_restart,
                                   struct status *status) MUST_CHECK;

/* Sets one value above all levels, as though it had been given as a flag; `origin` is what
 * `lsys config show` says about where it came from. Checked like any other value. */
bool options_override(struct options *options, const char *key, const char *value,
                      const char *origin, struct status *status) MUST_CHECK;

/* Frees the values (secrets are overwritten). NULL is fine. */
void options_free(struct options *options);

/* ---- reading values. The key must be one of the command's rows and of that type: ASSERTed ---- */

/* TEXT, PATH, ENUM, ADDRESS, SECRET_FILE (its path): the text, or NULL when there is no value.
 * Lives as long as the options. */
const char *options_text(const struct options *options, const char *key);

/* INTEGER; 0 when there is no value. */
int64_t options_integer(const struct options *options, const char *key);

/* DURATION, in milliseconds; 0 when there is no value. */
int64_t options_duration_ms(const struct options *options, const char *key);

/* TIME, in milliseconds since 1970 UTC; 0 when there is no value. */
int64_t options_time_ms(const struct options *options, const char *key);

/* BOOLEAN; false when there is no value. */
bool options_boolean(const struct options *options, const char *key);

/* ADDRESS; false when there is no value. */
bool options_address(const struct options *options, const char *key, struct address *out);

/* LIST: how many items, and the item at `index`. */
size_t options_count(const struct options *options, const char *key);
const char *options_item(const struct options *options, const char *key, size_t index);

/* SECRET_FILE: appends the secret to `out` (initialised; wipe it after use): the file's content
 * without the final line break, or the value of the row's extra variable. Returns false without
 * touching `status` when no secret is configured, and with it set when the file cannot be read, is
 * not 0600 or is empty. */
bool options_secret(const struct options *options, const char *key, struct buffer *out,
                    struct status *status) MUST_CHECK;

/* True when the value does not come from the row's default. */
bool options_is_given(const struct options *options, const char *key);

/* Where the value came from: "default", "/etc/lsys/conf.d/10-site.conf:12", "LSYS_LOG_LEVEL",
 * "--log-level". */
const char *options_origin(const struct options *options, const char *key);

/* ---- arguments that are not flags ---- */

size_t options_argument_count(const struct options *options);
const char *options_argument(const struct options *options, size_t index);

/* True when --help was among the flags; nothing else has been checked then. */
bool options_want_help(const struct options *options);

/* ---- for help, completion, `lsys config` ---- */

/* The rows of a command, its own before the shared ones; NULL after the last. */
const struct option *option_row(const struct command *command, size_t index);

/* Writes the flag's name, without dashes, as it is typed. */
void option_flag_name(const struct option *row, char *out, size_t out_bytes);

/* Writes LSYS_<SECTION>_<KEY>, or "" when the row is only a flag. */
void option_variable_name(const struct command *command, const struct option *row, char *out,
                          size_t out_bytes);

/* The section that the row belongs to in conf.d, or NULL. */
const char *option_section(const struct command *command, const struct option *row);

/* Appends the value for people: lists joined by commas, secrets (also those inside a URL) as ***,
 * nothing when there is none. */
void options_show(const struct options *options, const struct option *row, struct buffer *out);

/* Folder of the configuration that was read, or NULL when there was none. */
const char *options_folder(const struct options *options);

#endif
