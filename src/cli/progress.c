/* The progress line: it fits the terminal whatever its width, least important figures leave first. */
#include "progress.h"
#include "cli_text.h"
#include "terminal.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>
#include <time.h>

#define REDRAW_SECONDS 0.1
#define BAR_MIN 8
#define BAR_MAX 30

static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

void progress_begin(progress *p)
{
    *p = (progress){ .live = terminal_is_live(stderr), .drawn_at = -1, .first = -1 };
}

void progress_clear(progress *p)
{
    if (p->shown)
        fputs("\r\033[K", stderr);
    p->shown = false;
}

/* The pieces of the line, the bar apart. */
enum { EPOCH,
       SPEED,
       LEFT,
       LOSS,
       ACCURACY,
       PIECES };

static double seconds_left(const progress *p, const espl_news *news)
{
    const int64_t done = news->step - p->first;

    return done > 0 ? news->seconds / (double)done * (double)(news->steps - news->step) : NAN;
}

static void compose_pieces(const progress *p, const espl_news *news, int64_t epoch, char piece[PIECES][48])
{
    const double left = seconds_left(p, news);

    snprintf(piece[EPOCH], 48, "epoch %" PRId64 "/%" PRId64, epoch, news->epochs);
    snprintf(piece[SPEED], 48, "  %s images/s", figure_rate(news->images_per_second).text);
    snprintf(piece[LEFT], 48, "  ETA %s", isfinite(left) ? figure_clock(left).text : "?");
    snprintf(piece[LOSS], 48, "  loss %s", figure_loss(news->loss).text);
    snprintf(piece[ACCURACY], 48, "  accuracy %.1f %%", 100 * news->top1);
}

/* Drops pieces until the rest and, if possible, a bar fit; returns the columns left for the bar. */
static int fit(char piece[PIECES][48], int columns)
{
    static const int first_to_leave[] = { SPEED, LOSS, ACCURACY, LEFT };
    int used = 0;

    for (int i = 0; i < PIECES; i++)
        used += (int)strlen(piece[i]);
    for (int i = 0; i < 4 && used + BAR_MIN + 4 > columns; i++) {
        used -= (int)strlen(piece[first_to_leave[i]]);
        *piece[first_to_leave[i]] = '\0';
    }
    const int bar = columns - used - 4; /* two spaces and two brackets */
    return bar < BAR_MIN ? 0 : bar > BAR_MAX ? BAR_MAX
                                             : bar;
}

static void draw_bar(double share, int width)
{
    const bool utf8 = terminal_is_utf8();
    const int full = (int)(share * width + 0.5);

    if (!width)
        return;
    fputs(utf8 ? "  " : "  [", stderr);
    fputs(terminal_green(stderr), stderr);
    for (int i = 0; i < full; i++)
        fputs(utf8 ? "\u2501" : "#", stderr);
    fputs(terminal_plain(stderr), stderr);
    fputs(terminal_faint(stderr), stderr);
    for (int i = full; i < width; i++)
        fputs(utf8 ? "\u2500" : "-", stderr);
    fputs(terminal_plain(stderr), stderr);
    fputs(utf8 ? "" : "]", stderr);
}

/* The epoch that runs, from 1, and the part of it that is done: after its last step it is not yet over
 * for the eye, only full. */
static int64_t epoch_at(const espl_news *news, double *share)
{
    const double per_epoch = (double)news->steps / (double)(news->epochs > 0 ? news->epochs : 1);
    int64_t epoch = per_epoch > 0 ? (int64_t)ceil((double)news->step / per_epoch - 1e-9) : 1;

    epoch = epoch < 1 ? 1 : epoch;
    *share = per_epoch > 0 ? (double)news->step / per_epoch - (double)(epoch - 1) : 0;
    *share = fmin(fmax(*share, 0), 1);
    return epoch;
}

static void draw(const progress *p, const espl_news *news)
{
    char piece[PIECES][48];
    double share;
    const int64_t epoch = epoch_at(news, &share);

    compose_pieces(p, news, epoch, piece);
    const int bar = fit(piece, terminal_width(stderr) - 1); /* the last column would wrap */
    fprintf(stderr, "\r%.*s", terminal_width(stderr) - 1, piece[EPOCH]);
    draw_bar(share, bar);
    for (int i = SPEED; i < PIECES; i++)
        fputs(piece[i], stderr);
    fputs("\033[K", stderr);
    fflush(stderr);
}

void progress_step(progress *p, const espl_news *news)
{
    if (p->first < 0)
        p->first = news->step - 1;
    const double time = p->live ? now() : 0;
    if (!p->live || time - p->drawn_at < REDRAW_SECONDS)
        return;
    draw(p, news);
    p->shown = true;
    p->drawn_at = time;
}

/* The pieces of an epoch's line, in their order on it. */
enum { LINE_EPOCH,
       LINE_LOSS,
       LINE_ACCURACY,
       LINE_HELD_LOSS,
       LINE_HELD_ACCURACY,
       LINE_RATE,
       LINE_SPEED,
       LINE_TIME,
       LINE_PIECES };

static void compose_line(const espl_news *news, char piece[LINE_PIECES][48])
{
    char epochs[24];
    const int digits = snprintf(epochs, sizeof epochs, "%" PRId64, news->epochs);

    snprintf(piece[LINE_EPOCH], 48, "epoch %*" PRId64 "/%s", digits, news->epoch, epochs);
    snprintf(piece[LINE_LOSS], 48, "  loss %s", figure_loss(news->loss).text);
    snprintf(piece[LINE_ACCURACY], 48, "  accuracy %.2f %%", 100 * news->top1);
    if (isfinite(news->held_out_loss)) {
        snprintf(piece[LINE_HELD_LOSS], 48, "  held-out loss %s", figure_loss(news->held_out_loss).text);
        snprintf(piece[LINE_HELD_ACCURACY], 48, "  accuracy %.2f %%", 100 * news->held_out_top1);
    }
    snprintf(piece[LINE_RATE], 48, "  rate %.4g", news->rate);
    snprintf(piece[LINE_SPEED], 48, "  %s images/s", figure_rate(news->images_per_second).text);
    snprintf(piece[LINE_TIME], 48, "  %s", figure_clock(news->seconds).text);
}

/* On a terminal that is too narrow, what matters least is left out. */
static void fit_line(const espl_news *news, char piece[LINE_PIECES][48], int columns)
{
    static const int first_to_leave[] = { LINE_RATE, LINE_SPEED, LINE_TIME, LINE_ACCURACY, LINE_HELD_LOSS };
    int used = 0;

    for (int i = 0; i < LINE_PIECES; i++)
        used += (int)strlen(piece[i]);
    for (int i = 0; i < 5 && used > columns; i++) {
        used -= (int)strlen(piece[first_to_leave[i]]);
        *piece[first_to_leave[i]] = '\0';
    }
    if (*piece[LINE_HELD_ACCURACY] && !*piece[LINE_HELD_LOSS])
        snprintf(piece[LINE_HELD_ACCURACY], 48, "  held-out %.2f %%", 100 * news->held_out_top1);
}

void progress_epoch(progress *p, const espl_news *news)
{
    char piece[LINE_PIECES][48] = { "" };

    progress_clear(p);
    compose_line(news, piece);
    if (p->live)
        fit_line(news, piece, terminal_width(stderr));
    for (int i = 0; i < LINE_PIECES; i++)
        fputs(piece[i], stderr);
    fputc('\n', stderr);
}

void progress_training(progress *p, const espl_news *news, const char *about)
{
    if (news->kind == ESPL_NEWS_STEP) {
        progress_step(p, news);
    } else if (news->kind == ESPL_NEWS_EPOCH) {
        progress_epoch(p, news);
    } else if (strncmp(news->text, about, strlen(about)) == 0) {
        progress_clear(p);
        progress_begin(p);
        fprintf(stderr, "%s\n", news->text);
    }
}
