/* A technique of one's own in a program of one's own: gradient noise (Neelakantan et al. 2015), normal noise
 * that is added to every gradient and becomes weaker with time. It does not need to be known to the library;
 * options, checking, checkpoints and the place in the run are the same as for a built-in one.
 *
 *     cc own_technique.c $(pkg-config --cflags --libs espalier) -lm -o own_technique
 *     ./own_technique /usr/share/datasets/fashion-mnist */
#include <espalier/espalier.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>

typedef struct noise {
    double strength, decay;
    double deviation; /* of this step */
    int64_t step;
} noise;

static const espl_option options[] = {
    ESPL_REAL(noise, strength, "0.01", 0, 10, "deviation of the noise at the first step"),
    ESPL_REAL(noise, decay, "0.55", 0, 1, "the deviation falls as (1 + step)^(-decay)"),
    ESPL_OPTIONS_END
};

static espl_status weaken(void *self, espl_run *run)
{
    noise *n = self;

    n->step = espl_run_step(run);
    n->deviation = n->strength * pow(1 + (double)n->step, -n->decay);
    return ESPL_OK;
}

/* A number in (0, 1) that depends on the step and the place alone, never on which worker asks first: that is
 * what keeps runs the same for any number of threads. */
static double chance(uint64_t step, uint64_t parameter, uint64_t place)
{
    uint64_t x = step * 0x9e3779b97f4a7c15u ^ parameter * 0xc2b2ae3d27d4eb4fu ^ place * 0x165667b19e3779f9u;

    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
    return ((double)((x ^ (x >> 31)) >> 11) + 0.5) * 0x1p-53;
}

static void add_noise(void *self, const espl_block *block)
{
    const noise *n = self;

    for (int64_t i = 0; i < block->count; i++) {
        const uint64_t place = 2 * (uint64_t)(block->offset + i);
        const double u = chance((uint64_t)n->step, (uint64_t)block->parameter, place);
        const double v = chance((uint64_t)n->step, (uint64_t)block->parameter, place + 1);
        block->gradient[i] += (float)(n->deviation * sqrt(-2 * log(u)) * cos(6.283185307179586 * v));
    }
}

static const espl_technique gradient_noise = {
    .name = "gradient-noise",
    .summary = "add noise to gradients, weaker and weaker",
    .paper = "Neelakantan et al., Adding gradient noise improves learning, arXiv:1511.06807",
    .family = ESPL_REGULARIZE,
    .size = sizeof(noise),
    .options = options,
    .on = { [ESPL_STEP_BEGIN] = weaken },
    .before_update = add_noise,
};

static void tell(void *user, const espl_news *news)
{
    (void)user;
    if (news->kind == ESPL_NEWS_EPOCH)
        printf("epoch %" PRId64 ": loss %.3f, held-out accuracy %.2f %%\n", news->epoch, news->loss,
               100 * news->held_out_top1);
}

static espl_status train(espl_context *context, const char *path)
{
    espl_data *data = NULL;
    espl_net *net = NULL;
    espl_run *run = NULL;
    espl_status status;

    if (!(status = espl_data_open(context, path, &(espl_data_settings){ .limit = 6000 }, &data)) &&
        !(status = espl_net_open(context, "lenet-300-100", NULL, &net)) &&
        !(status = espl_run_open(net, data, "epochs: 2, optimizer: {sgd: {rate: 0.02}}", &run)) &&
        !(status = espl_run_attach_own(run, &gradient_noise, "strength: 0.005"))) {
        espl_run_watch(run, tell, NULL);
        status = espl_run_fit(run);
    }
    espl_run_free(run);
    espl_net_free(net);
    espl_data_free(data);
    return status;
}

int main(int count, char **words)
{
    espl_context *context = NULL;
    espl_status status;

    if (count != 2) {
        fprintf(stderr, "usage: own_technique DATA\n");
        return 2;
    }
    if ((status = espl_context_open(NULL, &context))) {
        fprintf(stderr, "own_technique: %s\n", espl_status_text(status));
        return 1;
    }
    status = train(context, words[1]);
    if (status)
        fprintf(stderr, "own_technique: %s\n", espl_message(context));
    espl_context_free(context);
    return status ? 1 : 0;
}
