/*
 * lsys: one file, many names. This is the table of everything that it can do, and the choice of the
 * row, as busybox makes it: by the name that the program is called by, or by its first argument.
 */
#include <errno.h>
#include <nss.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "app/command.h"
#include "app/printable.h"
#include "app/process_setup.h"
#include "base/file.h"
#include "roles/broker/broker.h"
#include "roles/ca/ca.h"
#include "roles/cache-master/cache_master.h"
#include "roles/cache-slave/cache_slave.h"
#include "roles/license-client/license_client.h"
#include "roles/license-server/license_server.h"
#include "roles/nats/nats.h"
#include "roles/tools/tools.h"
#include "roles/up/up.h"
#include "roles/vendor-tools/vendor_tools.h"

/* One a line, in the order of the help: a new command is a new line. */
/* clang-format off */
static const struct command *const rows[] = {
    &up_command,
    &broker_command,
    &license_server_command,
    &license_client_command,
    &cache_master_command,
    &cache_slave_command,
    &keygen_command,
    &issue_command,
    &inspect_command,
    &verify_command,
    &revoke_command,
    &keyring_command,
    &ca_command,
    &nats_command,
    &check_command,
    &status_command,
    &health_command,
    &client_command,
    &licenses_command,
    &server_key_command,
    &fingerprint_command,
    &audit_command,
    &config_command,
    &completion_command,
    &version_command,
    &help_command,
};
/* clang-format on */

static const struct command_table commands = {rows, sizeof rows / sizeof rows[0]};

static int unknown_command(const char *name) {
    char typed[64];
    printable_copy(name, typed, sizeof typed);
    const char *nearest = command_suggest(&commands, typed);
    fprintf(stderr, "lsys: there is no command \"%s\"%s%s%s\n", typed,
            nearest ? "; did you mean \"" : "", nearest ? nearest : "", nearest ? "\"?" : "");
    fprintf(stderr, "lsys: \"lsys help\" lists them all\n");
    return status_exit_code(STATUS_USAGE);
}

/* Links one command's name in `folder` to `program`. A link that is there already is replaced;
 * anything else is left alone. */
static bool install_link(const char *program, const char *folder, const char *name,
                         struct status *status) {
    char before[4096];
    char *path = file_join(folder, name);
    bool is_link = readlink(path, before, sizeof before) >= 0;
    bool linked = (!is_link || unlink(path) == 0) && symlink(program, path) == 0;
    if (!linked) status_fail_errno(status, errno, "cannot make the link %s", path);
    free(path);
    return linked;
}

static int install_links(const char *folder) {
    struct status status = STATUS_INIT;
    char program[4096];
    ssize_t length = readlink("/proc/self/exe", program, sizeof program - 1);
    bool installed = length > 0 || status_fail_errno(&status, errno, "cannot read /proc/self/exe");
    program[length > 0 ? length : 0] = '\0';
    installed = installed && file_make_folder(folder, 0755, &status);
    for (size_t i = 0; installed && i < commands.count; i++)
        installed = install_link(program, folder, commands.rows[i]->name, &status);
    if (!installed) {
        fprintf(stderr, "lsys --install: %s\n", status.text);
        return status_exit_code(status.code);
    }
    printf("made %zu links to %s in %s\n", commands.count, program, folder);
    return 0;
}

static int run(const char *name, int count, char **arguments) {
    const struct command *command = command_find(&commands, name);
    return command ? command_main(&commands, command, count, arguments) : unknown_command(name);
}

int main(int argc, char **argv) {
    /* A static glibc must never load the host's NSS modules: names come from files and DNS. */
    __nss_configure_lookup("hosts", "files dns");
    process_harden();
    if (argc < 1) return status_exit_code(STATUS_USAGE);

    const char *name = strrchr(argv[0], '/') ? strrchr(argv[0], '/') + 1 : argv[0];
    if (command_find(&commands, name)) return run(name, argc - 1, argv + 1);
    if (argc < 2 || !strcmp(argv[1], "--help") || !strcmp(argv[1], "-h"))
        return run("help", 0, argv + argc);
    if (!strcmp(argv[1], "--version")) return run("version", argc - 2, argv + 2);
    if (!strcmp(argv[1], "--install") && argc == 3) return install_links(argv[2]);
    return run(argv[1], argc - 2, argv + 2);
}
