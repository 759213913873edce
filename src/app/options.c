#include "app/options.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/option_check.h"
#include "app/options_state.h"
#include "base/assertion.h"
#include "base/file.h"
#include "base/memory.h"
#include "net/address.h"

void option_setting_clear(struct option_setting *setting) {
    for (size_t i = 0; i < setting->count; i++) {
        memory_wipe(setting->items[i], strlen(setting->items[i]));
        free(setting->items[i]);
    }
    free(setting->items);
    free(setting->origin);
    setting->items = NULL;
    setting->origin = NULL;
    setting->count = 0;
}

static void add_item(struct option_setting *setting, const char *text, size_t length) {
    char **items = memory_new_array(setting->count + 1, sizeof *items);
    if (setting->count > 0) memcpy(items, setting->items, setting->count * sizeof *items);
    items[setting->count++] = memory_copy_bytes(text, length);
    free(setting->items);
    setting->items = items;
}

/* Adds the parts between commas, without blanks around them; empty parts do not count. */
static void add_list(struct option_setting *setting, const char *text) {
    while (*text) {
        size_t length = strcspn(text, ",");
        struct bytes part = bytes_trim(bytes_of(text, length));
        if (part.length > 0) add_item(setting, (const char *)part.data, part.length);
        text += length;
        if (*text == ',') text++;
    }
}

bool options_set(struct option_setting *setting, enum options_level level, const char *text,
                 const char *origin, struct status *status) {
    int64_t number;
    if (!option_check(setting->row, text, &number, status)) return false;
    if (level < setting->level) return true;
    bool is_list = setting->row->type == OPTION_LIST;
    if (!(is_list && level == LEVEL_FLAG && setting->level == LEVEL_FLAG))
        option_setting_clear(setting);
    setting->level = level;
    setting->number = number;
    setting->secret_inside = false;
    free(setting->origin);
    setting->origin = memory_copy_text(origin);
    if (is_list && level != LEVEL_FLAG)
        add_list(setting, text);
    else
        add_item(setting, text, strlen(text));
    return true;
}

struct options *options_new(const struct command_table *commands, const struct command *command,
                            char *const *environment) {
    struct options *options = memory_new(sizeof *options);
    options->commands = commands;
    options->command = command;
    options->environment = environment;
    while (option_row(command, options->setting_count))
        options->setting_count++;
    options->settings = memory_new_array(options->setting_count + 1, sizeof *options->settings);
    for (size_t i = 0; i < options->setting_count; i++) {
        struct option_setting *setting = &options->settings[i];
        setting->row = option_row(command, i);
        if (!setting->row->fallback) continue;
        struct status status = STATUS_INIT;
        bool fits = options_set(setting, LEVEL_DEFAULT, setting->row->fallback, "default", &status);
        ASSERT(fits);
    }
    return options;
}

static void free_texts(char **texts, size_t count) {
    for (size_t i = 0; i < count; i++)
        free(texts[i]);
    free(texts);
}

void options_free(struct options *options) {
    if (!options) return;
    for (size_t i = 0; i < options->setting_count; i++)
        option_setting_clear(&options->settings[i]);
    free(options->settings);
    free_texts(options->flags, options->flag_count);
    free_texts(options->arguments, options->argument_count);
    free(options->folder);
    free(options);
}

struct option_setting *options_find(const struct options *options, const char *key) {
    for (size_t i = 0; i < options->setting_count; i++)
        if (!strcmp(options->settings[i].row->key, key)) return &options->settings[i];
    return NULL;
}

bool options_override(struct options *options, const char *key, const char *value,
                      const char *origin, struct status *status) {
    struct option_setting *setting = options_find(options, key);
    ASSERT(setting);
    return options_set(setting, LEVEL_OVERRIDE, value, origin, status) ||
           status_context(status, "%s", origin);
}

/* ---- reading values ---- */

static const struct option_setting *setting_of(const struct options *options, const char *key) {
    const struct option_setting *setting = options_find(options, key);
    ASSERT(setting);
    return setting;
}

static const struct option_setting *setting_of_type(const struct options *options, const char *key,
                                                    enum option_type type) {
    const struct option_setting *setting = setting_of(options, key);
    ASSERT(setting->row->type == type);
    return setting;
}

const char *options_text(const struct options *options, const char *key) {
    const struct option_setting *setting = setting_of(options, key);
    ASSERT(setting->row->type != OPTION_LIST);
    return setting->count > 0 && !setting->secret_inside ? setting->items[0] : NULL;
}

int64_t options_integer(const struct options *options, const char *key) {
    return setting_of_type(options, key, OPTION_INTEGER)->number;
}

int64_t options_duration_ms(const struct options *options, const char *key) {
    return setting_of_type(options, key, OPTION_DURATION)->number;
}

int64_t options_time_ms(const struct options *options, const char *key) {
    return setting_of_type(options, key, OPTION_TIME)->number;
}

bool options_boolean(const struct options *options, const char *key) {
    return setting_of_type(options, key, OPTION_BOOLEAN)->number != 0;
}

bool options_address(const struct options *options, const char *key, struct address *out) {
    const struct option_setting *setting = setting_of_type(options, key, OPTION_ADDRESS);
    struct status unused = STATUS_INIT; /* the text was checked when it was set */
    return setting->count > 0 &&
           address_parse(bytes_of_text(setting->items[0]), ADDRESS_PORT_REQUIRED, out, &unused);
}

size_t options_count(const struct options *options, const char *key) {
    return setting_of_type(options, key, OPTION_LIST)->count;
}

const char *options_item(const struct options *options, const char *key, size_t index) {
    const struct option_setting *setting = setting_of_type(options, key, OPTION_LIST);
    ASSERT(index < setting->count);
    return setting->items[index];
}

bool options_secret(const struct options *options, const char *key, struct buffer *out,
                    struct status *status) {
    const struct option_setting *setting = setting_of_type(options, key, OPTION_SECRET_FILE);
    if (setting->count == 0) return false;
    if (setting->secret_inside) {
        buffer_append_text(out, setting->items[0]);
        return buffer_check(out, setting->origin, status);
    }
    if (!file_read_secret(setting->items[0], out, status)) return false;
    while (out->length > 0 &&
           (out->data[out->length - 1] == '\n' || out->data[out->length - 1] == '\r'))
        out->length--;
    if (out->length == 0)
        return status_fail(status, STATUS_CONFIG, "%s: %s is empty", setting->origin,
                           setting->items[0]);
    out->data[out->length] = '\0';
    return true;
}

bool options_is_given(const struct options *options, const char *key) {
    return setting_of(options, key)->level != LEVEL_DEFAULT;
}

const char *options_origin(const struct options *options, const char *key) {
    const struct option_setting *setting = setting_of(options, key);
    return setting->origin ? setting->origin : "default";
}

size_t options_argument_count(const struct options *options) {
    return options->argument_count;
}

const char *options_argument(const struct options *options, size_t index) {
    return index < options->argument_count ? options->arguments[index] : NULL;
}

bool options_want_help(const struct options *options) {
    return options->want_help;
}

const char *options_folder(const struct options *options) {
    return options->folder;
}

/* What stands before the last @ of a URL is a name and a password, or a token. */
static void show_item(const char *item, struct buffer *out) {
    const char *authority = strstr(item, "://");
    const char *host = authority ? strrchr(authority, '@') : NULL;
    if (host) {
        buffer_append(out, item, (size_t)(authority - item) + strlen("://"));
        buffer_append_text(out, "***");
        item = host;
    }
    buffer_append_text(out, item);
}

void options_show(const struct options *options, const struct option *row, struct buffer *out) {
    const struct option_setting *setting = setting_of(options, row->key);
    if (setting->secret_inside) {
        buffer_append_text(out, "***");
        return;
    }
    for (size_t i = 0; i < setting->count; i++) {
        if (i > 0) buffer_append_text(out, ", ");
        show_item(setting->items[i], out);
    }
}
