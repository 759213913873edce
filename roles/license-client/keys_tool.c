/* lsys client keys: the pinned keys of license servers in the state of a client. */
#include <stdio.h>
#include <string.h>

#include "app/ledger.h"
#include "base/clock.h"
#include "codec/rfc3339.h"
#include "roles/license-client/license_client.h"
#include "roles/license-client/name.h"
#include "store/store.h"

static const struct option options[] = {
    {.key = "data_dir",
     .type = OPTION_PATH,
     .value_name = "DIR",
     .fallback = "lsys-data",
     .help = "Folder of the client's state"},
    {0},
};

static bool list(const char *folder, struct status *status) {
    struct store *store = NULL;
    if (!store_open_to_read(folder, &store, status)) return false;
    struct ledger *ledger = ledger_open(store, LICENSE_CLIENT_NAME);
    const struct server_pins *pins = ledger_pins(ledger);
    for (size_t i = 0; i < pins->count; i++) {
        char pinned_at[RFC3339_BYTES];
        rfc3339_format(pins->items[i].pinned_at_ms, pinned_at);
        printf("%s  %s\n", pins->items[i].key_id, pinned_at);
    }
    ledger_close(ledger);
    store_close(store);
    return true;
}

static bool add(struct server_pins *pins, const char *key_id, struct status *status) {
    if (!server_key_id_is_plausible(bytes_of_text(key_id)))
        return status_fail(status, STATUS_USAGE,
                           "\"%s\" is not a key's thumbprint: 43 characters, as the license "
                           "server's log and `lsys client keys ls` show it",
                           key_id);
    if (!server_pins_add(pins, key_id, clock_wall_ms()))
        return status_fail(status, STATUS_TOO_LARGE,
                           "there are %d keys already: remove one first, with lsys client keys rm",
                           SERVER_PINS_MAX);
    return true;
}

static bool remove_key(struct server_pins *pins, const char *key_id, struct status *status) {
    return server_pins_remove(pins, key_id) ||
           status_fail(status, STATUS_NOT_FOUND, "the key %s is not pinned", key_id);
}

static bool change(const char *folder, const char *action, const char *key_id,
                   struct status *status) {
    struct store *store = NULL;
    bool adds = strcmp(action, "add") == 0;
    if (!store_open(folder, &store, NULL, status)) {
        if (status->code == STATUS_BUSY)
            status_context(status, "stop the client first, change its keys, and start it again");
        return false;
    }
    struct ledger *ledger = ledger_open(store, LICENSE_CLIENT_NAME);
    struct server_pins pins = *ledger_pins(ledger);
    bool done = adds ? add(&pins, key_id, status) : remove_key(&pins, key_id, status);
    if (done) {
        ledger_keep_pins(ledger, &pins);
        done = ledger_flush(ledger) ||
               status_fail(status, STATUS_IO, "the keys could not be saved in %s", folder);
    }
    ledger_close(ledger);
    store_close(store);
    if (done) printf("%s %s\n", adds ? "pinned" : "removed", key_id);
    return done;
}

static bool perform(const struct options *values, struct status *status) {
    const char *folder = options_text(values, "data_dir");
    const char *action = options_argument(values, 1);
    size_t count = options_argument_count(values);
    if (strcmp(action, "ls") == 0 && count == 2) return list(folder, status);
    if ((strcmp(action, "add") == 0 || strcmp(action, "rm") == 0) && count == 3)
        return change(folder, action, options_argument(values, 2), status);
    return status_fail(status, STATUS_USAGE,
                       "give \"keys ls\", \"keys add KEY\" or \"keys rm KEY\"");
}

static int run(const struct command_call *call) {
    struct status status = STATUS_INIT;
    if (!perform(call->options, &status)) return command_failed(call->command, &status);
    return command_finished(call->command, 0);
}

const struct command client_command = {
    .name = "client",
    .summary = "show and change the license servers' keys that a license client has pinned",
    .group = COMMAND_TOOLS,
    .arguments = "keys ls|add KEY|rm KEY",
    .arguments_minimum = 2,
    .arguments_maximum = 3,
    .actions = "keys",
    .description =
        "A license client whose license names no servers (server_jkts) pins the keys of the\n"
        "first four license servers that answer a fresh nonce, and raises an alert for each.\n"
        "With --pinning strict it accepts only the keys that were there already, or that were\n"
        "added here. KEY is the RFC 7638 thumbprint of a server's key. `ls` also works while\n"
        "the client runs; to add or remove a key, stop the client first.",
    .examples = "  lsys client keys ls --data-dir /var/lib/lsys-client\n"
                "  lsys client keys rm NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs\n",
    .options = options,
    .run = run,
};
