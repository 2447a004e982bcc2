/* How much each part of a trained net gives to a task: what the net reaches when layers are copied only up to a cut, what
 * can be read off the values there, and what is lost when a part is drawn anew. */
#ifndef ESPALIER_CONTRIBUTION_H
#define ESPALIER_CONTRIBUTION_H

#include <espalier/run.h>

#ifdef __cplusplus
extern "C" {
#endif

#define ESPL_CONTRIBUTION_GROUPS_MAX 64

/* What can be measured; several are added up. */
typedef enum espl_contribution_measure {
    ESPL_CONTRIBUTION_CUTS = 1,   /* Yosinski et al., arXiv:1411.1792 */
    ESPL_CONTRIBUTION_PROBES = 2, /* Alain and Bengio, arXiv:1610.01644 */
    ESPL_CONTRIBUTION_RESETS = 4  /* Zhang et al., arXiv:1902.01996 */
} espl_contribution_measure;

/* Zero in every field is a good default. */
typedef struct espl_contribution_settings {
    const char *folder;     /* where the trainings are kept; NULL: "runs/<recipe name>-contribution" */
    const char *const *set; /* changes of the recipe, as for a run */
    const char *const *with;
    int groups;   /* of layers, the head among them; 0: up to 4 */
    int measures; /* espl_contribution_measure; 0: all */
    double rate;  /* what the rate is multiplied by for copied layers that train; 0: 0.1 */
    /* Is told the news of every training, and a note when one begins. */
    void (*watch)(void *user, const espl_news *news);
    void *user;
} espl_contribution_settings;

/* A place between two groups of layers. Accuracies are on the held-out data; NAN: not measured, or the training
 * diverged. */
typedef struct espl_contribution_cut {
    char layer[208];    /* the last one with parameters before the cut; "" before all */
    int64_t parameters; /* of the group that ends here: values that can be trained */
    double frozen;      /* layers up to here copied and frozen, the rest trained from first values */
    double trained;     /* the same, but the copied layers train on */
    double probe;       /* a linear classifier trained on the values here */
    double reset;       /* of the whole trained net, with the group that ends here drawn anew and nothing trained */
} espl_contribution_cut;

typedef struct espl_contribution {
    int groups;
    double whole;     /* accuracy of the net whose groups were drawn anew; NAN: none were */
    int64_t held_out; /* samples that accuracies were taken on */
    char folder[1024];
    /* cut n: so many groups copied, 0..groups */
    espl_contribution_cut cut[ESPL_CONTRIBUTION_GROUPS_MAX + 1];
} espl_contribution;

/* Measures all that for the net and the data of a recipe that says how the whole net would be trained. Cut 0 is a training
 * from scratch. Where the recipe leaves the net its head, the last cut has the net itself, and groups are drawn anew in it; a
 * net with a new head must have been trained for that, at the last cut before the head. What an earlier call in the same
 * folder did is not done again. ESPL_INTERRUPTED if asked to stop; the next call goes on from there. ESPL_BAD_STATE if
 * the folder holds another recipe's trainings. */
ESPL_API espl_status espl_contribution_find(espl_context *context, const char *recipe,
                                            const espl_contribution_settings *settings, espl_contribution *result);

/* Draws accuracies against the number of groups that are copied, as an SVG picture. */
ESPL_API espl_status espl_contribution_plot(espl_context *context, const espl_contribution *contribution,
                                            const char *path);

/* The picture and the figures as a page in HTML. */
ESPL_API espl_status espl_contribution_report(espl_context *context, const espl_contribution *contribution,
                                              const char *path);

#ifdef __cplusplus
}
#endif
#endif
