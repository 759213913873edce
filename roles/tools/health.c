/* lsys health: is a role alive and ready? For container health checks and scripts. */
#include <stdio.h>

#include "app/ask.h"
#include "app/printable.h"
#include "app/role_options.h"
#include "roles/tools/tools.h"

static const struct option options[] = {
    {.key = "alive",
     .type = OPTION_BOOLEAN,
     .help = "Ask only whether the process answers (/healthz), not whether it can serve"},
    {0},
};

static const struct option *const shared[] = {https_options, NULL};

static void print_conditions(const struct json_value *root) {
    const struct json_value *conditions = json_value_member(root, "conditions");
    for (size_t i = 0; i < json_value_count(conditions); i++) {
        const struct json_value *condition = json_value_item(conditions, i);
        const char *name = json_member_text(condition, "name");
        const char *reason = json_member_text(condition, "reason");
        bool met = false;
        json_member_boolean(condition, "met", &met);
        printf("  %s ", met ? "ok" : "NO");
        printable_write(stdout, name ? name : "");
        if (reason && *reason) {
            printf(": ");
            printable_write(stdout, reason);
        }
        printf("\n");
    }
}

static int run(const struct command_call *call) {
    struct status status = STATUS_INIT;
    struct answer answer = {0};
    const char *url = options_argument(call->options, 0);
    bool alive = options_boolean(call->options, "alive");
    if (!ask(call->options, url, alive ? "/healthz" : "/readyz", &answer, &status)) {
        answer_free(&answer);
        return command_failed(call->command, &status);
    }
    bool good = answer.http_status == 200;
    printf("%s: %s\n", url,
           alive ? (good ? "alive" : "not alive") : (good ? "ready" : "not ready"));
    if (answer.document) print_conditions(json_document_root(answer.document));
    answer_free(&answer);
    return command_finished(call->command, good ? 0 : status_exit_code(STATUS_UNAVAILABLE));
}

const struct command health_command = {
    .name = "health",
    .summary = "ask a role whether it is ready, or alive",
    .group = COMMAND_TOOLS,
    .arguments = "URL",
    .arguments_minimum = 1,
    .arguments_maximum = 1,
    .description = "Prints the conditions that the role depends on and why one is not met.",
    .examples = "  lsys health http://127.0.0.1:8001\n"
                "  lsys health --alive http://127.0.0.1:8222\n",
    .exit_codes = "  69   not ready, or nobody answers\n",
    .options = options,
    .shared = shared,
    .run = run,
};
