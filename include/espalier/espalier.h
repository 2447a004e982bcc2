/* The whole library in one include. */
#ifndef ESPALIER_H
#define ESPALIER_H

#include <espalier/base.h>
#include <espalier/calibrate.h>
#include <espalier/check_data.h>
#include <espalier/compare.h>
#include <espalier/contribution.h>
#include <espalier/data.h>
#include <espalier/ensemble.h>
#include <espalier/find_rate.h>
#include <espalier/net.h>
#include <espalier/report.h>
#include <espalier/run.h>
#include <espalier/run_report.h>
#include <espalier/search.h>
#include <espalier/technique.h>

#endif
