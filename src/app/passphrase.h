/*
 * Passphrases for private keys: from a file that only its owner can read, or typed on the terminal
 * without echo. Never from a flag or the environment.
 */
#ifndef LSYS_APP_PASSPHRASE_H
#define LSYS_APP_PASSPHRASE_H

#include <stdbool.h>

#include "base/attributes.h"
#include "base/buffer.h"
#include "base/status.h"

/* Longest passphrase in bytes; generous for a generated one. */
#define PASSPHRASE_LIMIT_BYTES 1024

/* Shortest passphrase that a new key is protected with: Argon2id slows guessing, it cannot save a
 * password of a few letters. */
#define PASSPHRASE_MINIMUM_BYTES 8

/* Appends the first line of the file to `out` (initialised with PASSPHRASE_LIMIT_BYTES). The file
 * must be readable by its owner only. An empty passphrase is STATUS_CONFIG. */
bool passphrase_read_file(const char *path, struct buffer *out, struct status *status) MUST_CHECK;

/* Asks on /dev/tty with echo off, which is restored also after SIGINT; with `confirm` it asks
 * twice. STATUS_UNAVAILABLE when there is no terminal, saying to use a file. */
bool passphrase_prompt(const char *question, bool confirm, struct buffer *out,
                       struct status *status) MUST_CHECK;

#endif
