/* Clip gradients (Pascanu, Mikolov and Bengio 2012): if the norm over all gradients is above a limit,
 * all of them are scaled down to it, so that one bad batch cannot throw the weights far away. The
 * direction of the step stays. */
#include <espalier/technique.h>

#include <math.h>

typedef struct clip {
    double norm;
    int64_t clipped; /* steps of this epoch that were */
} clip;

static const espl_option options[] = {
    ESPL_REAL(clip, norm, "1", 1e-12, 1e12, "largest norm over the gradients of all parameters"),
    ESPL_OPTIONS_END
};

static const espl_field kept[] = { ESPL_KEEP(clip, clipped), ESPL_KEEP_END };

static espl_status scale(void *self, espl_run *run)
{
    clip *s = self;
    const double norm = espl_run_gradient_norm(run);

    /* A norm that is no number is left alone: the run stops and says which layer it came from. */
    if (isfinite(norm) && norm > s->norm) {
        espl_run_scale_gradients(run, s->norm / norm);
        s->clipped++;
    }
    return ESPL_OK;
}

static espl_status tell(void *self, espl_run *run)
{
    clip *s = self;

    espl_run_report(run, "clipped", (double)s->clipped);
    s->clipped = 0;
    return ESPL_OK;
}

const espl_technique espl_technique_clip_gradients = {
    .name = "clip-gradients",
    .summary = "scale gradients down to a largest norm",
    .paper = "Pascanu et al., On the difficulty of training recurrent neural networks, arXiv:1211.5063",
    .family = ESPL_REGULARIZE,
    .size = sizeof(clip),
    .options = options,
    .kept = kept,
    .on = { [ESPL_GRADIENTS_READY] = scale, [ESPL_EPOCH_END] = tell },
};
