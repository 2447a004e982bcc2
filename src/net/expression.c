/* Reads and computes an expression in one pass, from the loosest binding to the tightest:
 *
 *     choice   either ["if" either "else" choice]
 *     either   both {"or" both}
 *     both     denial {"and" denial}
 *     denial   "not" denial | comparison
 *     comparison  sum [("==" | "!=" | "<" | "<=" | ">" | ">=") sum]
 *     sum      product {("+" | "-") product}
 *     product  signed {("*" | "/" | "%") signed}
 *     signed   "-" signed | power
 *     power    primary ["^" signed]
 *     primary  number | name | name "(" list ")" | primary "[" choice "]" | "(" choice ")" | "[" list "]"
 *
 * What is not asked for (the other side of a choice, what follows a false "and") is read but not
 * computed, so that `a / b if b != 0 else 0` means what it says. */
#include "net/expression.h"
#include "net/functions.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define DEEPEST 24

typedef struct reader {
    espl__variables *variables;
    const char *text, *at;
    int depth;
    bool skipping; /* only reading */
} reader;

static espl_status choice(reader *r, espl__value *value);

/* ---- words and failing ---- */

static espl_status fail_here(reader *r, const char *found_what)
{
    char rest[24];

    snprintf(rest, sizeof rest, "%.20s", r->at);
    if (*r->at)
        return espl__fail(r->variables->ctx, ESPL_BAD_RECIPE, "%s was expected before \"%s\"", found_what, rest);
    return espl__fail(r->variables->ctx, ESPL_BAD_RECIPE, "%s was expected at the end of \"%.100s\"", found_what,
                      r->text);
}

static void skip_blanks(reader *r)
{
    while (*r->at == ' ' || *r->at == '\t' || *r->at == '\n')
        r->at++;
}

/* not <ctype.h>, which asks the user's locale */
static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_name_character(char c)
{
    return is_letter(c) || is_digit(c) || c == '_' || c == '.';
}

/* Takes the symbol or the whole word if it comes next. */
static bool take(reader *r, const char *word)
{
    const size_t length = strlen(word);

    skip_blanks(r);
    if (strncmp(r->at, word, length) != 0)
        return false;
    if (is_letter(*word) && is_name_character(r->at[length]))
        return false;
    r->at += length;
    return true;
}

static espl_status want_number(reader *r, const espl__value *value, const char *place)
{
    if (r->skipping || !value->is_list)
        return ESPL_OK;
    r->at = place;
    return espl__fail(r->variables->ctx, ESPL_BAD_RECIPE, "a list was found where a number is needed");
}

static espl_status check_finite(reader *r, const espl__value *value, const char *place)
{
    if (r->skipping || isfinite(value->item[0]))
        return ESPL_OK;
    r->at = place;
    return espl__fail(r->variables->ctx, ESPL_BAD_RECIPE, "the result is not a finite number");
}

/* ---- primaries ---- */

static espl_status read_number(reader *r, espl__value *value)
{
    char digits[64];
    size_t length = 0;

    while (is_letter(r->at[length]) || is_digit(r->at[length]) || r->at[length] == '.' ||
           ((r->at[length] == '-' || r->at[length] == '+') && length && strchr("eE", r->at[length - 1])))
        length++;
    snprintf(digits, sizeof digits, "%.*s", (int)length, r->at);
    *value = espl__number(0);
    if (length >= sizeof digits || !espl__text_to_real(digits, &value->item[0]))
        return espl__fail(r->variables->ctx, ESPL_BAD_RECIPE, "\"%s\" is not a number", digits);
    r->at += length;
    return ESPL_OK;
}

/* Items up to the closing bracket, which is taken. The arguments of a function may also be one list:
 * max(widths). */
static espl_status read_items(reader *r, const char *closing, espl__value *list)
{
    *list = (espl__value){ .is_list = true };
    if (take(r, closing))
        return ESPL_OK;
    do {
        espl__value item;
        skip_blanks(r);
        const char *place = r->at;
        espl_status s = choice(r, &item);
        if (!s && item.is_list && !list->count && *closing == ')' && take(r, closing)) {
            *list = item;
            return ESPL_OK;
        }
        if (s || (s = want_number(r, &item, place)))
            return s;
        if (list->count == ESPL_LIST_MAX)
            return espl__fail(r->variables->ctx, ESPL_BAD_RECIPE, "a list can have at most %d items", ESPL_LIST_MAX);
        list->item[list->count++] = item.item[0];
    } while (take(r, ","));
    return take(r, closing) ? ESPL_OK : fail_here(r, *closing == ')' ? "\")\"" : "\"]\"");
}

static espl_status call(reader *r, const char *name, const char *place, espl__value *value)
{
    const espl__function *function = espl__function_find(name);
    espl__value arguments;
    espl_status s = read_items(r, ")", &arguments);

    *value = espl__number(0);
    if (s || r->skipping)
        return s;
    const char *end = r->at;
    r->at = place;
    if (!function)
        return espl__function_unknown(r->variables->ctx, name);
    if ((s = espl__function_call(r->variables->ctx, function, &arguments, value)) ||
        (s = check_finite(r, value, place)))
        return s;
    r->at = end;
    return ESPL_OK;
}

static bool is_constant(const char *name, double *number)
{
    static const char *const yes[] = { "yes", "true", "on" }, *const no[] = { "no", "false", "off" };

    for (int i = 0; i < 3; i++)
        if (espl__text_equal(name, yes[i]) || espl__text_equal(name, no[i])) {
            *number = espl__text_equal(name, yes[i]);
            return true;
        }
    return false;
}

static espl_status unknown_name(reader *r, const char *name)
{
    const espl__variables *v = r->variables;
    const char *names[ESPL__VARIABLES_MAX];
    int count = 0;

    for (int i = 0; i < v->count; i++)
        if (i < v->globals || i >= v->frame)
            names[count++] = v->stack[i].name;
    const char *nearest = espl__text_nearest(name, names, count);
    if (nearest)
        return espl__fail(v->ctx, ESPL_BAD_RECIPE, "there is no variable \"%s\" here; did you mean \"%s\"?", name,
                          nearest);
    return espl__fail(v->ctx, ESPL_BAD_RECIPE, "there is no variable \"%s\" here", name);
}

/* "conv1.channels" */
static espl_status ask_shape(reader *r, const char *name, const char *dot, espl__value *value)
{
    static const char *const sides[] = { "channels", "height", "width", "size" };
    char label[ESPL__VARIABLE_NAME_MAX + 1];
    espl__shape shape;
    int side = 0;

    snprintf(label, sizeof label, "%.*s", (int)(dot - name), name);
    while (side < ESPL__COUNT(sides) && !espl__text_equal(dot + 1, sides[side]))
        side++;
    if (side == ESPL__COUNT(sides))
        return espl__fail(r->variables->ctx, ESPL_BAD_RECIPE,
                          "\"%s\" cannot be asked; channels, height, width and size can", name);
    if (!r->variables->shape || !r->variables->shape(r->variables->user, label, &shape))
        return espl__fail(r->variables->ctx, ESPL_BAD_RECIPE, "there is no layer named \"%s\" before this one", label);
    const int64_t answers[] = { shape.dim[0], shape.rank > 1 ? shape.dim[1] : 1, shape.rank > 2 ? shape.dim[2] : 1,
                                espl__shape_size(shape) };
    *value = espl__number((double)answers[side]);
    return ESPL_OK;
}

static espl_status look_up(reader *r, const char *name, const char *place, espl__value *value)
{
    const char *dot = strrchr(name, '.');
    const espl__value *found;
    const char *end = r->at;
    espl_status s = ESPL_OK;

    *value = espl__number(0);
    if (is_constant(name, &value->item[0]) || r->skipping)
        return ESPL_OK;
    r->at = place;
    r->variables->work += r->variables->count;
    if (dot)
        s = ask_shape(r, name, dot, value);
    else if ((found = espl__variables_find(r->variables, name)))
        *value = *found;
    else
        s = unknown_name(r, name);
    if (!s)
        r->at = end;
    return s;
}

static espl_status read_name(reader *r, espl__value *value)
{
    char name[2 * ESPL__VARIABLE_NAME_MAX];
    const char *place = r->at;
    size_t length = 0;

    while (is_name_character(r->at[length]))
        length++;
    if (length >= sizeof name)
        return espl__fail(r->variables->ctx, ESPL_BAD_RECIPE, "the name \"%.20s...\" is too long", r->at);
    snprintf(name, sizeof name, "%.*s", (int)length, r->at);
    if (espl__text_equal(name, "if") || espl__text_equal(name, "else") || espl__text_equal(name, "and") ||
        espl__text_equal(name, "or"))
        return fail_here(r, "a number or a name");
    r->at += length;
    return take(r, "(") ? call(r, name, place, value) : look_up(r, name, place, value);
}

static espl_status index_list(reader *r, espl__value *value)
{
    const char *place = r->at;
    espl__value index;
    espl_status s = choice(r, &index);

    if (s || (s = want_number(r, &index, place)))
        return s;
    if (!take(r, "]"))
        return fail_here(r, "\"]\"");
    if (r->skipping)
        return ESPL_OK;
    const char *end = r->at;
    r->at = place;
    const double at = index.item[0];
    if (!value->is_list)
        return espl__fail(r->variables->ctx, ESPL_BAD_RECIPE, "only lists have items; this is a number");
    if (!(at >= 0 && at < value->count && at == floor(at)))
        return espl__fail(r->variables->ctx, ESPL_BAD_RECIPE, "the list has %d items, counted from 0; there is no item %g",
                          value->count, at);
    *value = espl__number(value->item[(int)at]);
    r->at = end;
    return ESPL_OK;
}

static espl_status primary(reader *r, espl__value *value)
{
    espl_status s;

    skip_blanks(r);
    if (is_digit(*r->at) || (*r->at == '.' && is_digit(r->at[1])))
        s = read_number(r, value);
    else if (is_letter(*r->at) || *r->at == '_')
        s = read_name(r, value);
    else if (take(r, "["))
        s = read_items(r, "]", value);
    else if (take(r, "("))
        s = (s = choice(r, value)) || take(r, ")") ? s : fail_here(r, "\")\"");
    else
        s = fail_here(r, "a number or a name");
    while (!s && take(r, "["))
        s = index_list(r, value);
    return s;
}

/* ---- operators ---- */

static espl_status signed_value(reader *r, espl__value *value);

static espl_status power(reader *r, espl__value *value)
{
    const char *place = r->at;
    espl_status s = primary(r, value);

    if (s || !take(r, "^"))
        return s;
    const char *second = r->at;
    espl__value exponent;
    if ((s = signed_value(r, &exponent)) || (s = want_number(r, value, place)) ||
        (s = want_number(r, &exponent, second)))
        return s;
    if (!r->skipping)
        *value = espl__number(pow(value->item[0], exponent.item[0]));
    return check_finite(r, value, place);
}

static espl_status signed_value(reader *r, espl__value *value)
{
    espl_status s;

    if (!take(r, "-"))
        return power(r, value);
    skip_blanks(r);
    const char *place = r->at;
    if (++r->depth > DEEPEST)
        return espl__fail(r->variables->ctx, ESPL_BAD_RECIPE, "the expression is nested too deeply");
    if ((s = signed_value(r, value)) || (s = want_number(r, value, place)))
        return s;
    r->depth--;
    value->item[0] = -value->item[0];
    return ESPL_OK;
}

/* Both sides of a two-sided operator; `right` is read by `next`. */
static espl_status right_side(reader *r, espl_status (*next)(reader *, espl__value *), espl__value *left,
                              const char *place, double *right)
{
    espl__value value;
    skip_blanks(r);
    const char *second = r->at;
    espl_status s = next(r, &value);

    if (s || (s = want_number(r, left, place)) || (s = want_number(r, &value, second)))
        return s;
    *right = value.item[0];
    return ESPL_OK;
}

static espl_status product(reader *r, espl__value *value)
{
    skip_blanks(r);
    const char *place = r->at;
    espl_status s = signed_value(r, value);
    double right;

    while (!s) {
        skip_blanks(r);
        const char op = *r->at;
        if (op != '*' && op != '/' && op != '%')
            return ESPL_OK;
        const char *sign = r->at++;
        if ((s = right_side(r, signed_value, value, place, &right)))
            return s;
        if (r->skipping)
            continue;
        if (op != '*' && right == 0) {
            r->at = sign;
            return espl__fail(r->variables->ctx, ESPL_BAD_RECIPE, "division by zero");
        }
        const double left = value->item[0];
        *value = espl__number(op == '*' ? left * right : op == '/' ? left / right
                                                                   : left - right * floor(left / right));
        s = check_finite(r, value, place);
    }
    return s;
}

static espl_status sum(reader *r, espl__value *value)
{
    skip_blanks(r);
    const char *place = r->at;
    espl_status s = product(r, value);
    double right;

    while (!s) {
        skip_blanks(r);
        const char op = *r->at;
        if (op != '+' && op != '-')
            return ESPL_OK;
        r->at++;
        if ((s = right_side(r, product, value, place, &right)))
            return s;
        if (!r->skipping)
            *value = espl__number(op == '+' ? value->item[0] + right : value->item[0] - right);
        s = check_finite(r, value, place);
    }
    return s;
}

static espl_status comparison(reader *r, espl__value *value)
{
    static const char *const signs[] = { "==", "!=", "<=", ">=", "<", ">" };
    skip_blanks(r);
    const char *place = r->at;
    espl_status s = sum(r, value);
    double right;
    int sign = 0;

    if (s)
        return s;
    while (sign < ESPL__COUNT(signs) && !take(r, signs[sign]))
        sign++;
    if (sign == ESPL__COUNT(signs))
        return ESPL_OK;
    if ((s = right_side(r, sum, value, place, &right)) || r->skipping)
        return s;
    const double left = value->item[0];
    const bool holds[] = { left == right, left != right, left <= right, left >= right, left<right, left> right };
    *value = espl__number(holds[sign]);
    return ESPL_OK;
}

static espl_status denial(reader *r, espl__value *value)
{
    espl_status s;

    if (!take(r, "not"))
        return comparison(r, value);
    skip_blanks(r);
    const char *place = r->at;
    if (++r->depth > DEEPEST)
        return espl__fail(r->variables->ctx, ESPL_BAD_RECIPE, "the expression is nested too deeply");
    if ((s = denial(r, value)) || (s = want_number(r, value, place)))
        return s;
    r->depth--;
    *value = espl__number(value->item[0] == 0);
    return ESPL_OK;
}

/* "a or b or c", "a and b and c": the first side that settles it ends the computing. */
static espl_status joined(reader *r, const char *word, espl_status (*next)(reader *, espl__value *),
                          bool settles, espl__value *value)
{
    const bool skipping = r->skipping;
    skip_blanks(r);
    const char *place = r->at;
    espl_status s = next(r, value);

    while (!s && take(r, word)) {
        double right = 0;
        if ((s = want_number(r, value, place)))
            break;
        const bool settled = !r->skipping && (value->item[0] != 0) == settles;
        r->skipping = r->skipping || settled;
        s = right_side(r, next, value, place, &right);
        if (!r->skipping)
            *value = espl__number(right != 0);
        else if (settled)
            *value = espl__number(settles);
    }
    r->skipping = skipping;
    return s;
}

static espl_status both(reader *r, espl__value *value)
{
    return joined(r, "and", denial, false, value);
}

static espl_status either(reader *r, espl__value *value)
{
    return joined(r, "or", both, true, value);
}

/* Reads `value if condition else other`. The condition comes second, so the value is first skipped and
 * read again once it is known to be wanted. */
static espl_status choose(reader *r, const char *begin, espl__value *value)
{
    const bool skipping = r->skipping;
    espl__value condition, other;
    const char *place = r->at;
    espl_status s = either(r, &condition);

    if (s || (s = want_number(r, &condition, place)))
        return s;
    if (!take(r, "else"))
        return fail_here(r, "\"else\"");
    const bool wanted = !skipping && condition.item[0] != 0;
    r->skipping = skipping || wanted;
    s = choice(r, wanted ? &other : value);
    r->skipping = skipping;
    if (s || !wanted)
        return s;
    const char *end = r->at;
    r->at = begin;
    if (!(s = either(r, value)))
        r->at = end;
    return s;
}

static espl_status choice(reader *r, espl__value *value)
{
    const bool skipping = r->skipping;
    espl_status s;

    skip_blanks(r);
    const char *begin = r->at;
    if (++r->depth > DEEPEST)
        return espl__fail(r->variables->ctx, ESPL_BAD_RECIPE, "the expression is nested too deeply");
    *value = espl__number(0);
    r->skipping = true;
    s = either(r, value);
    r->skipping = skipping;
    if (!s && take(r, "if")) {
        s = choose(r, begin, value);
    } else if (!s && !skipping) {
        r->at = begin;
        s = either(r, value);
    }
    r->depth--;
    return s;
}

espl_status espl__evaluate(espl__variables *variables, const char *text, espl__value *result, int *place)
{
    reader r = { .variables = variables, .text = text, .at = text };
    const size_t length = strlen(text);
    espl_status s;

    *place = 0;
    *result = espl__number(0);
    if (length > ESPL__EXPRESSION_MAX)
        return espl__fail(variables->ctx, ESPL_BAD_RECIPE, "an expression may have %d characters, not %zu",
                          ESPL__EXPRESSION_MAX, length);
    variables->work += (int64_t)length + 1;
    if (!(s = choice(&r, result))) {
        skip_blanks(&r);
        s = *r.at ? fail_here(&r, "an operator or the end") : ESPL_OK;
    }
    *place = (int)(r.at - text);
    return s;
}
