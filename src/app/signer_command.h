/*
 * Signing by an external command, for keys in an HSM or a KMS (`--signer CMD`): the signing input
 * goes to its standard input, and its standard output is the signature, raw (64 bytes) or, for
 * P-256, DER. The public key comes from a file. Waits for the command: for tools, not for the loop
 * thread of a role.
 */
#ifndef LSYS_APP_SIGNER_COMMAND_H
#define LSYS_APP_SIGNER_COMMAND_H

#include "base/attributes.h"
#include "base/status.h"
#include "verifier/signer.h"

/* An HSM behind a network, or a person who has to touch a token, needs some time. */
#define SIGNER_COMMAND_TIMEOUT_MS 60000

/* More than any signature; a command that prints more is not a signer. */
#define SIGNER_COMMAND_OUTPUT_BYTES 4096

struct signer_command;

/* Prepares the command line (app/command_line.h: no shell) for the key `public_key`. NULL with
 * STATUS_CONFIG when it cannot be split into words. The caller gives it to signer_command_free. */
struct signer_command *signer_command_new(const char *command_line, const struct jwk *public_key,
                                          struct status *status) MUST_CHECK;

/* The signer, which borrows the command. Fails with STATUS_SIGNER_FAILED, saying how the command
 * ended; what it prints on standard error goes to ours. */
struct signer signer_command_signer(struct signer_command *command);

/* NULL is fine. */
void signer_command_free(struct signer_command *command);

#endif
