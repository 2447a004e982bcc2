/* Contexts and exit codes. */
#include "session.h"
#include "terminal.h"

#include <sched.h>
#include <unistd.h>

int session_exit_code(espl_status status)
{
    switch (status) {
    case ESPL_OK:
        return CLI_DONE;
    case ESPL_BAD_OPTION:
    case ESPL_BAD_RECIPE:
    case ESPL_BAD_SHAPE:
        return CLI_WRONG_USE;
    case ESPL_BAD_FILE:
    case ESPL_NO_FILE:
        return CLI_BAD_INPUT;
    case ESPL_INTERRUPTED:
        return CLI_INTERRUPTED;
    default:
        return CLI_COULD_NOT;
    }
}

int session_report(const espl_context *ctx, espl_status status)
{
    if (status) {
        const char *message = espl_message(ctx);
        cli_complain("%s", *message ? message : espl_status_text(status));
    }
    return session_exit_code(status);
}

static void note(void *user, espl_level level, const char *line)
{
    (void)user;
    if (level == ESPL_WARNING)
        fprintf(stderr, "%swarning:%s %s\n", terminal_yellow(stderr), terminal_plain(stderr), line);
    else
        fprintf(stderr, "%s\n", line);
}

static int processors(void)
{
#ifdef __linux__
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set) == 0)
        return CPU_COUNT(&set);
#endif
    return (int)sysconf(_SC_NPROCESSORS_ONLN);
}

int session_open(const cli_machine *machine, const espl_context_settings *settings, espl_context **result)
{
    espl_context_settings all = settings ? *settings : (espl_context_settings){ 0 };
    const int here = processors();

    if (!all.log)
        all.log = note;
    all.seed = (uint64_t)machine->seed.value;
    all.threads = (int)machine->threads;
    all.oversubscribe = machine->oversubscribe;
    if (all.threads > here && here > 0 && !all.oversubscribe)
        fprintf(stderr, "working with %d thread%s, one for each processor this process may use "
                        "(--oversubscribe allows more)\n",
                here, here == 1 ? "" : "s");
    const espl_status status = espl_context_open(&all, result);
    if (status)
        cli_complain("no context could be opened: %s", espl_status_text(status));
    return session_exit_code(status);
}
