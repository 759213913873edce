/* The `*.conf` files of the configuration folder. */
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "app/options_state.h"
#include "app/suggest.h"
#include "base/file.h"
#include "base/memory.h"
#include "codec/ini.h"

/* Looked for in this order when neither --config-dir nor LSYS_CONFIG_DIR says otherwise. */
static const char *const usual_folders[] = {"/etc/lsys/conf.d", "conf.d"};

/* A configuration file is written by hand; more is a mistake. */
#define CONFIG_FILE_BYTES (256 * 1024)

/* Entries in one file, for finding duplicates. */
#define CONFIG_FILE_ENTRIES 1024

/* Room for ":" and a line number with its NUL. */
#define LINE_DIGITS 16

/* An entry that a file had already. */
struct seen {
    const struct option *row;
    const char *section; /* a constant: rows that several roles share differ by it */
    int line;
};

/* One file while it is read. */
struct reading {
    struct options *options;
    const char *path;
    struct seen seen[CONFIG_FILE_ENTRIES];
    size_t seen_count;
};

static bool is_folder(const char *path) {
    struct stat about;
    return stat(path, &about) == 0 && S_ISDIR(about.st_mode);
}

/* What an entry names: both are constants of a command's record. */
struct place {
    const char *section;      /* NULL: no command has such a section */
    const struct option *row; /* NULL: the section has no such key */
};

/* Finds the entry's row in any command, so that one folder serves all roles. */
static struct place find_place(const struct command_table *commands,
                               const struct ini_entry *entry) {
    struct place place = {0};
    for (size_t i = 0; i < commands->count; i++) {
        const struct option *row;
        for (size_t n = 0; !place.row && (row = option_row(commands->rows[i], n)); n++) {
            const char *section = option_section(commands->rows[i], row);
            if (!section || strcmp(section, entry->section) != 0) continue;
            place.section = section;
            if (!strcmp(row->key, entry->key)) place.row = row;
        }
    }
    return place;
}

static void suggest_in_files(const struct command_table *commands, const char *section,
                             const char *typed, struct suggestion *suggestion) {
    for (size_t i = 0; i < commands->count; i++) {
        const struct option *row;
        for (size_t n = 0; (row = option_row(commands->rows[i], n)); n++) {
            const char *own = option_section(commands->rows[i], row);
            if (!own) continue;
            if (!section)
                suggestion_consider(suggestion, typed, own);
            else if (!strcmp(own, section))
                suggestion_consider(suggestion, typed, row->key);
        }
    }
}

static bool fail_unknown(const struct command_table *commands, const struct ini_entry *entry,
                         const char *section, struct status *status) {
    struct suggestion suggestion = {0};
    suggest_in_files(commands, section, section ? entry->key : entry->section, &suggestion);
    const char *hint = suggestion.name ? "; did you mean " : "";
    const char *name = suggestion.name ? suggestion.name : "";
    if (!section)
        return status_fail(status, STATUS_CONFIG, "there is no section [%s]%s%s", entry->section,
                           hint, name);
    return status_fail(status, STATUS_CONFIG, "there is no key \"%s\" in section [%s]%s%s",
                       entry->key, entry->section, hint, name);
}

static bool note_seen(struct reading *reading, const struct place *place, int line,
                      struct status *status) {
    for (size_t i = 0; i < reading->seen_count; i++)
        if (reading->seen[i].row == place->row && reading->seen[i].section == place->section)
            return status_fail(status, STATUS_CONFIG, "\"%s\" is given twice, first in line %d",
                               place->row->key, reading->seen[i].line);
    if (reading->seen_count == CONFIG_FILE_ENTRIES)
        return status_fail(status, STATUS_CONFIG, "more than %d entries", CONFIG_FILE_ENTRIES);
    reading->seen[reading->seen_count++] = (struct seen){place->row, place->section, line};
    return true;
}

/* The setting of our own command that the entry is about, or NULL when it is about another role. */
static struct option_setting *own_setting(struct options *options, const struct ini_entry *entry) {
    struct option_setting *setting = options_find(options, entry->key);
    const char *section = setting ? option_section(options->command, setting->row) : NULL;
    return section && !strcmp(section, entry->section) ? setting : NULL;
}

static bool take_entry(void *context, const struct ini_entry *entry, struct status *status) {
    struct reading *reading = context;
    const struct command_table *commands = reading->options->commands;
    struct place place = find_place(commands, entry);
    if (!place.row) return fail_unknown(commands, entry, place.section, status);
    if (!note_seen(reading, &place, entry->line, status)) return false;

    struct option_setting other = {.row = place.row};
    struct option_setting *setting = own_setting(reading->options, entry);
    char origin[PATH_MAX + LINE_DIGITS];
    snprintf(origin, sizeof origin, "%s:%d", reading->path, entry->line);
    bool taken = options_set(setting ? setting : &other, LEVEL_FILE, entry->value, origin, status);
    if (!taken) status_context(status, "%s", entry->key);
    option_setting_clear(&other);
    return taken;
}

static bool read_file(struct options *options, const char *path, struct status *status) {
    struct buffer text;
    buffer_init(&text, CONFIG_FILE_BYTES);
    struct reading *reading = memory_new(sizeof *reading);
    reading->options = options;
    reading->path = path;
    bool read = file_read(path, &text, status) &&
                ini_read(buffer_bytes(&text), path, take_entry, reading, status);
    free(reading);
    buffer_wipe(&text);
    return read;
}

static int is_config_name(const struct dirent *entry) {
    size_t length = strlen(entry->d_name);
    return entry->d_name[0] != '.' && length > 5 && !strcmp(entry->d_name + length - 5, ".conf");
}

static int compare_names(const struct dirent **left, const struct dirent **right) {
    return strcmp((*left)->d_name, (*right)->d_name);
}

static char *choose_folder(const struct options *options) {
    const struct option_setting *setting = options_find(options, "config_dir");
    if (setting && setting->level == LEVEL_FLAG) return memory_copy_text(setting->items[0]);
    const char *variable = options_variable(options, "LSYS_CONFIG_DIR");
    if (variable) return memory_copy_text(variable);
    for (size_t i = 0; i < sizeof usual_folders / sizeof usual_folders[0]; i++)
        if (is_folder(usual_folders[i])) return memory_copy_text(usual_folders[i]);
    return NULL;
}

bool options_apply_files(struct options *options, struct status *status) {
    options->folder = choose_folder(options);
    if (!options->folder) return true;
    struct dirent **entries = NULL;
    int count = scandir(options->folder, &entries, is_config_name, compare_names);
    if (count < 0)
        return status_fail_errno(status, errno, "cannot read the configuration folder %s",
                                 options->folder);
    bool read = true;
    for (int i = 0; i < count; i++) {
        char *path = file_join(options->folder, entries[i]->d_name);
        read = read && read_file(options, path, status);
        free(path);
        free(entries[i]);
    }
    free(entries);
    return read;
}
