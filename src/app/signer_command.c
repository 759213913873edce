#include "app/signer_command.h"

#include <stdlib.h>

#include "app/command_line.h"
#include "base/memory.h"
#include "loop/loop.h"
#include "loop/process.h"

struct signer_command {
    struct jwk public_key;
    char **words;
};

/* One signature being asked for. */
struct asking {
    const struct signer_command *command;
    uint8_t *signature;
    struct status *status;
    bool done;
};

struct signer_command *signer_command_new(const char *command_line, const struct jwk *public_key,
                                          struct status *status) {
    char **words = command_line_split(command_line, status);
    if (!words) {
        status_context(status, "--signer");
        return NULL;
    }
    struct signer_command *command = memory_new(sizeof *command);
    command->public_key = *public_key;
    command->words = words;
    return command;
}

void signer_command_free(struct signer_command *command) {
    if (!command) return;
    command_line_free(command->words);
    free(command);
}

static void on_ended(void *context, const struct process_result *result) {
    struct asking *asking = context;
    const char *program = asking->command->words[0];
    if (result->timed_out)
        status_fail(asking->status, STATUS_SIGNER_FAILED, "the signer %s did not answer in %d s",
                    program, SIGNER_COMMAND_TIMEOUT_MS / 1000);
    else if (result->output_too_large)
        status_fail(asking->status, STATUS_SIGNER_FAILED,
                    "the signer %s printed more than %d bytes", program,
                    SIGNER_COMMAND_OUTPUT_BYTES);
    else if (result->term_signal != 0)
        status_fail(asking->status, STATUS_SIGNER_FAILED, "the signer %s was ended by signal %d",
                    program, result->term_signal);
    else if (result->exit_status != 0)
        status_fail(asking->status, STATUS_SIGNER_FAILED, "the signer %s failed with exit code %d",
                    program, result->exit_status);
    else
        asking->done = signer_read_signature(asking->command->public_key.type, result->output,
                                             asking->signature, asking->status);
}

/* A loop of its own: the caller is a tool that has nothing else to do. */
static bool sign(void *context, struct bytes signing_input, uint8_t signature[SIGNATURE_BYTES],
                 struct status *status) {
    const struct signer_command *command = context;
    struct asking asking = {.command = command, .signature = signature, .status = status};
    struct loop *loop = loop_create(status);
    if (!loop) return false;
    struct process_options options = {
        .arguments = (const char *const *)command->words,
        .input = signing_input,
        .output_limit_bytes = SIGNER_COMMAND_OUTPUT_BYTES,
        .timeout_ms = SIGNER_COMMAND_TIMEOUT_MS,
        .callback = on_ended,
        .context = &asking,
    };
    if (!process_start(loop, &options, status)) status_context(status, "--signer");
    loop_run(loop); /* after a failed start too: what was opened for it still has to close */
    loop_destroy(loop);
    return asking.done;
}

struct signer signer_command_signer(struct signer_command *command) {
    return signer_from_callback(&command->public_key, sign, command);
}
