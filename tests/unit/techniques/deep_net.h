/* A net of three groups of layers, with everything that has a state of its own or draws at random: what freezing and
 * unfreezing are tried on. */
#ifndef DEEP_NET_H
#define DEEP_NET_H

/* Two convolutions with everything that could move them: 6*1*9+6 + 2*6, 4*6*9+4 + 2*4, and a head of
 * 64*3+3 values. */
#define DEEP_NET                                     \
    "name: deep\n"                                   \
    "settings: {classes: 3}\n"                       \
    "input: {channels: 1, height: 8, width: 8}\n"    \
    "layers:\n"                                      \
    "  - conv2d: {channels: 6, kernel: 3, pad: 1}\n" \
    "    name: a\n"                                  \
    "  - batch_norm:\n"                              \
    "    name: a_norm\n"                             \
    "  - relu\n"                                     \
    "  - dropout: 0.3\n"                             \
    "  - conv2d: {channels: 4, kernel: 3, pad: 1}\n" \
    "    name: b\n"                                  \
    "  - batch_norm:\n"                              \
    "    name: b_norm\n"                             \
    "  - relu\n"                                     \
    "  - max_pool: 2\n"                              \
    "  - flatten\n"                                  \
    "  - dropout: 0.2\n"                             \
    "  - dense: classes\n"                           \
    "    name: out\n"
#define HEAD_VALUES (64 * 3 + 3)
#define ALL_VALUES (60 + 12 + 220 + 8 + HEAD_VALUES)

#endif
