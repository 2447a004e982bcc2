/* Techniques that a program adds to a run. */
#include "train/train.h"

/* Nothing may join once the fit has begun: the plan and the checkpoints would not know of it. */
static espl_status check_open(espl_run *run, const char *name)
{
    return run->fitted ? espl__fail(run->ctx, ESPL_BAD_STATE, "%s: techniques are attached before the fit",
                                    name)
                       : ESPL_OK;
}

espl_status espl_run_attach(espl_run *run, const char *technique, const char *options)
{
    espl__document *document = NULL;
    espl_status s;

    if ((s = check_open(run, technique)) ||
        (s = espl__document_parse_settings(run->ctx, "options", options, &document)))
        return s;
    return espl__member_add_named(run, technique, NULL, document, true, document->root);
}

espl_status espl_run_attach_own(espl_run *run, const espl_technique *technique, const char *options)
{
    espl__document *document = NULL;
    espl_status s;

    if ((s = check_open(run, technique->name)) ||
        (s = espl__document_parse_settings(run->ctx, "options", options, &document)))
        return s;
    return espl__member_add(run, technique, document, true, document->root);
}
