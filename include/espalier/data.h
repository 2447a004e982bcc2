/* Labelled data: opened from a path whose kind is recognised, split, measured, and handed out as
 * batches in a fixed order. */
#ifndef ESPALIER_DATA_H
#define ESPALIER_DATA_H

#include <espalier/base.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct espl_data espl_data;

/* How data is opened. Zero in every field is a good default. */
typedef struct espl_data_settings {
    const char *source;      /* "image-folder", "idx", "cifar", "npy", "csv"; NULL: recognised */
    const char *test;        /* path of the held-out data; NULL: found by the source's own custom
                              * (t10k files, test_batch.bin, a folder named test or val), else split off */
    double held_out;         /* share to split off, stratified by class, when there is no test data;
                              * 0: 0.1 */
    int64_t folds, fold;     /* cross-validation: cut the training data in so many parts, each class evenly,
                              * and hold out the `fold`-th, from 1 (0: the first); 0 folds: none. Not with
                              * `test` or `held_out` */
    uint64_t split_seed;     /* of the split, apart from the context's seed */
    const char *label;       /* CSV: name or number of the label column; NULL: the last one */
    int64_t height, width;   /* size to bring pictures to; 0: as they are (all must then agree) */
    const char *resize;      /* "crop" (short side, then centre), "stretch", "keras" (stretch without
                              * antialiasing); NULL: "crop" */
    int channels;            /* 1 or 3 for pictures; 0: as they are */
    const char *leave_out;   /* folders of pictures: a text file with the paths of pictures to pass over, one a
                              * line, as espl_faults_write writes it; NULL: none */
    int64_t keep_pixels;     /* folders of pictures: keep so many MiB of them as decoded and resized bytes in memory,
                              * for the epochs after the first; 0: none. Not with resize "keras". */
    bool one_class;          /* samples of a single class will do, as for a net that knows others */
    int64_t limit;           /* use at most so many training samples (first ones of each class in turn); 0: all */
} espl_data_settings;

/* Opens data: a folder with one folder of pictures per class (or a .tar of one), a folder or file of
 * IDX files (also .gz), a folder of CIFAR binaries, a .npy/.npz, a .csv. Reads what is needed to
 * know every sample's class; pixels are read when asked for. Fails with ESPL_NO_FILE or
 * ESPL_BAD_FILE naming the file, the place and what to do. Ended by espl_data_free. */
ESPL_API espl_status espl_data_open(espl_context *context, const char *path,
                                    const espl_data_settings *settings, espl_data **result);
ESPL_API void espl_data_free(espl_data *data);

typedef enum espl_part { ESPL_TRAIN, ESPL_HELD_OUT } espl_part;

ESPL_API int64_t espl_data_count(const espl_data *data, espl_part part);
ESPL_API int espl_data_classes(const espl_data *data);
ESPL_API const char *espl_data_class_name(const espl_data *data, int index); /* never NULL */
/* Channels, height, width of every sample after resizing (features, 1, 1 for tables). */
ESPL_API void espl_data_shape(const espl_data *data, int64_t shape[3]);

#ifdef __cplusplus
}
#endif
#endif
