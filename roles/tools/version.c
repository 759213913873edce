/* lsys version: which lsys this is, and what was linked into it. */
#include <stdio.h>
#include <string.h>

#include "app/third_party.h"
#include "app/version.h"
#include "codec/json_writer.h"
#include "roles/tools/tools.h"

/* Names and licences of about ten libraries. */
#define VERSION_BYTES (64 * 1024)

static const struct option options[] = {
    {.key = "licenses",
     .type = OPTION_BOOLEAN,
     .help = "Print every library's copyright file, and how to relink with another C library"},
    {.key = "json", .type = OPTION_BOOLEAN, .help = "Print JSON"},
    {0},
};

static void widen(int *width, const char *text) {
    int length = (int)strlen(text);
    if (length > *width) *width = length;
}

static void print_list(void) {
    int name = 0, version = 0, license = 0;
    for (size_t i = 0; i < third_party_packages_count; i++) {
        widen(&name, third_party_packages[i].name);
        widen(&version, third_party_packages[i].version);
        widen(&license, third_party_packages[i].license);
    }
    printf("lsys %s (Apache-2.0)\n\nLinked in:\n", lsys_version());
    for (size_t i = 0; i < third_party_packages_count; i++) {
        const struct third_party_package *package = &third_party_packages[i];
        printf("  %-*s  %-*s  %-*s  %s\n", name, package->name, version, package->version, license,
               package->license, package->why);
    }
}

static void print_licenses(void) {
    printf(
        "lsys %s is under the Apache License 2.0. It contains the libraries below.\n\n"
        "The GNU C Library is under the LGPL: you may relink lsys with a C library of your own.\n"
        "\"make\" in the source tree links build/static/lsys from object files; put your libc.a\n"
        "into third_party/sysroot, or set SYSROOT, and link again.\n",
        lsys_version());
    for (size_t i = 0; i < third_party_packages_count; i++) {
        const struct third_party_package *package = &third_party_packages[i];
        printf("\n==== %s %s (%s): %s ====\n\n%s\n", package->name, package->version,
               package->license, package->why, package->copyright_text);
    }
}

static int print_json(const struct command *command) {
    struct buffer text;
    struct json_writer json;
    struct status status = STATUS_INIT;
    buffer_init(&text, VERSION_BYTES);
    json_writer_init(&json, &text);
    json_writer_begin_object(&json);
    json_writer_member_text(&json, "version", lsys_version());
    json_writer_member_text(&json, "license", "Apache-2.0");
    json_writer_name(&json, "libraries");
    json_writer_begin_array(&json);
    for (size_t i = 0; i < third_party_packages_count; i++) {
        const struct third_party_package *package = &third_party_packages[i];
        json_writer_begin_object(&json);
        json_writer_member_text(&json, "name", package->name);
        json_writer_member_text(&json, "version", package->version);
        json_writer_member_text(&json, "license", package->license);
        json_writer_member_text(&json, "why", package->why);
        json_writer_end_object(&json);
    }
    json_writer_end_array(&json);
    json_writer_end_object(&json);
    if (json_writer_finish(&json, "the list of libraries", &status)) puts(buffer_text(&text));
    buffer_free(&text);
    return status_is_ok(&status) ? 0 : command_failed(command, &status);
}

static int run(const struct command_call *call) {
    int exit_code = 0;
    if (options_boolean(call->options, "json"))
        exit_code = print_json(call->command);
    else if (options_boolean(call->options, "licenses"))
        print_licenses();
    else
        print_list();
    return command_finished(call->command, exit_code);
}

const struct command version_command = {
    .name = "version",
    .summary = "print the version, and the libraries inside with their licences",
    .group = COMMAND_TOOLS,
    .options = options,
    .run = run,
};
