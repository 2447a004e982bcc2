/* What a picture looks like, small enough to compare it with every other one. */
#ifndef ESPL_FINGERPRINT_H
#define ESPL_FINGERPRINT_H

#include <stdbool.h>
#include <stdint.h>

#define ESPL__PRINT_SIDE 32 /* pixels of the picture that a fingerprint is taken of */

typedef struct espl__fingerprint {
    uint64_t look[2];                               /* signs of differences: as it is, mirrored */
    uint8_t grey[ESPL__PRINT_SIDE * ESPL__PRINT_SIDE];
    uint8_t colour[3][64];                          /* 8x8 means of each channel */
    float deviation;                                /* of the grey values */
} espl__fingerprint;

/* From three planes of ESPL__PRINT_SIDE x ESPL__PRINT_SIDE values of 0..255. */
void espl__fingerprint_take(const float *planes, espl__fingerprint *print);
/* The same picture, perhaps at another size, quality or light, perhaps mirrored? */
bool espl__fingerprint_same(const espl__fingerprint *a, const espl__fingerprint *b);

#endif
