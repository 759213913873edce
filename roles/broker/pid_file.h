/*
 * The file by which `lsys broker --drain` finds the running broker. It is locked as long as the
 * broker runs, and the lock tells the process: a file left behind after a crash names nobody, and
 * no other process that got the same number is ever signalled.
 */
#ifndef LSYS_ROLES_BROKER_PID_FILE_H
#define LSYS_ROLES_BROKER_PID_FILE_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/attributes.h"
#include "base/status.h"

/* Makes or takes over the file, writes this process's number into it and locks it. Returns the
 * descriptor that holds the lock, or -1: STATUS_BUSY when another process has it, else why the
 * system refused. */
int pid_file_hold(const char *path, struct status *status) MUST_CHECK;

/* Removes the file and gives up the lock. -1 is harmless. */
void pid_file_release(const char *path, int descriptor);

/* Finds the process that holds the file. STATUS_NOT_FOUND when there is none. */
bool pid_file_find(const char *path, pid_t *process, struct status *status) MUST_CHECK;

#endif
