/* lsys config: what the configuration says, and where each value comes from. */
#include <stdio.h>
#include <string.h>

#include "app/role_options.h"
#include "roles/tools/tools.h"

/* Room for "section.key" and for one value. */
#define NAME_BYTES  96
#define VALUE_BYTES 8192

static void print_setting(const struct command *role, const struct options *options,
                          const struct option *row) {
    char name[NAME_BYTES];
    struct buffer value;
    const char *section = option_section(role, row);
    if (!section) return;
    buffer_init(&value, VALUE_BYTES);
    options_show(options, row, &value);
    snprintf(name, sizeof name, "%s.%s", section, row->key);
    printf("  %-44s %-30s # %s\n", name, value.length > 0 ? buffer_text(&value) : "-",
           options_origin(options, row->key));
    buffer_free(&value);
}

static void print_role(const struct command *role, const struct options *options) {
    const struct option *row;
    const char *folder = options_folder(options);
    printf("%s (files: %s)\n", role->name, folder ? folder : "none");
    for (size_t i = 0; (row = option_row(role, i)); i++)
        print_setting(role, options, row);
}

/* Loads the configuration of each wanted role, and prints it when asked to. */
static bool visit_roles(const struct command_call *call, const char *wanted, bool print,
                        struct status *status) {
    const struct command_table *commands = call->commands;
    bool found = false;
    for (size_t i = 0; i < commands->count; i++) {
        const struct command *role = commands->rows[i];
        if (!role->section || role == call->command) continue;
        if (wanted && strcmp(role->name, wanted) != 0) continue;
        found = true;
        struct options *options = options_load_like(call->options, role, status);
        if (!options) return false;
        if (print) print_role(role, options);
        options_free(options);
    }
    if (!found && wanted)
        return status_fail(status, STATUS_USAGE, "\"%.60s\" is not a role with a configuration",
                           wanted);
    return true;
}

static int run(const struct command_call *call) {
    struct status status = STATUS_INIT;
    bool print = !strcmp(options_argument(call->options, 0), "show");
    if (!visit_roles(call, options_argument(call->options, 1), print, &status))
        return command_failed(call->command, &status);
    if (!print) {
        const char *folder = options_folder(call->options);
        printf("the configuration is good (files: %s)\n", folder ? folder : "none");
    }
    return command_finished(call->command, 0);
}

const struct command config_command = {
    .name = "config",
    .summary = "show the configuration and where it comes from, or check it",
    .group = COMMAND_TOOLS,
    .arguments = "show|check [ROLE]",
    .arguments_minimum = 1,
    .arguments_maximum = 2,
    .actions = "show|check",
    .description =
        "Reads the configuration as the roles do: defaults, *.conf in the order of their names,\n"
        "LSYS_<SECTION>_<KEY>. \"show\" prints every value and where it came from; secrets are\n"
        "printed as ***. \"check\" prints nothing but the first error. Without ROLE, of all roles.",
    .examples = "  lsys config show license-server\n"
                "  lsys config check --config-dir /etc/lsys/conf.d.new\n",
    .section = "config",
    .shared = (const struct option *const[]){process_options, NULL},
    .run = run,
};
