/*
 * What a server answers to a request about accounts: {"data":{"code":200,"message":...},...} or
 * {"error":{"code":500,"description":...},...}, with the server's name in "server".
 */
#ifndef LSYS_ROLES_NATS_ANSWER_H
#define LSYS_ROLES_NATS_ANSWER_H

#include <stdbool.h>

#include "base/bytes.h"

/* Prints one line, which `subject` (the account's name) begins. True when the server has done what
 * it was asked for. */
bool answer_print(const char *subject, struct bytes answer);

#endif
