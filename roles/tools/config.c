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

/* Prints a section that says nothing yet: every key with its help and default, commented out. */
static void print_empty_section(const struct command *command, const char *section) {
    const struct option *row;
    printf("[%s]\n", section);
    for (size_t i = 0; (row = option_row(command, i)); i++) {
        const char *own = option_section(command, row);
        if (!own || strcmp(own, section) != 0) continue;
        printf("\n# %s\n#%s = %s\n", row->help, row->key, row->fallback ? row->fallback : "");
    }
    printf("\n");
}

static void print_template(const struct command *role, const struct options *options) {
    (void)options; /* a template is about what can be said, not about what is */
    printf("# %s: %s\n", role->name, role->summary);
    print_empty_section(role, role->section);
}

typedef void visitor(const struct command *role, const struct options *options);

/* Loads the configuration of each wanted role, and hands it to `visit` (which may be NULL). */
static bool visit_roles(const struct command_call *call, const char *wanted, visitor *visit,
                        struct status *status) {
    const struct command_table *commands = call->commands;
    bool found = false;
    for (size_t i = 0; i < commands->count; i++) {
        const struct command *role = commands->rows[i];
        if (!role->role || !role->section) continue;
        if (wanted && strcmp(role->name, wanted) != 0) continue;
        found = true;
        struct options *options = options_load_like(call->options, role, status);
        if (!options) return false;
        if (visit) visit(role, options);
        options_free(options);
    }
    if (!found && wanted)
        return status_fail(status, STATUS_USAGE, "\"%.60s\" is not a role with a configuration",
                           wanted);
    return true;
}

/* What an action does with each role; "check" only loads it. */
static visitor *find_visitor(const char *action) {
    if (!strcmp(action, "show")) return print_role;
    return strcmp(action, "template") ? NULL : print_template;
}

static int run(const struct command_call *call) {
    struct status status = STATUS_INIT;
    visitor *visit = find_visitor(options_argument(call->options, 0));
    if (!visit_roles(call, options_argument(call->options, 1), visit, &status))
        return command_failed(call->command, &status);
    if (visit == print_template) print_empty_section(call->command, "log");
    if (!visit) {
        const char *folder = options_folder(call->options);
        printf("the configuration is good (files: %s)\n", folder ? folder : "none");
    }
    return command_finished(call->command, 0);
}

const struct command config_command = {
    .name = "config",
    .summary = "show the configuration and where it comes from, or check it",
    .group = COMMAND_TOOLS,
    .arguments = "show|check|template [ROLE]",
    .arguments_minimum = 1,
    .arguments_maximum = 2,
    .actions = "show|check|template",
    .description =
        "Reads the configuration as the roles do: defaults, *.conf in the order of their\n"
        "names, LSYS_<SECTION>_<KEY>. \"show\" prints every value and where it came from;\n"
        "secrets are printed as ***. \"check\" prints nothing but the first error.\n"
        "\"template\" prints a file with every key, its help and its default, commented out.\n"
        "Without ROLE: for all roles.",
    .examples = "  lsys config show license-server\n"
                "  lsys config check --config-dir /etc/lsys/conf.d.new\n"
                "  lsys config template license-client > /etc/lsys/conf.d/client.conf\n",
    .section = "config",
    .shared = (const struct option *const[]){process_options, NULL},
    .run = run,
};
