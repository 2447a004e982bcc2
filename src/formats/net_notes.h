/* What a net file says about the net besides its tensors. */
#ifndef ESPL_NET_NOTES_H
#define ESPL_NET_NOTES_H

#include "formats/safetensors.h"
#include "net/net.h"

#define ESPL__NOTE_GRAPH "espalier.graph"
#define ESPL__NOTE_NAME "espalier.name"
#define ESPL__NOTE_CLASSES "espalier.classes"
#define ESPL__NOTE_PREPARATION "espalier.preparation"
#define ESPL__NOTE_CALIBRATION "espalier.calibration"
#define ESPL__NOTE_ORIGIN "espalier.origin"

typedef struct espl__net_notes {
    int count;
    espl__note note[6];
    espl__text graph, name, classes, preparation, calibration;
} espl__net_notes;

/* Writes the notes of a net; ended by espl__net_notes_free, also after a failure. */
espl_status espl__net_notes_write(const espl_net *net, espl__net_notes *notes);
void espl__net_notes_free(espl_context *ctx, espl__net_notes *notes);

/* Reads class names, preparation and origin of a file into the net. */
espl_status espl__net_notes_read(espl_net *net, const espl__safetensors *file);

#endif
