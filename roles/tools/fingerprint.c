/* lsys fingerprint: what identifies this machine, as digests, for a license that is bound to it. */
#include <stdio.h>

#include "app/machine.h"
#include "app/token_file.h"
#include "codec/armor.h"
#include "codec/json_writer.h"
#include "roles/tools/tools.h"
#include "verifier/license.h"

/* The JSON form: 16 components of about 100 bytes. */
#define JSON_BYTES (16 * 1024)

static const struct option options[] = {
    {.key = "fingerprint_file",
     .type = OPTION_PATH,
     .value_name = "FILE",
     .help = "Show the fingerprint in this file (JSON of this tool) instead of this machine's"},
    {.key = "license",
     .type = OPTION_PATH,
     .value_name = "FILE",
     .help = "Say how many of the components in this license are here; its signature is not "
             "checked"},
    {.key = "json", .type = OPTION_BOOLEAN, .help = "Print JSON, as --fingerprint-file reads it"},
    {0},
};

static bool is_demanded(const struct fingerprint_demand *demand, const char *digest) {
    struct fingerprint one = {.count = 1};
    snprintf(one.components[0].digest, sizeof one.components[0].digest, "%s", digest);
    return fingerprint_count_matches(demand, &one) > 0;
}

static void print_text(const struct fingerprint *machine, const struct fingerprint_demand *demand) {
    for (size_t i = 0; i < machine->count; i++) {
        const struct fingerprint_component *component = &machine->components[i];
        const char *mark = !demand                                  ? ""
                           : is_demanded(demand, component->digest) ? "  in the license"
                                                                    : "";
        printf("%-20s %s%s\n", component->name, component->digest, mark);
    }
    if (!demand) {
        printf("\n%zu components. Bind a license to any %zu of them:\n"
               "  lsys fingerprint --json > machine.json\n"
               "  lsys issue ... --fingerprint-file machine.json --fingerprint-match %zu\n",
               machine->count, machine->count - machine->count / 3,
               machine->count - machine->count / 3);
    } else if (demand->count == 0) {
        printf("\nThe license is not bound to a machine.\n");
    } else {
        printf("\nThe license lists %zu components and asks for %zu of them; %zu are here: %s.\n",
               demand->count, demand->match, fingerprint_count_matches(demand, machine),
               fingerprint_matches(demand, machine) ? "enough" : "not enough");
    }
}

static bool print_json(const struct fingerprint *machine, const struct fingerprint_demand *demand,
                       struct status *status) {
    struct buffer text;
    struct json_writer json;
    buffer_init(&text, JSON_BYTES);
    json_writer_init(&json, &text);
    json_writer_begin_object(&json);
    json_writer_name(&json, "components");
    json_writer_begin_array(&json);
    for (size_t i = 0; i < machine->count; i++) {
        json_writer_begin_object(&json);
        json_writer_member_text(&json, "name", machine->components[i].name);
        json_writer_member_text(&json, "digest", machine->components[i].digest);
        json_writer_end_object(&json);
    }
    json_writer_end_array(&json);
    if (demand) {
        json_writer_member_integer(&json, "license_components", (int64_t)demand->count);
        json_writer_member_integer(&json, "license_match", (int64_t)demand->match);
        json_writer_member_integer(&json, "present",
                                   (int64_t)fingerprint_count_matches(demand, machine));
        json_writer_member_boolean(&json, "matches", fingerprint_matches(demand, machine));
    }
    json_writer_end_object(&json);
    bool written = json_writer_finish(&json, "the fingerprint", status);
    if (written) puts(buffer_text(&text));
    buffer_free(&text);
    return written;
}

static bool read_machine(const struct options *values, struct fingerprint *machine,
                         struct status *status) {
    const char *path = options_text(values, "fingerprint_file");
    if (path) return machine_read_file(path, machine, status);
    machine_read(machine);
    if (machine_is_container())
        fprintf(stderr, "lsys fingerprint: this seems to be a container, which has no hardware of "
                        "its own: run it on the host,\n  and give its JSON to the roles with "
                        "--fingerprint-file\n");
    if (machine->count == 0)
        return status_fail(status, STATUS_UNAVAILABLE,
                           "nothing here identifies the machine; try as root, or on the host");
    return true;
}

/* Reads what an unverified license asks for. */
static bool read_demand(const char *path, struct fingerprint_demand *demand,
                        struct status *status) {
    struct token_file file;
    struct jws jws;
    bool read = false;
    if (!token_file_read(path, ARMOR_LICENSE, &file, status)) return false;
    if (jws_parse(token_file_token(&file), &jws, status)) {
        const struct json_value *claims = jws_claims(&jws, status);
        struct license *license = claims ? license_read_claims(claims, status) : NULL;
        if (license) *demand = license->fingerprints;
        read = license != NULL;
        license_free(license);
        jws_free(&jws);
    }
    token_file_free(&file);
    return read || status_context(status, "%s", path);
}

static int run(const struct command_call *call) {
    struct status status = STATUS_INIT;
    struct fingerprint machine;
    struct fingerprint_demand demand = {0};
    const char *license = options_text(call->options, "license");
    const struct fingerprint_demand *asked = license ? &demand : NULL;
    bool done = read_machine(call->options, &machine, &status) &&
                (!license || read_demand(license, &demand, &status));
    if (done && options_boolean(call->options, "json"))
        done = print_json(&machine, asked, &status);
    else if (done)
        print_text(&machine, asked);
    if (!done) return command_failed(call->command, &status);
    bool fits = !asked || fingerprint_matches(asked, &machine);
    return command_finished(call->command, fits ? 0 : status_exit_code(STATUS_WRONG_FINGERPRINT));
}

const struct command fingerprint_command = {
    .name = "fingerprint",
    .summary = "show what identifies this machine, as digests",
    .group = COMMAND_TOOLS,
    .description =
        "A license may be bound to a machine by k of its n components, so that a new network card\n"
        "does not end it. Only digests are shown and stored: they reveal no serial number. Some\n"
        "components can be read by root alone; print the fingerprint as the user that runs the\n"
        "license server.",
    .examples = "  lsys fingerprint --json > machine.json\n"
                "  lsys fingerprint --license acme.lic\n",
    .exit_codes = "  17   with --license: the license is for another machine\n",
    .options = options,
    .run = run,
};
