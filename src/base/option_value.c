/* How each type of option is written: counts, numbers, flags, texts, choices, durations. */
#include "base/option_value.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#define LONGEST_DURATION 64
/* Ends of a range that are as good as none; doubles hold no larger count exactly anyway. */
#define BOUNDLESS 9e15

/* ---- ranges ---- */

static espl_status check_range(espl_context *ctx, const espl_option *option, double value, const char *text)
{
    char low[32], high[32];

    if (value >= option->low && value <= option->high)
        return ESPL_OK;
    espl__text_from_real(option->low, low);
    espl__text_from_real(option->high, high);
    if (option->high >= BOUNDLESS)
        return espl__fail(ctx, ESPL_BAD_OPTION, "%s is not at least %s", text, low);
    if (option->low <= -BOUNDLESS)
        return espl__fail(ctx, ESPL_BAD_OPTION, "%s is not at most %s", text, high);
    return espl__fail(ctx, ESPL_BAD_OPTION, "%s is not within %s..%s", text, low, high);
}

/* ---- one reader and one writer for each type of value ---- */

static espl_status read_count(espl_context *ctx, const espl_option *option, const char *text, void *place)
{
    int64_t value = 0;

    if (!espl__text_to_integer(text, &value))
        return espl__fail(ctx, ESPL_BAD_OPTION, "\"%s\" is not a whole number", text);
    const espl_status status = check_range(ctx, option, (double)value, text);
    if (!status)
        *(int64_t *)place = value;
    return status;
}

static espl_status write_count(espl_context *ctx, const espl_option *option, const void *place,
                               espl__text *text)
{
    (void)option;
    return espl__text_add(ctx, text, "%lld", (long long)*(const int64_t *)place);
}

static espl_status read_real(espl_context *ctx, const espl_option *option, const char *text, void *place)
{
    double value = 0;

    if (option->choices && strcmp(text, option->choices) == 0) {
        *(double *)place = 0;
        return ESPL_OK;
    }
    if (!espl__text_to_real(text, &value))
        return espl__fail(ctx, ESPL_BAD_OPTION, "\"%s\" is not a number%s%s", text, option->choices ? ", nor " : "",
                          option->choices ? option->choices : "");
    const espl_status status = check_range(ctx, option, value, text);
    if (!status)
        *(double *)place = value;
    return status;
}

static espl_status write_real(espl_context *ctx, const espl_option *option, const void *place,
                              espl__text *text)
{
    char number[32];

    if (option->choices && !(*(const double *)place > 0))
        return espl__text_add(ctx, text, "%s", option->choices);
    espl__text_from_real(*(const double *)place, number);
    return espl__text_add(ctx, text, "%s", number);
}

static espl_status read_flag(espl_context *ctx, const espl_option *option, const char *text, void *place)
{
    static const char *const words[] = { "no", "yes", "false", "true", "off", "on" };

    (void)option;
    for (int i = 0; i < ESPL__COUNT(words); i++)
        if (strcasecmp(text, words[i]) == 0) {
            *(bool *)place = i % 2;
            return ESPL_OK;
        }
    return espl__fail(ctx, ESPL_BAD_OPTION, "\"%s\" is neither yes nor no", text);
}

static espl_status write_flag(espl_context *ctx, const espl_option *option, const void *place,
                              espl__text *text)
{
    (void)option;
    return espl__text_add(ctx, text, "%s", *(const bool *)place ? "yes" : "no");
}

/* Writes `choices` "a|b|c" as "a, b, c" into a text of the caller's. */
static espl_status list_choices(espl_context *ctx, const char *choices, espl__text *text)
{
    espl_status status = ESPL_OK;

    for (const char *at = choices; !status; at++) {
        const size_t length = strcspn(at, "|");
        status = espl__text_add(ctx, text, "%s%.*s", at == choices ? "" : ", ", (int)length, at);
        at += length;
        if (!*at)
            break;
    }
    return status;
}

static espl_status read_choice(espl_context *ctx, const espl_option *option, const char *text, void *place)
{
    const size_t length = strlen(text);
    espl__text choices = { 0 };
    int index = 0;

    for (const char *at = option->choices; length; at++, index++) {
        const size_t word = strcspn(at, "|");
        if (word == length && memcmp(at, text, length) == 0) {
            *(int *)place = index;
            return ESPL_OK;
        }
        at += word;
        if (!*at)
            break;
    }
    espl_status status = list_choices(ctx, option->choices, &choices);
    if (!status)
        status = espl__fail(ctx, ESPL_BAD_OPTION, "\"%s\" is none of %s", text, choices.data);
    espl__text_free(ctx, &choices);
    return status;
}

static espl_status write_choice(espl_context *ctx, const espl_option *option, const void *place,
                                espl__text *text)
{
    const char *at = option->choices;

    for (int i = *(const int *)place; i != 0; i--) {
        at = i > 0 ? strchr(at, '|') : NULL;
        if (!at)
            return espl__fail(ctx, ESPL_BAD_STATE, "%d is no choice of %s", *(const int *)place, option->choices);
        at++;
    }
    return espl__text_add(ctx, text, "%.*s", (int)strcspn(at, "|"), at);
}

static const char *const unit_names[] = { [ESPL_STEPS] = "st", [ESPL_EPOCHS] = "ep", [ESPL_RUNS] = "run" };

static int unit_of(const char *name)
{
    for (int unit = 0; unit < ESPL__COUNT(unit_names); unit++)
        if (espl__text_equal(name, unit_names[unit]))
            return unit;
    return -1;
}

static espl_status read_duration(espl_context *ctx, const espl_option *option, const char *text, void *place)
{
    char number[LONGEST_DURATION];
    size_t length = strlen(text);
    double amount = 0;

    if (espl__text_to_real(text, &amount))
        return espl__fail(ctx, ESPL_BAD_OPTION,
                          "%s has no unit: write %sep for epochs, %sst for steps or 0.5run for half of the run",
                          text, text, text);
    while (length && text[length - 1] >= 'a' && text[length - 1] <= 'z')
        length--;
    const int unit = unit_of(text + length);
    snprintf(number, sizeof number, "%.*s", (int)(length < sizeof number ? length : 0), text);
    if (unit < 0 || !espl__text_to_real(number, &amount))
        return espl__fail(ctx, ESPL_BAD_OPTION,
                          "\"%s\" is not a duration such as 5ep (epochs), 300st (steps) or 0.7run (of the run)",
                          text);
    const espl_status status = check_range(ctx, option, amount, text);
    if (!status)
        *(espl_duration *)place = (espl_duration){ amount, (espl_unit)unit };
    return status;
}

static espl_status write_duration(espl_context *ctx, const espl_option *option, const void *place,
                                  espl__text *text)
{
    const espl_duration *duration = place;
    const espl_status status = write_real(ctx, option, &duration->amount, text);

    return status ? status : espl__text_add(ctx, text, "%s", unit_names[duration->unit]);
}

static espl_status read_text(espl_context *ctx, const espl_option *option, const char *text, void *place)
{
    const size_t length = strlen(text);

    if (length >= option->size)
        return espl__fail(ctx, ESPL_BAD_OPTION, "a text of %zu bytes is too long; at most %zu are possible",
                          length, option->size - 1);
    if (!espl__text_is_utf8(text))
        return espl__fail(ctx, ESPL_BAD_OPTION, "the text is not written in UTF-8");
    char *field = place;
    memmove(field, text, length);
    memset(field + length, 0, option->size - length);
    return ESPL_OK;
}

static espl_status write_text(espl_context *ctx, const espl_option *option, const void *place,
                              espl__text *text)
{
    (void)option;
    return espl__text_add_quoted(ctx, text, place);
}

/* ---- by type ---- */

typedef struct codec {
    espl_status (*read)(espl_context *ctx, const espl_option *option, const char *text, void *place);
    espl_status (*write)(espl_context *ctx, const espl_option *option, const void *place, espl__text *text);
    size_t item_offset, item_size; /* of lists; size 0: a single value */
} codec;

static const codec codecs[] = {
    [ESPL_OPTION_COUNT] = { read_count, write_count, 0, 0 },
    [ESPL_OPTION_REAL] = { read_real, write_real, 0, 0 },
    [ESPL_OPTION_FLAG] = { read_flag, write_flag, 0, 0 },
    [ESPL_OPTION_TEXT] = { read_text, write_text, 0, 0 },
    [ESPL_OPTION_CHOICE] = { read_choice, write_choice, 0, 0 },
    [ESPL_OPTION_DURATION] = { read_duration, write_duration, 0, 0 },
    [ESPL_OPTION_COUNTS] = { read_count, write_count, offsetof(espl_counts, item), sizeof(int64_t) },
    [ESPL_OPTION_REALS] = { read_real, write_real, offsetof(espl_reals, item), sizeof(double) },
    [ESPL_OPTION_DURATIONS] = { read_duration, write_duration, offsetof(espl_durations, item),
                                sizeof(espl_duration) },
};

bool espl__option_is_list(const espl_option *option)
{
    return codecs[option->type].item_size != 0;
}

static size_t place_of(const espl_option *option, int index)
{
    const codec *how = &codecs[option->type];

    return option->offset + how->item_offset + (size_t)index * how->item_size;
}

espl_status espl__value_read(espl_context *ctx, const espl_option *option, void *target, int index,
                             const char *text)
{
    return codecs[option->type].read(ctx, option, text, (char *)target + place_of(option, index));
}

espl_status espl__value_write(espl_context *ctx, const espl_option *option, const void *target, int index,
                              espl__text *text)
{
    return codecs[option->type].write(ctx, option, (const char *)target + place_of(option, index), text);
}

/* Every list begins with its count. */
int espl__value_count(const espl_option *option, const void *target)
{
    return *(const int *)((const char *)target + option->offset);
}

void espl__value_set_count(const espl_option *option, void *target, int count)
{
    *(int *)((char *)target + option->offset) = count;
}
