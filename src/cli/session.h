/* A context for one command, and what its failures mean for the person at the keyboard. */
#ifndef ESPL_SESSION_H
#define ESPL_SESSION_H

#include "cli.h"

#include <espalier/base.h>

/* Opens a context; notes and warnings go to stderr. `settings` may set log and user. Returns an exit
 * code, having said why if it is not CLI_DONE. */
int session_open(const cli_machine *machine, const espl_context_settings *settings, espl_context **result);

/* The exit code of a status; anything but ESPL_OK is first told on stderr in one sentence. */
int session_report(const espl_context *ctx, espl_status status);

/* The exit code alone. */
int session_exit_code(espl_status status);

#endif
