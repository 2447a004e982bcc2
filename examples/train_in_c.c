/* Train, score and save a net from C, the way `espalier train` does it from a recipe.
 *
 *     cc train_in_c.c $(pkg-config --cflags --libs espalier) -o train_in_c
 *     ./train_in_c /usr/share/datasets/fashion-mnist clothes.safetensors
 *
 * Every call returns a status, ESPL_OK is 0, so a chain of `||` stops at the first failure and
 * espl_message says in a sentence what it was. */
#include <espalier/espalier.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

/* Is told after every step and every epoch; must be quick. */
static void tell(void *user, const espl_news *news)
{
    (void)user;
    if (news->kind == ESPL_NEWS_EPOCH)
        printf("epoch %" PRId64 " of %" PRId64 ": loss %.3f, held-out accuracy %.2f %%\n", news->epoch,
               news->epochs, news->loss, 100 * news->held_out_top1);
}

static espl_status train(espl_context *context, const char *data_path, const char *net_path, int epochs)
{
    espl_data *data = NULL;
    espl_net *net = NULL;
    espl_run *run = NULL;
    espl_score score = { 0 };
    char options[128];

    snprintf(options, sizeof options, "epochs: %d, batch: 64, optimizer: {sgd: {rate: 0.01, momentum: 0.9}}",
             epochs);
    espl_status status = espl_data_open(context, data_path, NULL, &data);
    if (!status)
        status = espl_net_open(context, "lenet-5", NULL, &net);
    if (!status)
        status = espl_run_open(net, data, options, &run);
    if (!status)
        status = espl_run_attach(run, "schedule-cosine", NULL);
    if (!status) {
        espl_run_watch(run, tell, NULL);
        status = espl_run_fit(run);
    }
    if (!status)
        status = espl_score_net(net, data, ESPL_HELD_OUT, 0, &score);
    if (!status) {
        printf("%.2f %% of %" PRId64 " held-out pictures are right\n", 100 * score.top1, score.examples);
        status = espl_net_save(net, net_path);
    }
    espl_score_free(&score);
    espl_run_free(run);
    espl_net_free(net);
    espl_data_free(data);
    return status;
}

int main(int count, char **word)
{
    espl_context *context = NULL;

    if (count < 3) {
        fprintf(stderr, "usage: train_in_c DATA NET.safetensors [EPOCHS]\n");
        return 2;
    }
    if (espl_context_open(&(espl_context_settings){ .seed = 42 }, &context)) {
        fprintf(stderr, "train_in_c: too little memory to begin\n");
        return 1;
    }
    const espl_status status = train(context, word[1], word[2], count > 3 ? atoi(word[3]) : 3);
    if (status)
        fprintf(stderr, "train_in_c: %s\n", espl_message(context));
    espl_context_free(context);
    return status ? 1 : 0;
}
