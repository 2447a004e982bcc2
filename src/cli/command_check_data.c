/* espalier check-data: what is wrong with a folder of pictures, by file name. */
#include "cli_text.h"
#include "json_line.h"
#include "session.h"
#include "terminal.h"

#include <espalier/check_data.h>

typedef struct check_options {
    const char *write;
    int64_t show;
    bool json;
    cli_machine machine;
} check_options;

static const cli_option options[] = {
    { "show", 0, CLI_COUNT, offsetof(check_options, show), "N", 1, 1e9,
      "name at most N files of each kind of fault; without it, 10 (--json: all)" },
    { "write", 0, CLI_TEXT, offsetof(check_options, write), "FILE", 0, 0,
      "write the paths of the pictures to leave out to FILE, for `data: {leave-out: FILE}` in a recipe" },
    CLI_MACHINE_OPTIONS(check_options, machine),
    CLI_JSON_OPTION(check_options, json),
    CLI_OPTIONS_END
};

static const cli_argument arguments[] = {
    { "PHOTOS", CLI_ONE, "a folder with a folder of pictures for each class, or a .tar of one" },
    CLI_ARGUMENTS_END
};

static const char *const advices[] = { "leave-out", "look-at", "know" };

static void write_json(const espl_faults *check)
{
    int64_t advised[3] = { 0 };

    for (int64_t i = 0; i < check->fault_count; i++) {
        const espl_fault *f = &check->faults[i];
        json_t *line = json_object();
        json_put_text(line, "event", "fault");
        json_put_text(line, "fault", espl_fault_name(f->kind));
        json_put_text(line, "advice", advices[f->advice]);
        json_put_text(line, "file", f->file);
        json_put_text(line, "other", f->other);
        json_put_text(line, "text", f->text);
        json_write(line);
        advised[f->advice]++;
    }
    json_t *line = json_object();
    json_put_text(line, "event", "done");
    json_put_count(line, "pictures", check->pictures);
    json_put_count(line, "training", check->training);
    json_put_count(line, "held_out", check->held_out);
    json_put_count(line, "others", check->others);
    json_put_count(line, "classes", check->classes);
    for (int a = 0; a < 3; a++)
        json_put_count(line, a == 0 ? "leave_out" : a == 1 ? "look_at"
                                                           : "know",
                       advised[a]);
    json_write(line);
}

/* The faults of one kind lie together. */
static int64_t show_kind(const espl_faults *check, int64_t first, int64_t most)
{
    static const char *const titles[] = { "leave out", "look at", "good to know" };
    const espl_fault *f = &check->faults[first];
    int64_t count = 1;

    while (first + count < check->fault_count && f[count].kind == f->kind)
        count++;
    printf("\n%s%s%s (%s): %s, %s\n", terminal_bold(stdout), espl_fault_name(f->kind), terminal_plain(stdout),
           titles[f->advice], figure_count(count).text, espl_fault_meaning(f->kind));
    for (int64_t i = 0; i < count && i < most; i++)
        printf("  %s: %s\n", f[i].file, f[i].text);
    if (count > most)
        printf("  and %s more; --show %lld names all\n", figure_count(count - most).text, (long long)count);
    return count;
}

static void show(const espl_faults *check, int64_t most)
{
    printf("%s pictures of %d classes", figure_count(check->pictures).text, check->classes);
    if (check->held_out)
        printf(", %s of them held out", figure_count(check->held_out).text);
    if (check->others)
        printf("; %s other files are passed over", figure_count(check->others).text);
    printf("\n");
    for (int64_t i = 0; i < check->fault_count;)
        i += show_kind(check, i, most);
    if (!check->fault_count)
        printf("nothing found that would harm\n");
}

static int run(const void *given, const cli_words *words)
{
    const check_options *o = given;
    espl_context *ctx = NULL;
    espl_faults check;
    const int code = session_open(&o->machine, NULL, &ctx);

    if (code)
        return code;
    espl_status status = espl_check_data(ctx, words->item[0], &check);
    const bool checked = !status;
    if (!status && o->write)
        status = espl_faults_write(&check, o->write);
    if (!status && o->json)
        write_json(&check);
    else if (!status)
        show(&check, o->show ? o->show : 10);
    const int result = session_report(ctx, status);
    if (checked)
        espl_faults_free(&check);
    espl_context_free(ctx);
    return result;
}

const cli_command cli_command_check_data = {
    .name = "check-data",
    .summary = "look for faults in a folder of pictures",
    .description =
        "Reads every picture and names those that cost accuracy or make a score say more than is true: files "
        "that are no pictures or are cut off, the same picture twice (in one class, in two, or both in the "
        "training and the held-out pictures; also at another size, quality or brightness, or mirrored), blank, "
        "very small and very long pictures, classes of few pictures. It also tells what is harmless: pictures "
        "that a camera stored lying, and names that say another format. Nothing is changed: --write makes a list "
        "of what to leave out, which recipes and commands take.",
    .examples = "  espalier check-data photos/\n"
                "  espalier check-data photos/ --write left_out.txt\n"
                "  espalier check-data photos.tar --show 100\n"
                "  espalier check-data photos/ --json",
    .size = sizeof(check_options),
    .options = options,
    .arguments = arguments,
    .run = run,
};
