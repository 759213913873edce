/*
 * The stack for people at a terminal. On a terminal: a view of the whole, drawn anew in place each
 * second, with the log sent to a file meanwhile, so that the two do not mix. Elsewhere (a pipe, a
 * service): one plain line an event.
 */
#ifndef LSYS_ROLES_UP_TERMINAL_H
#define LSYS_ROLES_UP_TERMINAL_H

#include <stdbool.h>

#include "base/attributes.h"
#include "base/status.h"
#include "roles/up/overview.h"

struct terminal;

/* Begins. `live` asks for the view in place; it is given only when stdout is a terminal that can
 * move its cursor. When stderr is a terminal too, it is pointed to the file `log_path` (0600,
 * appended) until terminal_close. STATUS_PERMISSION and the like when that file cannot be
 * opened. */
struct terminal *terminal_open(bool live, const char *log_path, struct status *status) MUST_CHECK;

/* Shows the present state: draws the view, or prints the events that are new since the last call.
 * `page_url` is where the page is. */
void terminal_show(struct terminal *terminal, const struct overview *overview,
                   const char *page_url);

/* Gives the terminal back as it was: cursor, screen and stderr. NULL is fine. */
void terminal_close(struct terminal *terminal);

#endif
