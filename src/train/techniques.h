/* The registry of techniques. */
#ifndef ESPL_TECHNIQUES_H
#define ESPL_TECHNIQUES_H

#include "base/base.h"
#include <espalier/technique.h>

const espl_technique *espl__technique_at(int index); /* techniques.def in order, NULL past the end */
const espl_technique *espl__technique_find(const char *name);
const char *espl__family_name(espl_family family);
const char *espl__moment_name(espl_moment moment);

#endif
